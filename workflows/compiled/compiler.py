"""The compiler: from a class with steps to a plan, or to findings that say what is wrong with it.

Source of the rules: the seed's "Compile-Time Workflows"; parameter names are the data flow.
"""

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast, get_type_hints

from pydantic import JsonValue, PydanticUserError, ValidationError
from pydantic.errors import PydanticSchemaGenerationError

from signals.run import RunSoFar
from signals.wire import one_line
from workflows.compiled.findings import Code, CompileError, CompileWarning, Finding, Severity
from workflows.compiled.plan import Argument, CycleError, Plan, PointPlan, Source, StepPlan, in_order
from workflows.compiled.step import StepOptions, options_of
from workflows.compiled.types import adapter, fits, shown, without_none
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import ConversationPoint, Default, OnException, Result, RetryWith, StepError

REQUEST: Final = "request"
RUN: Final = "run"
ERROR: Final = "error"


_PLANS: dict[object, Plan] = {}


def compile_class(cls: type, reserved: frozenset[str]) -> Plan:
    """Compile a class, once per process: the sandbox imports it anew for every run.

    Args:
        cls: The class.
        reserved: Names that no step may have.

    Raises:
        CompileError: Something is wrong with it; all of it is said.
    """
    methods = {name: value for name, value in vars(cls).items() if options_of(value) is not None}
    # Code objects are equal if they were compiled from the same lines, so this finds a class imported anew.
    key = (cls.__module__, cls.__qualname__, tuple(method.__code__ for method in methods.values()))
    if key not in _PLANS:
        _PLANS[key] = _Compiler(cls, methods, reserved).compile()
    return _PLANS[key]


@dataclass(frozen=True)
class _Step:
    """A step as it was found: its function, options and annotations."""

    name: str
    method: Callable[..., object]
    options: StepOptions
    hints: dict[str, object]

    @property
    def parameters(self) -> list[str]:
        return list(inspect.signature(self.method).parameters)[1:]

    @property
    def has_effect(self) -> bool:
        """Whether it is there for what it does: it returns nothing."""
        return self.hints.get("return") is type(None)

    @property
    def fed(self) -> dict[str, ConversationPoint]:
        """The parameters that the step's own conversations fill."""
        return {p.integration.parameter: p for p in self.options.points if isinstance(p.integration, RetryWith)}


