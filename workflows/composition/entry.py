"""What the first workflows of a plan are given: its type, and whether the input of a run fits it. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import JsonValue, ValidationError

from signals.wire import one_line
from workflows.composition.findings import PlanCode, PlanFinding
from workflows.composition.functions import FunctionError, read
from workflows.composition.layout import Part
from workflows.composition.paths import value_at
from workflows.composition.plan import Call, Conditional, Dynamic, ForEach, Sequential
from workflows.composition.registry import Registry

MAX_FINDINGS = 20
"""How many of the things that don't fit are told."""


def request_for(call: Call, value: JsonValue) -> JsonValue:
    """Put together what a workflow is given."""
    if isinstance(call.input, dict) or (call.take is not None and call.input is None):
        base: dict[str, JsonValue] = dict(value) if isinstance(value, dict) else {}
        if call.take is not None:
            base = {name: value_at(value, path) for name, path in call.take.items()}
        return {**base, **(call.input or {})}
    return value if call.input is None else call.input


def asked_of(part: Part, registry: Registry) -> list[object] | None:
    """The annotations of a plan's input, as its first workflows have them; nothing if that can't be seen."""
    match part.plan:
        case Call() as call:
            signature = registry.signature(call)
            if signature is None or call.take is not None or call.input is not None:
                return None
            return [signature.request] if signature.inputs else []
        case ForEach() as each:
            items = None if each.items else asked_of(part.parts[0], registry)
            return None if items is None else [list[item] for item in items]  # type: ignore[valid-type]  # what each takes
        case Sequential():
            return asked_of(part.parts[0], registry) if part.parts else None
        case _:
            found = [asked_of(inner, registry) for inner in part.parts]
            return None if None in found else [hint for hints in found if hints for hint in hints]


def misfits(part: Part, value: JsonValue, registry: Registry, name: str) -> tuple[PlanFinding, ...]:
    """Hold the input of a run to what the workflows ask for that it comes to first.

    Args:
        part: The plan.
        value: The input.
        registry: What it may name.
        name: The composite's workflow type.
    """
    findings: list[PlanFinding] = []
    entry = _Entry(registry)
    for place, problem in entry.problems(part, value):
        findings.append(PlanFinding(PlanCode.INPUT, name, place, problem, "mend the input"))
        if len(findings) == MAX_FINDINGS:
            break
    return tuple(findings)


class _Problem(NamedTuple):
    place: str
    message: str


class _Entry:
    """Goes as far into a plan as the input goes unchanged."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.passes = False
        """Whether what was gone into last leaves the value as it is."""

    def problems(self, part: Part, value: JsonValue) -> Iterator[_Problem]:
        self.passes = False
        try:
            yield from self.within(part, value)
        except FunctionError as error:
            yield _Problem(part.place, str(error))

    def within(self, part: Part, value: JsonValue) -> Iterator[_Problem]:
        match part.plan:
            case Call() as call:
                yield from self.call(call, part.place, value)
            case Sequential():
                for step in part.parts:
                    yield from self.problems(step, value)
                    if not self.passes:
                        break
            case Conditional() as conditional:
                taken = part.parts[:1] if conditional.when.holds(value, self.registry.ask) else part.parts[1:]
                self.passes = not taken
                for branch in taken:
                    yield from self.problems(branch, value)
            case Dynamic() as dynamic:
                yield from self.dynamic(part, dynamic, value)
            case ForEach() as each:
                yield from self.items(part, value_at(value, each.items))
            case _:
                for branch in part.parts:
                    yield from self.problems(branch, value)
                self.passes = False

    def call(self, call: Call, place: str, value: JsonValue) -> Iterator[_Problem]:
        signature = self.registry.signature(call)
        if signature is None or not signature.inputs:
            return
        try:
            read(signature.request, request_for(call, value))
        except ValidationError as error:
            yield _Problem(place, f"the input doesn't fit {call.workflow}: {one_line(error)}")

    def dynamic(self, part: Part, dynamic: Dynamic, value: JsonValue) -> Iterator[_Problem]:
        choice = self.registry.choose(dynamic, value)
        taken = [branch for branch in part.parts if branch.segment == choice]
        if not taken:
            yield _Problem(part.place, not_among(part, choice))
        for branch in taken:
            yield from self.problems(branch, value)

    def items(self, part: Part, items: JsonValue) -> Iterator[_Problem]:
        if isinstance(items, list):
            for item in items:
                yield from self.problems(part.parts[0], item)
        else:
            yield _Problem(part.place, not_a_list(part))
        self.passes = False


def not_among(part: Part, choice: str) -> str:
    """Say that a selector has chosen what can't be chosen."""
    names = ", ".join(str(branch.segment) for branch in part.parts)
    assert isinstance(part.plan, Dynamic)
    return f"selector '{part.plan.selector}' chose '{choice[:100]}', which is not among: {names}"


def not_a_list(part: Part) -> str:
    """Say that there is no list to go through."""
    assert isinstance(part.plan, ForEach)
    return f"there is no list at '{part.plan.items}'" if part.plan.items else "the value is no list"
