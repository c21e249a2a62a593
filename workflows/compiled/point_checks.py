"""The compiler's checks of conversation points: names, triggers, integrations, what is skipped, fallbacks.

Source of the rules: the seed's "Workflow with Conversation Breakouts".
"""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import ValidationError

from signals.wire import Identifier, one_line
from workflows.compiled.checks import Checker
from workflows.compiled.findings import Code
from workflows.compiled.outcomes import outcome_type
from workflows.compiled.source import ERROR, StepSource, functions_of, parameters_of
from workflows.compiled.types import UNWRITABLE, adapter, fits, from_json
from workflows.hybrid import (
    ConversationPoint,
    Default,
    EndRun,
    Explicit,
    GoOnAt,
    Merge,
    OnException,
    Result,
    RetryWith,
)

SWITCH: Final = "switch"
"""The point of conversations about a run as a whole that no point opened: their ids are made of it."""


def check_points(
    checker: Checker, points: Sequence[ConversationPoint], needs: Mapping[str, set[str]], result: str
) -> None:
    """Check all conversation points of a class; its steps must be known by now.

    Args:
        checker: Where findings go.
        points: Those of the run as a whole.
        needs: For each step, the steps that must be done before it.
        result: The step that gives the workflow's result.
    """
    every = [(step, point) for step in checker.steps.values() for point in step.options.points]
    whole = [(None, point) for point in points]
    names: dict[str, ConversationPoint] = {}
    for step, point in [*every, *whole]:
        check = _PointCheck(checker, step, point, needs, result)
        check.check_name(names)
        check.check_trigger()
        check.check_integration()
        check.check_fallback()
    for step in checker.steps.values():
        _check_order(checker, step)
    for what, function in functions_of(points).items():
        checker.check_function(None, what, function)


def _check_order(checker: Checker, step: StepSource) -> None:
    """Behind an Explicit point that takes the place of the body another one is never reached."""
    explicit = [point for point in step.options.points if isinstance(point.trigger, Explicit)]
    ending = next((n for n, p in enumerate(explicit) if isinstance(p.integration, Result | GoOnAt | EndRun)), None)
    for point in explicit[ending + 1 :] if ending is not None else ():
        message = f"point '{point.name}': the step has another Explicit point, which takes the step's place"
        checker.find(Code.POINT, step.name, None, message, "leave one of them")


class _PointCheck:
    """The check of one point."""

    def __init__(
        self,
        checker: Checker,
        step: StepSource | None,
        point: ConversationPoint,
        needs: Mapping[str, set[str]],
        result: str,
    ) -> None:
        self.checker = checker
        self.step = step
        self.point = point
        self.needs = needs
        self.result = result

    def check_name(self, known: dict[str, ConversationPoint]) -> None:
        try:
            adapter(Identifier).validate_python(self.point.name)
        except ValidationError:
            remedy = "use letters, digits and ._@+-, at most 64: workflow ids are made of it"
            self.find("the name can't be used", remedy)
        if known.setdefault(self.point.name, self.point) is not self.point:
            remedy = "give each a name of its own: workflow ids are made of it"
            self.find("another point of the class has this name", remedy)
        if self.point.name == SWITCH:
            self.find("the name is taken by Parley", "call it something else")

    def check_trigger(self) -> None:
        if ERROR in parameters_of(self.point.setup) and not isinstance(self.point.trigger, OnException):
            remedy = "take the parameter away, or use OnException"
            self.find("its setup asks for 'error', but it isn't opened by one", remedy)

    def check_integration(self) -> None:
        match self.point.integration:
            case Result() | RetryWith() if self.step is None:
                remedy = "use Merge, Note, GoOnAt or EndRun"
                self.find("it is the run's, which has no result of its own to replace", remedy)
            case RetryWith(parameter=wanted) if self.step and wanted not in self.step.parameters:
                self.find(f"the step has no parameter '{wanted}'", "add it, with the default None")
            case Merge(steps=()):
                self.find("Merge names no steps", "name those whose results the outcome gives, or use Note")
            case Merge(steps=names):
                self.check_steps(names)
            case GoOnAt(step=target, results=names):
                if self.check_steps((target, *names)):
                    self.check_skipped(target, names)

    def check_steps(self, names: Sequence[str]) -> bool:
        unknown = [name for name in names if name not in self.checker.steps]
        if unknown:
            known = ", ".join(self.checker.steps)
            self.find(f"there is no step '{unknown[0]}'", f"name one of: {known}")
        return not unknown

    def check_skipped(self, target: str, results: Sequence[str]) -> None:
        """What is skipped has no result, so what runs from the target on must do without it."""
        if self.step is None:
            return
        again = self.after(target)
        skipped = self.after(self.step.name) - again - set(results) if self.step.name not in again else set()
        for name in sorted(again):
            step = self.checker.steps[name]
            for parameter in step.parameters:
                if parameter in skipped and not fits(type(None), step.hints.get(parameter, object)):
                    remedy = f"add '{parameter}' to the results of GoOnAt, or let it accept None"
                    self.find(f"step '{name}' needs '{parameter}', which is skipped", remedy)

    def after(self, step: str) -> set[str]:
        found, pending = set[str](), [step]
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending += [other for other, needed in self.needs.items() if name in needed]
        return found

    def check_fallback(self) -> None:
        fallback = self.point.constraints.fallback
        if not isinstance(fallback, Default):
            return
        hints = {name: step.hints for name, step in self.checker.steps.items()}
        step = self.step.name if self.step else None
        try:
            from_json(outcome_type(hints, step, self.result, self.point), fallback.outcome)
        except ValidationError as error:
            self.find(f"its default outcome doesn't fit: {one_line(error)}", "mend the default or the type")
        except UNWRITABLE:
            pass  # a finding about the step says so

    def find(self, message: str, remedy: str) -> None:
        step = self.step.name if self.step else None
        self.checker.find(Code.POINT, step, None, f"point '{self.point.name}': {message}", remedy)
