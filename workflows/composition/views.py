"""What a composite shows of itself: its branches with their states, and at the end their results. Pure."""

from collections.abc import Iterator
from heapq import nsmallest
from typing import Final, NamedTuple

from pydantic import JsonValue
from pydantic_core import to_json

from signals.composition import (
    BranchError,
    BranchProgress,
    BranchResult,
    BranchState,
    CompositeProgress,
    CompositeResult,
)
from signals.names import child_run_id
from workflows.composition.frames import Branch
from workflows.composition.layout import Part
from workflows.composition.machine import Machine
from workflows.composition.outcomes import Failed, Succeeded
from workflows.composition.plan import Call, ForEach

MAX_LISTED: Final = 500
"""How many branches are listed."""

MAX_RESULTS_BYTES: Final = 256 * 1024
"""How much the results of branches may take in a composite's result, in bytes of JSON."""

MAX_BYTES: Final = 1_700_000
"""How much a composite's result may take with them; Temporal carries 2 MB."""


class _Place(NamedTuple):
    part: Part
    path: str


def progress(machine: Machine, run: str, most: int) -> CompositeProgress:
    """Where a composite stands.

    Args:
        machine: Its state.
        run: Its workflow id.
        most: How many branches are listed.
    """
    branches, omitted = _listed(machine, most)
    return CompositeProgress(
        run=run,
        branches=tuple(_progress(branch, run, machine) for branch in branches),
        omitted=omitted,
        done=machine.outcome is not None,
    )


def result(machine: Machine, value: JsonValue, run: str) -> CompositeResult:
    """What a composite came to.

    Args:
        machine: Its state.
        value: What its plan gave.
        run: Its workflow id.
    """
    branches, omitted = _listed(machine, MAX_LISTED)
    left = min(MAX_RESULTS_BYTES, MAX_BYTES - len(to_json(value)))
    listed = []
    for branch in branches:
        outcome = branch.outcome if isinstance(branch, Branch) else None
        given = outcome.value if isinstance(outcome, Succeeded) else None
        size = len(to_json(given))
        fits = size <= left
        left -= size if fits else 0
        fields = dict(_progress(branch, run, machine))
        listed.append(BranchResult(**fields, result=given if fits else None, omitted=not fits))
    return CompositeResult(result=value, branches=tuple(listed), omitted=omitted)


def states(machine: Machine) -> dict[int, BranchState]:
    """Where each part of the plan stands, by its number; of one that was gone through more than once, the last."""
    found: dict[int, BranchState] = {}
    for branch in machine.branches:
        if found.get(branch.part.index) is not BranchState.RUNNING:
            found[branch.part.index] = branch.state
    if machine.outcome is not None:
        for place in _never_begun(machine):
            found[place.part.index] = BranchState.SKIPPED
    return found


def _listed(machine: Machine, most: int) -> tuple[list[Branch | _Place], int]:
    """What was gone into, and what is still to come or never did, in the order of the plan; and how much more."""
    found: list[Branch | _Place] = [*machine.branches, *_never_begun(machine)]
    return nsmallest(most, found, key=lambda branch: branch.part.index), max(0, len(found) - most)


def _never_begun(machine: Machine) -> Iterator[_Place]:
    return (place for place in _places(machine.part, "") if place.part.index not in machine.begun)


def _places(part: Part, scope: str) -> Iterator[_Place]:
    path = f"{scope}/{part.segment}".lstrip("/") if part.segment else scope
    if part.segment:
        yield _Place(part, path)
    if not isinstance(part.plan, ForEach):  # how many there will be is not known
        for inner in part.parts:
            yield from _places(inner, path)


def _progress(branch: Branch | _Place, run: str, machine: Machine) -> BranchProgress:
    call = branch.part.plan if isinstance(branch.part.plan, Call) else None
    workflow = call.workflow if call else None
    if isinstance(branch, _Place):
        state = BranchState.PENDING if machine.outcome is None else BranchState.SKIPPED
        return BranchProgress(path=branch.path, workflow=workflow, state=state)
    failed = branch.outcome
    return BranchProgress(
        path=branch.path,
        number=branch.number,
        workflow=workflow,
        id=child_run_id(run, branch.path, branch.number) if call and branch.started else None,
        state=branch.state,
        started=branch.started,
        ended=branch.ended,
        error=BranchError(type=failed.type, message=failed.message) if isinstance(failed, Failed) else None,
    )
