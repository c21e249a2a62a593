"""Composition: plans over whole workflows, in Python and as JSON, checked before anything runs."""

from workflows.composition.building import call, choose, for_each, parallel, repeat, sequence, when
from workflows.composition.composite import check_composites, composite
from workflows.composition.conditions import field
from workflows.composition.findings import PlanError, PlanFinding
from workflows.composition.joins import JoinAll, JoinAny, JoinFirst, JoinNOfM
from workflows.composition.plan import CompositeRequest
from workflows.composition.registry import REGISTRY

__all__ = [
    "REGISTRY",
    "CompositeRequest",
    "JoinAll",
    "JoinAny",
    "JoinFirst",
    "JoinNOfM",
    "PlanError",
    "PlanFinding",
    "call",
    "check_composites",
    "choose",
    "composite",
    "field",
    "for_each",
    "parallel",
    "repeat",
    "sequence",
    "when",
]
