"""One step of a run: its condition, its body once or in a loop, and the conversations at its points."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, cast

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from signals.errors import ErrorType
from signals.modes import Trigger
from signals.settings import ValidationLevel
from workflows.compiled.directives import Directive, GoOn
from workflows.compiled.plan import Argument, StepPlan
from workflows.compiled.running import Running, fitting
from workflows.compiled.settlement import Settled
from workflows.compiled.source import PREVIOUS
from workflows.compiled.step import Repeat, StepOptions
from workflows.compiled.talk import step_error
from workflows.compiled.talks import Talks
from workflows.compiled.types import misfit, shown
from workflows.hybrid import Conditional, ConversationPoint, Explicit, OnDemand, Result, RetryWith, StepError
from workflows.receiving import invalid

_NOTHING: Final = object()
"""Stands for the result of a body that has not been run."""


class Steps:
    """Runs the steps of a run.

    Args:
        run: The run.
        talks: Its conversations.
        merge: Takes results that a conversation decided, by step.
    """

    def __init__(self, run: Running, talks: Talks, merge: Callable[[Mapping[str, object]], None]) -> None:
        self.merge = merge
        self._run = run
        self._talks = talks

    async def run(self, step: StepPlan) -> Directive | None:
        """Run a step to its end.

        Returns:
            What the run is to do beside, where a conversation of the step says so.

        Raises:
            FailureError: The step failed, or was cancelled.
        """
        run, record, options = self._run, self._run.record, self._run.options(step.name)
        attempt = _Attempt(run, self._talks, self, step, options)
        try:
            if options.when is not None:
                asked = run.arguments(step.when, {})
                if not run.ask(f"{step.name}: when", options.when, asked):
                    run.results[step.name] = None
                    record.skipped(step.name)
                    return None
            outcome = await attempt.result()
        except FailureError as error:
            if not is_cancelled_exception(error):
                record.failed(step.name, workflow.now(), step_error(error).message)
                run.publish()
            raise
        if isinstance(outcome, Left):
            return outcome.directive
        run.results[step.name] = outcome
        record.finished(step.name, workflow.now())
        if step.checkpoint and run.settings.workflow.checkpointing:
            # A reset takes the id of the event that completes this workflow task, the one after its start.
            event = workflow.info().get_current_history_length() + 1
            record.checkpoint(step.name, workflow.now(), event)
        return None

    async def body(self, step: StepPlan, repeat: Repeat | None, values: Mapping[str, object]) -> object:
        """Run a step's body, once or until it is enough."""
        if repeat is None:
            return await self._call(step, values)
        run, known = self._run, dict(values)
        for turn in range(repeat.most):
            if turn and repeat.every:
                await workflow.sleep(repeat.every, summary=f"until '{step.name}' is tried again")
            known[PREVIOUS] = known[step.name] = await self._call(step, known)
            if run.ask(f"{step.name}: until", repeat.until, run.arguments(step.until, known)):
                return known[PREVIOUS]
        reason = f"step '{step.name}' was run {repeat.most} times, and it wasn't enough"
        raise ApplicationError(reason, type=ErrorType.LOOP_LIMIT, non_retryable=True)

    async def take_back(self, step: StepPlan) -> None:
        """Run the compensation of a step that was done, if it has one; that it failed is noted."""
        run, undo = self._run, self._run.options(step.name).compensation
        if undo is None:
            return
        try:
            await self._invoke(undo.__name__, run.arguments(step.compensation, {}))
        except FailureError as error:
            run.record.compensated(step.name, f"could not be taken back: {step_error(error).message}")
        else:
            run.record.compensated(step.name)

    async def _call(self, step: StepPlan, values: Mapping[str, object]) -> object:
        run = self._run
        run.record.tried(step.name)
        value = await self._invoke(step.name, run.arguments(step.arguments, values))
        if run.settings.workflow.validation_level is ValidationLevel.STRICT:
            hint = run.hints[step.name]["return"]
            if fault := misfit(hint, value):
                raise invalid(f"{run.plan.name}.{step.name}: what it returned is no {shown(hint)}: {fault}")
        return value

    async def _invoke(self, method: str, arguments: Mapping[str, object]) -> object:
        with fitting(f"{self._run.plan.name}.{method}"):
            result = getattr(self._run.flow, method)(**arguments)
            return await cast(Awaitable[object], result) if inspect.isawaitable(result) else result


