"""The check of a plan, before anything runs: names, counts, and types from each workflow to the next. Pure."""

from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, NamedTuple

from pydantic import JsonValue, ValidationError

from signals.wire import one_line
from workflows.compiled.types import is_union, without_none
from workflows.composition.conditions import ORDERING, Compare, Condition, Named, Op, depth_of, simple_ones
from workflows.composition.findings import PlanCode, PlanFinding
from workflows.composition.functions import Function, read
from workflows.composition.joins import AnyJoin, JoinAll, JoinAny, JoinFirst, JoinNOfM
from workflows.composition.layout import Part, TooLargeError, lay_out
from workflows.composition.paths import Field, Fields, Nowhere, fields_of, hint_at
from workflows.composition.plan import Call, Conditional, Dynamic, ForEach, Loop, Parallel, Plan, Sequential
from workflows.composition.registry import Registry, known
from workflows.composition.signatures import Signature
from workflows.composition.types import array_of, either, feeds, is_anything, named, plain

MAX_PATH: Final = 400
"""How long the path of a branch may be, in characters: it becomes part of a workflow id, which has 1,000."""

MAX_CONDITION_DEPTH: Final = 20
"""How many conditions may be inside each other."""


class Gives(NamedTuple):
    """What a part of a plan gives."""

    hint: object
    """The annotation of its result, if it runs."""

    skips: bool = False
    """Whether it may be left out, so that the value goes on as it is."""

    def after(self, given: object) -> object:
        """The annotation of what comes next."""
        return either(self.hint, given) if self.skips else self.hint


@dataclass(frozen=True)
class Checked:
    """What the check of a plan came to."""

    findings: tuple[PlanFinding, ...]
    part: Part | None
    """The plan laid out; nothing if it is too large for that."""

    result: object
    """The annotation of what it gives."""


def check(
    plan: Plan,
    registry: Registry,
    *,
    request: object = Any,
    name: str = "Composite",
    own: Signature | None = None,
    all_known: bool = True,
) -> Checked:
    """Check a plan; everything that is wrong is found at once.

    Args:
        plan: The plan.
        registry: What it may name.
        request: The annotation of the input.
        name: The composite's workflow type.
        own: What it takes and gives itself, if its plan may name it.
        all_known: Whether everything is registered by now: if not, what is only named is taken on trust.
    """
    checker = _Checker(registry, name, own, all_known)
    try:
        part = lay_out(plan)
    except TooLargeError as error:
        checker.find(PlanCode.TOO_LARGE, "plan", str(error), "make workflows of its parts, and a plan of those")
        return Checked(tuple(checker.findings), None, Any)
    checker.check_names(part, "")
    result = checker.part(part, request).after(request)
    return Checked(tuple(checker.findings), part, result)


