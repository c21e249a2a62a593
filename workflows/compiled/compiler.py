"""The compiler: from a class with steps to a plan, or to findings that say what is wrong with it."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, cast

from signals.fragments import FragmentOffer
from signals.settings import ValidationLevel
from workflows.compiled.body import body_findings
from workflows.compiled.checks import Checker
from workflows.compiled.determinism import determinism_findings
from workflows.compiled.findings import Code, CompileError, CompileWarning, Finding, Severity
from workflows.compiled.fragment import Fragment, offer_of
from workflows.compiled.outcomes import outcome_schema
from workflows.compiled.plan import Argument, CycleError, Plan, PointPlan, Source, StepPlan, in_order
from workflows.compiled.point_checks import check_points
from workflows.compiled.source import (
    CONTEXT,
    ERROR,
    PREVIOUS,
    REQUEST,
    RUN,
    SETTINGS,
    StepSource,
    conditions_of,
    functions_of,
    parameters_of,
)
from workflows.compiled.step import options_of
from workflows.compiled.types import shown
from workflows.hybrid import Conditional, ConversationPoint

NO_OBSTACLE: Final = frozenset(
    {
        Code.TYPE_MISMATCH,
        Code.EXCEEDS_WIRE,
        Code.FRAGMENT,
        Code.DUPLICATE_NAME,
        Code.UNAWAITED_COROUTINE,
        Code.UNEXPLAINED_ALLOW,
        *(code for code in Code if code.startswith("nondeterministic-")),
    }
)
"""The errors in spite of which a class can be planned and run; what comes of it is another question."""

_LEVEL: Final = ContextVar("validation_level", default=ValidationLevel.STANDARD)

_PLANS: dict[object, Plan] = {}


@contextmanager
def validating(level: ValidationLevel) -> Iterator[None]:
    """Compile what is imported meanwhile by a level of the settings; else it is `standard`."""
    before = _LEVEL.set(level)
    try:
        yield
    finally:
        _LEVEL.reset(before)


def compile_class(
    cls: type,
    reserved: frozenset[str],
    points: Sequence[ConversationPoint] = (),
    fragment: Fragment | None = None,
) -> Plan:
    """Compile a class, once per process: the sandbox imports it anew for every run.

    Args:
        cls: The class.
        reserved: Names that no step may have.
        points: The conversation points of the class as a whole.
        fragment: How it is marked as a fragment, if it is.

    Raises:
        CompileError: Something is wrong with it; all of it is said.
    """
    methods = {name: value for name, value in vars(cls).items() if options_of(value) is not None}
    # Code objects are equal if they were compiled from the same lines, so this finds a class imported anew.
    key = (cls.__module__, cls.__qualname__, tuple(method.__code__ for method in methods.values()), repr(fragment))
    if key not in _PLANS:
        _PLANS[key] = _Compiler(cls, methods, reserved, points, fragment).compile()
    return _PLANS[key]


class _Compiler:
    """One class being compiled."""

    def __init__(
        self,
        cls: type,
        methods: dict[str, Callable[..., object]],
        reserved: frozenset[str],
        points: Sequence[ConversationPoint],
        fragment: Fragment | None,
    ) -> None:
        self.cls = cls
        self.points = tuple(points)
        self.fragment = fragment
        self.checker = Checker(cls, reserved)
        self.find = self.checker.find
        self.steps = self.checker.steps
        for name, method in methods.items():
            options = options_of(method)
            if options is not None:
                self.steps[name] = StepSource(name, method, options, self.checker.hints_of(method, name))

    def compile(self) -> Plan:
        if not self.steps:
            self.find(Code.NO_STEPS, None, None, "the class has no steps", "mark a method with @step(result=True)")
            raise CompileError(tuple(self.checker.findings))
        self.checker.check_members()
        self.checker.findings += body_findings(self.cls)
        for step in self.steps.values():
            self.checker.check(step)
        self.check_determinism()
        result = self.the_result()
        request_step = self.the_request()
        order = self.order()
        self.check_points(result)
        needed = self.needed(result)
        self.warn_of_unused(result)
        offer = self.offer(request_step)
        plan = Plan(
            name=self.cls.__name__,
            about=_first_line(self.cls.__doc__),
            steps=tuple(self.plan_step(self.steps[name], name not in needed, result) for name in order),
            request_step=request_step,
            result=result,
            points=tuple(self.plan_point(None, point, result) for point in self.points),
            fragment=offer,
            findings=tuple(self.checker.findings),
        )
        errors = tuple(finding for finding in self.checker.findings if finding.severity is Severity.ERROR)
        if errors and not (_LEVEL.get() is ValidationLevel.LENIENT and all(one.code in NO_OBSTACLE for one in errors)):
            raise CompileError(errors)
        for finding in plan.findings:
            warnings.warn(CompileWarning(finding), stacklevel=5)
        return plan

    @property
    def hints(self) -> dict[str, dict[str, object]]:
        return {name: step.hints for name, step in self.steps.items()}

    def check_points(self, result: str) -> None:
        needs = {name: self.needs(step) for name, step in self.steps.items()}
        check_points(self.checker, self.points, needs, result)

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
        taking = [(step.name, step.hints[REQUEST]) for step in self.steps.values() if REQUEST in step.hints]
        # Any says nothing about it.
        asking = [(name, hint) for name, hint in taking if hint is not Any] or taking
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

    def needs(self, step: StepSource) -> set[str]:
        setups = (parameters_of(point.setup) for point in step.options.points)
        return {name for name in step.asked.union(*setups) if name in self.steps and name != step.name}

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
        # What the run as a whole is decided with is needed as well.
        return self.reached({result, *conditions_of(self.points)}, lambda step: step.awaited)

    def reached(self, first: set[str], asked: Callable[[StepSource], set[str]]) -> set[str]:
        effects = {name for name, step in self.steps.items() if step.has_effect}
        pending = [name for name in self.steps if name in first | effects]
        found: set[str] = set()
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending += [other for other in asked(self.steps[name]) if other in self.steps]
        return found

    def warn_of_unused(self, result: str) -> None:
        setups = {name for point in self.points for name in parameters_of(point.setup)}
        used = {name for step in self.steps.values() for name in self.needs(step)} | setups
        reached = self.reached({result, *conditions_of(self.points), *setups}, self.needs)
        for name in self.steps:
            if name in reached:
                continue
            if name in used:
                message, remedy = "only steps that are not run use it, so it is not run", "use its result elsewhere"
                self.find(Code.UNREACHABLE_STEP, name, None, message, remedy, Severity.WARNING)
            else:
                remedy = "use its result, or let it return None if it is there for its effect"
                message = "nothing uses what it returns, so it is not run"
                self.find(Code.UNUSED_STEP, name, None, message, remedy, Severity.WARNING)

    def check_determinism(self) -> None:
        """Hold the steps, and the functions that they are decided with, to what is the same on a replay."""
        found: dict[tuple[str, int, Code], Finding] = {}
        for step in self.steps.values():
            undo = step.options.compensation
            of_class = [(method, self.cls) for method in (step.method, undo) if method is not None]
            for function, owner in [*of_class, *((function, None) for function in step.functions.values())]:
                for finding in determinism_findings(function, workflow=self.cls.__name__, step=step.name, owner=owner):
                    # What several steps come to is said once.
                    found.setdefault((finding.file, finding.line, finding.code), finding)
        for function in functions_of(self.points).values():
            for finding in determinism_findings(function, workflow=self.cls.__name__, step=None, owner=None):
                found.setdefault((finding.file, finding.line, finding.code), finding)
        self.checker.findings += found.values()

    def offer(self, request_step: str) -> FragmentOffer | None:
        """What conversations are offered, where the class is marked as a fragment."""
        if self.fragment is None:
            return None

        def find(message: str, remedy: str) -> None:
            self.find(Code.FRAGMENT, None, None, message, remedy)

        request = self.steps[request_step].hints.get(REQUEST, Any)
        return offer_of(self.cls.__name__, _first_line(self.cls.__doc__), self.fragment, request, find)

    # The plan

    def plan_step(self, step: StepSource, on_demand: bool, result: str) -> StepPlan:
        options, functions = step.options, step.functions
        return StepPlan(
            name=step.name,
            about=_first_line(step.method.__doc__),
            arguments=self.arguments(step.parameters),
            when=self.arguments(parameters_of(functions["when"])) if "when" in functions else (),
            until=self.arguments(parameters_of(functions["until"])) if "until" in functions else (),
            compensation=self.arguments(parameters_of(options.compensation)[1:]) if options.compensation else (),
            points=tuple(self.plan_point(step.name, point, result) for point in options.points),
            checkpoint=options.checkpoint,
            on_demand=on_demand,
        )

    def plan_point(self, step: str | None, point: ConversationPoint, result: str) -> PointPlan:
        condition = point.trigger.condition if isinstance(point.trigger, Conditional) else None
        return PointPlan(
            name=point.name,
            setup=self.arguments(parameters_of(point.setup)),
            outcome=outcome_schema(self.hints, step, result, point),
            condition=self.arguments(parameters_of(condition)) if condition else (),
        )

    def arguments(self, names: list[str]) -> tuple[Argument, ...]:
        named = {name: Source(name) for name in (REQUEST, RUN, CONTEXT, SETTINGS, ERROR, PREVIOUS)}
        return tuple(
            Argument(name, Source.STEP if name in self.steps else named.get(name, Source.OUTCOME)) for name in names
        )


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().partition("\n")[0]