class Left:
    """A step has no result of its own, since the run goes on otherwise.

    Args:
        directive: How.
    """

    def __init__(self, directive: Directive) -> None:
        self.directive = directive


class _Attempt:
    """One go at a step: its points before the body, the body, its points after that or after its failure."""

    def __init__(self, run: Running, talks: Talks, steps: Steps, step: StepPlan, options: StepOptions) -> None:
        self.run = run
        self.talks = talks
        self.steps = steps
        self.step = step
        self.options = options
        self.values: dict[str, object] = {}
        """What conversations gave, by parameter."""

        self.held: set[str] = set()
        """The points that have had their conversation at this moment: before the body, or after its last run."""

        self.body: object = _NOTHING
        """What the body gave."""

        self.error: StepError | None = None

    async def result(self) -> object:
        failure: FailureError | None = None
        runs_body = False
        while True:
            point = None if runs_body else self.due()
            if point is not None:
                self.held.add(point.name)
                taken = await self.talks.hold(self.step, point, self.trigger(point), self.error)
                if isinstance(taken, Settled) and isinstance(point.integration, Result):
                    return taken.value
                if isinstance(taken, Settled) and isinstance(point.integration, RetryWith):
                    self.values[point.integration.parameter] = taken.value
                    runs_body = True
                elif isinstance(taken, GoOn) and taken.resume_at is None:
                    # Merged, or as if there were no point: the step goes on.
                    self.steps.merge({name: taken.values[name] for name in taken.values if name != self.step.name})
                    if self.step.name in taken.values:
                        return taken.values[self.step.name]
                elif not isinstance(taken, Settled):
                    return Left(taken)
            elif failure is not None and not runs_body:
                raise failure
            elif self.body is not _NOTHING and not runs_body:
                return self.body
            else:
                runs_body, failure = False, await self.run_body()

    async def run_body(self) -> FailureError | None:
        """Run the body; why it failed, if it did."""
        self.held.clear()
        try:
            self.body = await self.steps.body(self.step, self.options.repeat, self.values)
        except FailureError as failure:
            if is_cancelled_exception(failure):
                raise
            self.body, self.error = _NOTHING, step_error(failure)
            return failure
        self.error = None
        return None

    def due(self) -> ConversationPoint | None:
        """The first point whose conversation is to be held now."""
        points = tuple(point for point in self.options.points if point.name not in self.held)
        if self.error is not None:
            return self.talks.point_for(points, self.error)
        return next((point for point in points if self.is_due(point)), None)

    def is_due(self, point: ConversationPoint) -> bool:
        before = self.body is _NOTHING
        match point.trigger:
            case Explicit():
                return before
            case OnDemand():
                return point.name in self.talks.demands
            case Conditional(condition=condition):
                planned = self.step.point(point.name).condition
                asks_result = _names(planned, self.step.name)
                if asks_result is before or self.talks.is_used_up(point):
                    return False
                values = {} if before else {self.step.name: self.body}
                asked = self.run.arguments(planned, values)
                return self.run.ask(f"{self.step.name}: condition of point '{point.name}'", condition, asked)
            case _:
                return False

    def trigger(self, point: ConversationPoint) -> Trigger:
        return Trigger.REQUEST if isinstance(point.trigger, OnDemand) else Trigger.POINT


def _names(arguments: tuple[Argument, ...], name: str) -> bool:
    return any(argument.name == name for argument in arguments)