class _Checker:
    def __init__(self, registry: Registry, name: str, own: Signature | None, all_known: bool) -> None:
        self.registry, self.name, self.own, self.all_known = registry, name, own, all_known
        self.findings: list[PlanFinding] = []
        self.seen: dict[tuple[int, str], Gives] = {}

    def find(self, code: PlanCode, place: str, message: str, remedy: str) -> None:
        self.findings.append(PlanFinding(code, self.name, place, message, remedy))

    # Names

    def check_names(self, part: Part, path: str) -> None:
        path = f"{path}/{part.segment}" if part.segment else path
        if len(path) > MAX_PATH:
            message = f"the path that its id is made of has {len(path)} characters, at most {MAX_PATH} are allowed"
            self.find(PlanCode.LONG_PATH, part.place, message, "use shorter names")
            return
        if isinstance(part.plan, Parallel | Dynamic):
            for name, count in Counter(inner.segment for inner in part.parts).items():
                if count > 1:
                    message = f"{count} of its branches are called '{name}'"
                    self.find(PlanCode.DUPLICATE_NAME, part.place, message, "give each a name of its own")
        for inner in part.parts:
            self.check_names(inner, path)

    # Types

    def part(self, part: Part, given: object) -> Gives:
        """Check a part that is given a value of some type, once; tell what it gives."""
        # Loops ask twice, and loops in loops would ask without end.
        key = (part.index, str(given))
        if key not in self.seen:
            self.seen[key] = self.checked(part, given)
        return self.seen[key]

    def checked(self, part: Part, given: object) -> Gives:
        plan = part.plan
        match plan:
            case Call():
                return self.call(plan, part.place, given)
            case Sequential():
                return self.sequential(part, given)
            case Parallel():
                return self.parallel(part, plan.join, given)
            case Conditional():
                self.condition(plan.when, f"{part.place}.when", given)
                gives = [self.part(inner, given) for inner in part.parts]
                skips = len(gives) == 1 or any(one.skips for one in gives)
                return Gives(either(*(one.hint for one in gives)), skips)
            case Dynamic():
                return self.dynamic(part, plan, given)
            case Loop():
                return self.loop(part, plan, given)
            case ForEach():
                return self.for_each(part, plan, given)
        raise TypeError(plan)

    def sequential(self, part: Part, given: object) -> Gives:
        if not part.parts:
            self.find(PlanCode.EMPTY, part.place, "it has no steps", "name a workflow")
            return Gives(Any)
        skips = True
        for inner in part.parts:
            gives = self.part(inner, given)
            given = gives.after(given)
            skips = skips and gives.skips
        return Gives(given, skips)

    def parallel(self, part: Part, join: AnyJoin, given: object) -> Gives:
        if not part.parts:
            self.find(PlanCode.EMPTY, part.place, "it has no branches", "name a workflow")
            return Gives(Any)
        if isinstance(join, JoinNOfM) and join.n > len(part.parts):
            message = f"it waits for {join.n} branches of {len(part.parts)}"
            self.find(PlanCode.JOIN_COUNT, f"{part.place}.join", message, f"ask for {len(part.parts)} at most")
        gives = [self.part(inner, given) for inner in part.parts]
        hints = tuple(one.hint for one in gives)
        if isinstance(join, JoinAll) and not any(one.skips for one in gives):
            return Gives(tuple[hints])  # type: ignore[valid-type]  # as many as there are branches
        return Gives(_joined(join, either(*hints)))

    def dynamic(self, part: Part, plan: Dynamic, given: object) -> Gives:
        if not part.parts:
            self.find(PlanCode.EMPTY, part.place, "there is nothing to choose among", "name a workflow")
            return Gives(Any)
        selector = self.registry.selector(plan)
        if selector is not None:
            self.accepts(selector, part.place, given)
        elif self.all_known:
            message = f"no selector is called '{plan.selector}'"
            remedy = known(self.registry.selectors, plan.selector)
            self.find(PlanCode.UNKNOWN_SELECTOR, part.place, message, remedy)
        gives = [self.part(inner, given) for inner in part.parts]
        return Gives(either(*(one.hint for one in gives)), any(one.skips for one in gives))

    def loop(self, part: Part, plan: Loop, given: object) -> Gives:
        body = part.parts[0]
        before = len(self.findings)
        gives = self.part(body, given)
        after = gives.after(given)
        self.condition(plan.until, f"{part.place}.until", after)
        if len(self.findings) == before:
            # What a round gives must do for the next one too.
            self.part(body, after)
            self.findings[before:] = [_of_next_round(finding) for finding in self.findings[before:]]
        return Gives(after)

    def for_each(self, part: Part, plan: ForEach, given: object) -> Gives:
        items = self.hint_at(given, plan.items, f"{part.place}.items")
        return Gives(_joined(plan.join, self.part(part.parts[0], self.item(items, part.place)).hint))

    def item(self, items: object, place: str) -> object:
        array = array_of(plain(items))
        if array is not None:
            return array.every
        if not is_anything(plain(items)):
            message = f"it goes through {named(items)}, which is no list"
            self.find(PlanCode.NOT_A_LIST, place, message, "say with 'items' where in the value the list is")
        return Any

    # Workflows

    def call(self, plan: Call, place: str, given: object) -> Gives:
        signature = self.signature(plan)
        if signature is None:
            if self.all_known:
                message = f"there is no workflow '{plan.workflow}'"
                remedy = known(self.registry.workflows, plan.workflow)
                self.find(PlanCode.UNKNOWN_WORKFLOW, place, message, remedy)
            return Gives(Any)
        if signature.inputs > 1:
            message = f"{plan.workflow} needs {signature.inputs} inputs, a plan gives one"
            self.find(PlanCode.INPUTS, place, message, "make one model of them")
        elif signature.inputs == 1:
            self.request(plan, place, given, signature.request)
        return Gives(signature.result)

    def signature(self, plan: Call) -> Signature | None:
        if self.own is not None and plan.cls is None and plan.workflow == self.name:
            return self.own
        return self.registry.signature(plan)

    def request(self, plan: Call, place: str, given: object, asked: object) -> None:
        """Check what a workflow is given: the value, or what is taken from it and put over it."""
        constants = plan.input
        if isinstance(constants, dict) or (plan.take is not None and constants is None):
            self.fields(plan, place, given, asked, constants or {})
        elif constants is not None:
            self.constant(constants, asked, f"{place}.input")
        elif not feeds(given, asked):
            message = f"{plan.workflow} takes {named(asked)}, but is given {named(given)}"
            self.find(PlanCode.TYPE_MISMATCH, place, message, "say with 'take' which of its fields it needs")

    def fields(self, plan: Call, place: str, given: object, asked: object, constants: dict[str, JsonValue]) -> None:
        """Check an object that is put together."""
        wanted = fields_of(asked)
        if wanted is None:
            if not is_anything(plain(asked)) and not feeds(dict[str, Any], asked):
                message = f"{plan.workflow} takes {named(asked)}, but is given an object"
                self.find(PlanCode.TYPE_MISMATCH, place, message, "leave 'take' out, and give its input as it is")
            return
        taken = self.taken(plan, place, given)
        for name, value in constants.items():
            if name in wanted:
                self.constant(value, wanted[name].hint, f"{place}.input.{name}")
        for name, field in (taken or {}).items():
            if name in wanted and name not in constants and not feeds(field.hint, wanted[name].hint):
                message = f"{plan.workflow} takes {named(wanted[name].hint)} as '{name}', not {named(field.hint)}"
                self.find(PlanCode.TYPE_MISMATCH, place, message, "take it from another place")
        self.names(plan, place, wanted, taken, constants)

    def taken(self, plan: Call, place: str, given: object) -> Fields | None:
        """What an object is put together of, beside constants; nothing if that can't be known."""
        if plan.take is None:
            return fields_of(given)
        return {
            name: Field(self.hint_at(given, path, f"{place}.take.{name}"), True) for name, path in plan.take.items()
        }

    def names(
        self, plan: Call, place: str, wanted: Fields, taken: Fields | None, constants: dict[str, JsonValue]
    ) -> None:
        there = {*(taken or {}), *constants}
        for name in sorted(there - wanted.keys()):
            message = f"{plan.workflow} takes no '{name}'"
            passed_on = plan.take is None and name not in constants
            remedy = "say with 'take' which fields of the value it is given" if passed_on else known(wanted, name)
            self.find(PlanCode.UNKNOWN_FIELD, place, message, remedy)
        if taken is None:
            return
        for name, field in wanted.items():
            if field.required and name not in there:
                message = f"{plan.workflow} needs '{name}'"
                self.find(PlanCode.MISSING_FIELD, place, message, "take it from the value, or give it as 'input'")

    def constant(self, value: JsonValue, asked: object, place: str) -> None:
        try:
            read(asked, value)
        except ValidationError as error:
            self.find(PlanCode.CONSTANT, place, one_line(error), f"give {named(asked)}")

    # Conditions and functions

    def condition(self, condition: Condition, place: str, given: object) -> None:
        if depth_of(condition) > MAX_CONDITION_DEPTH:
            message = f"nested too deep: at most {MAX_CONDITION_DEPTH} conditions inside each other are allowed"
            self.find(PlanCode.TOO_LARGE, place, message, "make a predicate of it")
            return
        for one in simple_ones(condition):
            if isinstance(one, Named):
                self.predicate(one, place, given)
            else:
                self.comparison(one, place, self.hint_at(given, one.field, place))

    def predicate(self, named: Named, place: str, given: object) -> None:
        predicate = self.registry.predicate(named)
        if predicate is not None:
            self.accepts(predicate, place, given)
        elif self.all_known:
            message = f"no predicate is called '{named.predicate}'"
            remedy = known(self.registry.predicates, named.predicate)
            self.find(PlanCode.UNKNOWN_PREDICATE, place, message, remedy)

    def comparison(self, compare: Compare, place: str, hint: object) -> None:
        if compare.op is Op.IN and not isinstance(compare.value, list):
            self.find(PlanCode.COMPARISON, place, "'in' compares with a list", "give the values as a list")
        if compare.op in ORDERING and isinstance(compare.value, bool | list | dict | None):
            self.find(PlanCode.COMPARISON, place, f"'{compare.told}' has no order", "compare with a number or a text")
        kind = without_none(plain(hint))
        if kind in (int, float, Decimal) and isinstance(compare.value, str):
            message = f"'{compare.field}' is a number, and is compared with a text"
            self.find(PlanCode.COMPARISON, place, message, "write the number without quotes")

    def accepts(self, function: Function, place: str, given: object) -> None:
        if not feeds(given, function.accepts):
            message = f"'{function.name}' accepts {named(function.accepts)}, but is given {named(given)}"
            self.find(PlanCode.TYPE_MISMATCH, place, message, "use a function of what is there")

    def hint_at(self, given: object, path: str, place: str) -> object:
        hint = hint_at(given, path)
        if not isinstance(hint, Nowhere):
            return hint
        message = f"{named(given)} has no '{path}'" if not is_union(given) else f"the value has no '{path}'"
        remedy = known(hint.known, hint.name) if hint.known else "there are no fields in it"
        self.find(PlanCode.UNKNOWN_FIELD, place, message, remedy)
        return Any


def _joined(join: AnyJoin, hint: object) -> object:
    """The annotation of what a join gives, of the one that fits all its branches."""
    match join:
        case JoinAny() | JoinFirst():
            return hint
        case _:
            return list[hint]  # type: ignore[valid-type]  # of what the branches give


def _of_next_round(finding: PlanFinding) -> PlanFinding:
    return replace(finding, message=f"from the second round on, {finding.message}")
