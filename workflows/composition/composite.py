"""`@composite`: makes a workflow type of its own of a plan that is written in Python, checked when it is imported."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, TypeVar, cast

from pydantic import JsonValue
from pydantic_core import to_jsonable_python
from temporalio import workflow

from workflows.compiled.source import place_of
from workflows.composition.check import check
from workflows.composition.entry import asked_of
from workflows.composition.findings import PlanCode, PlanError, PlanFinding
from workflows.composition.layout import Part
from workflows.composition.plan import as_plan
from workflows.composition.registry import REGISTRY, Registry
from workflows.composition.run import CompositeRun
from workflows.composition.signatures import Signature
from workflows.composition.types import feeds, named

C = TypeVar("C")

_NAMELESS = Registry()
"""Knows nothing: while modules are imported, a plan is checked by what it holds itself."""


class NamedComposite(CompositeRun):
    """What every class is that `@composite` has made, beside its plan."""

    part: ClassVar[Part]
    signature: ClassVar[Signature]


def composite(cls: type[C]) -> type[C]:
    """Make a workflow class of a class with a plan; its type has the class's name.

        @composite
        class Onboarding:
            "Check a customer, then welcome them in two ways."

            plan = call(Check) >> parallel(Letter, Visit)

    It takes what the plan's first workflows take, and gives what the plan gives. Where that can't be seen,
    because the plan begins with `take` or names the class itself, `request = ...` and `result = ...` say it.

    Raises:
        PlanError: Something is wrong with the plan; all of it is said.
    """
    body = vars(cls)
    if "plan" not in body:
        raise TypeError(f"{cls.__qualname__} has no plan: write `plan = sequence(...)` in it")
    findings, part, signature = _read(cls.__name__, body)
    if findings or part is None:
        raise PlanError(_located(findings, cls))
    return workflow.defn(name=cls.__name__)(_workflow_class(cls, part, signature))


def check_composites(workflows: Iterable[type], registry: Registry = REGISTRY) -> tuple[PlanFinding, ...]:
    """Check the plans of those of some workflow classes that `@composite` has made, now that all names are known.

    Args:
        workflows: The workflow classes of a worker, or of a module.
        registry: What plans may name.
    """
    findings: list[PlanFinding] = []
    for flow in workflows:
        if issubclass(flow, NamedComposite):
            own = flow.signature
            checked = check(flow.part.plan, registry, request=own.request, name=flow.__name__, own=own)
            findings += _located(checked.findings, flow)
    return tuple(findings)


def _read(name: str, body: Mapping[str, object]) -> tuple[tuple[PlanFinding, ...], Part | None, Signature]:
    """Read the plan of a class, and what it takes and gives."""
    plan = as_plan(cast(Any, body["plan"]))
    own = Signature(1, body.get("request", Any), body.get("result", Any))
    checked = check(plan, _NAMELESS, request=own.request, name=name, own=own, all_known=False)
    if checked.findings or checked.part is None:
        return checked.findings, checked.part, own
    if "request" not in body:
        asked = asked_of(checked.part, _NAMELESS)
        if not asked or any(hint != asked[0] for hint in asked):
            message = "it can't be seen from its first workflows what it takes"
            finding = PlanFinding(PlanCode.REQUEST, name, "plan", message, "say it in the class: request = ...")
            return (finding,), checked.part, own
        own = own._replace(request=asked[0])
        checked = check(plan, _NAMELESS, request=own.request, name=name, own=own, all_known=False)
    if "result" not in body:
        own = own._replace(result=checked.result)
    elif not feeds(checked.result, own.result):
        message = f"it gives {named(checked.result)}, but the class says {named(own.result)}"
        finding = PlanFinding(PlanCode.TYPE_MISMATCH, name, "plan", message, "mend 'result = ...'")
        return (*checked.findings, finding), checked.part, own
    return checked.findings, checked.part, own


def _located(findings: tuple[PlanFinding, ...], cls: type) -> tuple[PlanFinding, ...]:
    if not findings:
        return ()
    file, line = place_of(cls)
    return tuple(replace(finding, file=file, line=line) for finding in findings)


def _workflow_class(cls: type[C], part: Part, signature: Signature) -> type[C]:
    async def run(self: NamedComposite, request: object) -> JsonValue:
        return await self.carry_out(part, cast(JsonValue, to_jsonable_python(request)))

    # Temporal decodes and encodes by these.
    run.__annotations__ = {"request": signature.request, "return": signature.result}
    run.__qualname__ = f"{cls.__qualname__}.run"
    run.__module__ = cls.__module__
    run.__doc__ = cls.__doc__
    body = {
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__doc__": cls.__doc__,
        "part": part,
        "signature": signature,
        "run": workflow.run(run),
    }
    return type(cls.__name__, (cls, NamedComposite), body)