class _Compiler:
    """One class being compiled."""

    def __init__(self, cls: type, methods: dict[str, Callable[..., object]], reserved: frozenset[str]) -> None:
        self.cls = cls
        self.reserved = reserved
        self.findings: list[Finding] = []
        self.steps: dict[str, _Step] = {}
        for name, method in methods.items():
            options = options_of(method)
            if options is not None:
                self.steps[name] = _Step(name, method, options, self.hints_of(method, name))

    def compile(self) -> Plan:
        if not self.steps:
            self.find(Code.NO_STEPS, None, None, "the class has no steps", "mark a method with @step(result=True)")
            raise CompileError(tuple(self.findings))
        for step in self.steps.values():
            self.check_step(step)
        result = self.the_result()
        request_step = self.the_request()
        order = self.order()
        needed = self.needed(result)
        self.warn_of_unused(result)
        plan = Plan(
            name=self.cls.__name__,
            about=_first_line(self.cls.__doc__),
            steps=tuple(self.plan_step(self.steps[name], name not in needed) for name in order),
            request_step=request_step,
            result=result,
        )
        errors = tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)
        if errors:
            raise CompileError(errors)
        for finding in self.findings:
            warnings.warn(str(finding), CompileWarning, stacklevel=4)
        return plan

    # Findings

    def find(
        self,
        code: Code,
        step: str | None,
        parameter: str | None,
        message: str,
        remedy: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        place: Callable[..., object] | type = self.steps[step].method if step in self.steps else self.cls
        self.findings.append(
            Finding(code, severity, *_place(place), self.cls.__name__, step, parameter, message, remedy)
        )

    def hints_of(self, function: Callable[..., object], step: str) -> dict[str, object]:
        try:
            return get_type_hints(function, include_extras=True)
        except (NameError, TypeError) as error:
            self.find(Code.BAD_ANNOTATION, step, None, f"an annotation can't be read: {error}", "import what it names")
            return {}

    # Steps

    def check_step(self, step: _Step) -> None:
        if step.name in self.reserved or step.name in (REQUEST, RUN, ERROR) or step.name.startswith("_"):
            self.find(
                Code.RESERVED_NAME, step.name, None, "the name is taken by Parley", "call the step something else"
            )
        if "return" not in step.hints:
            self.find(Code.MISSING_ANNOTATION, step.name, None, "the result has no annotation", "say what it returns")
        else:
            self.check_serialisable(step, None, step.hints["return"])
        for parameter in step.parameters:
            self.check_parameter(step, parameter)
        for point in step.options.points:
            self.check_point(step, point)

    def check_parameter(self, step: _Step, parameter: str) -> None:
        if parameter not in step.hints:
            remedy = "annotate it with what it accepts"
            self.find(Code.MISSING_ANNOTATION, step.name, parameter, "it has no annotation", remedy)
            return
        hint = step.hints[parameter]
        if parameter == RUN:
            self.check_type(step, parameter, RunSoFar, hint, "the run's record")
        elif parameter in self.steps:
            promised = self.steps[parameter].hints.get("return", object)
            self.check_type(step, parameter, promised, hint, f"step '{parameter}'")
        elif parameter == REQUEST:
            self.check_serialisable(step, parameter, hint)
        elif parameter not in step.fed:
            names = ", ".join([REQUEST, RUN, *(name for name in self.steps if name != step.name)])
            remedy = f"name it after one of: {names}"
            self.find(Code.UNKNOWN_PARAMETER, step.name, parameter, "nothing has this name", remedy)
        elif inspect.signature(step.method).parameters[parameter].default is inspect.Parameter.empty:
            remedy = "give it the default None: it is filled only after the conversation"
            self.find(Code.POINT, step.name, parameter, "it has no default", remedy)

    def check_type(self, step: _Step, parameter: str, promised: object, accepted: object, giver: str) -> None:
        if not fits(promised, accepted):
            message = f"it accepts {shown(accepted)}, but {giver} gives {shown(promised)}"
            self.find(Code.TYPE_MISMATCH, step.name, parameter, message, "change one of the two annotations")

    def check_serialisable(self, step: _Step, parameter: str | None, hint: object) -> None:
        try:
            adapter(hint).json_schema()
        except (PydanticSchemaGenerationError, PydanticUserError):
            remedy = "use a pydantic model, a dataclass or plain JSON types"
            message = f"{shown(hint)} can't be written as JSON"
            self.find(Code.NOT_SERIALISABLE, step.name, parameter, message, remedy)

    # Conversation points

    def check_point(self, step: _Step, point: ConversationPoint) -> None:
        hints = self.hints_of(point.setup, step.name)
        if not fits(hints.get("return", object), ConversationSetup):
            self.point_is_wrong(
                step, point, "its setup does not return a ConversationSetup", "annotate what it returns"
            )
        for name in point.setup_parameters:
            self.check_setup_parameter(step, point, name, hints)
        if isinstance(point.integration, RetryWith) and point.integration.parameter not in step.parameters:
            wanted = point.integration.parameter
            self.point_is_wrong(step, point, f"the step has no parameter '{wanted}'", "add it, with the default None")
            return
        self.check_fallback(step, point)

    def check_setup_parameter(self, step: _Step, point: ConversationPoint, name: str, hints: dict[str, object]) -> None:
        promised: object
        if name in self.steps and name != step.name:
            promised = self.steps[name].hints.get("return", object)
        elif name == ERROR and isinstance(point.trigger, OnException):
            promised = StepError
        elif name == RUN:
            promised = RunSoFar
        elif name == REQUEST:
            return
        else:
            known = ", ".join([REQUEST, RUN, ERROR, *(other for other in self.steps if other != step.name)])
            self.point_is_wrong(
                step, point, f"its setup asks for '{name}', which it isn't given", f"known are: {known}"
            )
            return
        if not fits(promised, hints.get(name, object)):
            message = f"its setup accepts {shown(hints.get(name))} for '{name}', but is given {shown(promised)}"
            self.point_is_wrong(step, point, message, "change one of the two annotations")

    def check_fallback(self, step: _Step, point: ConversationPoint) -> None:
        fallback = point.constraints.fallback
        if isinstance(fallback, Default):
            try:
                adapter(outcome_type(step.hints, point)).validate_python(fallback.outcome)
            except ValidationError as error:
                message = f"its default outcome doesn't fit: {one_line(error)}"
                self.point_is_wrong(step, point, message, "mend the default or the type")

    def point_is_wrong(self, step: _Step, point: ConversationPoint, message: str, remedy: str) -> None:
        self.find(Code.POINT, step.name, None, f"point '{point.name}': {message}", remedy)

    # The whole

    def the_result(self) -> str:
        results = [step.name for step in self.steps.values() if step.options.result]
        if not results:
            remedy = "mark the step that gives the workflow's result with @step(result=True)"
            self.find(Code.NO_RESULT, None, None, "no step gives the result", remedy)
        for name in results[1:]:
            message = f"step '{results[0]}' gives the result already"
            self.find(Code.SEVERAL_RESULTS, name, None, message, "leave result=True on one of them")
        return results[0] if results else next(iter(self.steps))

    def the_request(self) -> str:
        asking = [(step.name, step.hints[REQUEST]) for step in self.steps.values() if REQUEST in step.hints]
        if not asking:
            remedy = "give a step the parameter 'request', annotated with the workflow's input"
            self.find(Code.NO_REQUEST, None, None, "no step takes the workflow's input", remedy)
            return next(iter(self.steps))
        first, hint = asking[0]
        for name, other in asking[1:]:
            if other != hint:
                message = f"it is {shown(other)} here, but {shown(hint)} in step '{first}'"
                self.find(Code.REQUEST_TYPES, name, REQUEST, message, "annotate it with the same type everywhere")
        return first

    def needs(self, step: _Step) -> set[str]:
        names = set(step.parameters).union(*(point.setup_parameters for point in step.options.points))
        return {name for name in names if name in self.steps and name != step.name}

    def order(self) -> tuple[str, ...]:
        try:
            return in_order({name: self.needs(step) for name, step in self.steps.items()})
        except CycleError as error:
            cycle = cast(list[str], error.args[1])
            message = f"the steps wait for each other: {' -> '.join(reversed(cycle))}"
            self.find(Code.CYCLE, cycle[0], None, message, "take one of the parameters away")
            return tuple(self.steps)

    def needed(self, result: str) -> set[str]:
        """The steps that every run needs: for its result, or for the effect of those that return nothing."""
        pending = [result, *(name for name, step in self.steps.items() if step.has_effect)]
        found: set[str] = set()
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending += [other for other in self.steps[name].parameters if other in self.steps]
        return found

    def warn_of_unused(self, result: str) -> None:
        used = {name for step in self.steps.values() for name in self.needs(step)} | {result}
        for name, step in self.steps.items():
            if name not in used and not step.has_effect:
                remedy = "use its result, or let it return None if it is there for its effect"
                message = "nothing uses what it returns, so it is not run"
                self.find(Code.UNUSED_STEP, name, None, message, remedy, Severity.WARNING)

    def plan_step(self, step: _Step, on_demand: bool) -> StepPlan:
        return StepPlan(
            on_demand=on_demand,
            name=step.name,
            about=_first_line(step.method.__doc__),
            arguments=tuple(self.argument(step, name) for name in step.parameters),
            points=tuple(
                PointPlan(
                    name=point.name,
                    setup=tuple(self.argument(step, name) for name in point.setup_parameters),
                    outcome=outcome_schema(step.hints, point),
                )
                for point in step.options.points
            ),
        )

    def argument(self, step: _Step, name: str) -> Argument:
        if name in self.steps:
            return Argument(name, Source.STEP)
        named = {REQUEST: Source.REQUEST, RUN: Source.RUN, ERROR: Source.ERROR}
        return Argument(name, named.get(name, Source.OUTCOME))


def outcome_type(hints: dict[str, object], point: ConversationPoint) -> object:
    """The type of a point's outcome, from the annotations of its step."""
    if isinstance(point.integration, Result):
        return hints.get("return", object)
    return without_none(hints.get(point.integration.parameter, object))


def outcome_schema(hints: dict[str, object], point: ConversationPoint) -> dict[str, JsonValue]:
    """The JSON Schema of a point's outcome; of anything where the annotation has none (a finding says so)."""
    try:
        return adapter(outcome_type(hints, point)).json_schema()
    except (PydanticSchemaGenerationError, PydanticUserError):
        return {}


def _place(thing: Callable[..., object] | type) -> tuple[str, int]:
    source = Path(inspect.getsourcefile(thing) or "?")
    line = inspect.getsourcelines(thing)[1]
    here = Path.cwd()
    return str(source.relative_to(here) if source.is_relative_to(here) else source), line


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().partition("\n")[0]
