"""A run of a compiled workflow: the shell around the plan and the record.

Each step starts as soon as what it needs is there. A step that opens a conversation waits for it, alone;
the others go on. Messages that come to the run are passed on to its open conversation, in order.
"""

import asyncio
import inspect
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, TypeVar, get_type_hints

from pydantic import JsonValue, ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

from signals.conversation import Rejection, Rejections
from signals.errors import ErrorType, Refusal
from signals.messages import Answer, Message, MessageTo
from signals.names import conversation_id
from signals.participants import Kind
from signals.run import Checkpoint, ConversationRecord, Progress, Transition
from signals.settings import PinRequest, Settings, ValidationLevel
from signals.wire import one_line
from workflows import search
from workflows.compiled.diagram import mermaid
from workflows.compiled.outcomes import outcome_type
from workflows.compiled.page import page
from workflows.compiled.plan import Argument, Plan, Source, StepPlan
from workflows.compiled.record import RunRecord
from workflows.compiled.settlement import NoOutcome, settle
from workflows.compiled.source import PREVIOUS
from workflows.compiled.step import Repeat, StepOptions, options_of
from workflows.compiled.stubs import Relay
from workflows.compiled.talk import Held, begin, end, step_error, unbroken
from workflows.compiled.types import misfit, shown
from workflows.hybrid import ConversationPoint, Explicit, Fail, OnException, RetryWith, StepError
from workflows.options import QUICK
from workflows.pinning import pin
from workflows.receiving import Receiver, as_error, invalid

T = TypeVar("T")


class CompiledRun(Receiver):
    """What every compiled workflow class is, beside its steps."""

    plan: ClassVar[Plan]

    def __init__(self) -> None:
        self._record = RunRecord.begin(workflow.info().workflow_id, self.plan)
        self._request: object = None
        self._settings = Settings()
        """Those that held when the run began; pinned before anything else is done."""

        self._results: dict[str, object] = {}
        self._rejections = Rejections()
        self._held: Counter[str] = Counter()
        """How many conversations of each point were opened."""

        self._spent: set[str] = set()
        """Points that have given their fallback for want of further conversations."""

        self._outbox: deque[tuple[str, Message]] = deque()

    async def execute(self, request: object) -> object:
        """Run the steps; the result is what the result step returned."""
        self._request = request
        self._settings = (await pin(PinRequest())).settings
        self._post = asyncio.create_task(self._pass_signals_on())
        tasks: dict[str, asyncio.Task[None]] = {}
        try:
            while self._start_ready(tasks):
                await workflow.wait(list(tasks.values()), return_when=asyncio.FIRST_COMPLETED)
                for name in [name for name, task in tasks.items() if task.done()]:
                    await tasks.pop(name)
        except (FailureError, asyncio.CancelledError):
            await unbroken(self._take_back(tasks))
            raise
        await workflow.wait_condition(lambda: not self._outbox and workflow.all_handlers_finished())
        self._record.completed()
        self._publish()
        return self._results[self.plan.result]

    # Queries

    @workflow.query(description="Where each step stands, the conversations held, and the changes of mode.")
    def progress(self) -> Progress:
        """Where the run stands."""
        return self._record.progress()

    @workflow.query(description="The steps as a Mermaid diagram, each with its state.")
    def definition(self) -> str:
        """The run as a Mermaid diagram."""
        return mermaid(self.plan, {name: progress.status for name, progress in self._record.steps.items()})

    @workflow.query(description="The changes of mode, with trigger and reason.")
    def transitions(self) -> list[Transition]:
        """The changes of mode."""
        return self._record.transitions

    @workflow.query(description="What was sent and not accepted, with the reasons.")
    def rejections(self) -> Rejections:
        """What was not accepted."""
        return self._rejections

    @workflow.query(description="The moments that the run can be taken back to, with the event ids for 'reset'.")
    def checkpoints(self) -> list[Checkpoint]:
        """The moments that the run can be taken back to."""
        return self._record.checkpoints

    # Messages

    def take(self, message: Message) -> None:
        """Pass a signal on to the open conversation."""
        target = self._addressee(message)
        if isinstance(target, Refusal):
            self._reject(message.signal, message.sender, target)
        else:
            self._outbox.append((target, message))

    def take_misfit(self, signal: str, speaker: str | None, reason: str) -> None:
        """Keep what is no message as a rejection."""
        self._reject(signal, speaker, Refusal(ErrorType.INVALID_INPUT, reason))

    def check(self, message: Message) -> None:
        """Refuse an update that is for no open conversation."""
        if isinstance(target := self._addressee(message), Refusal):
            raise as_error(target)

    async def submit(self, message: Message) -> Answer:
        """Pass an update on to the open conversation, and its answer back."""
        target = self._addressee(message)
        if isinstance(target, Refusal):
            raise as_error(target)
        passed = MessageTo(conversation=target, signal=message.signal, message=_without_address(message))
        try:
            return await workflow.execute_activity_method(
                Relay.pass_on, passed, summary=f"passes '{message.signal}' on", **QUICK
            )
        except ActivityError as error:
            cause = error.cause
            if isinstance(cause, ApplicationError):
                raise ApplicationError(cause.message, type=cause.type, non_retryable=True) from None
            raise

    def _addressee(self, message: Message) -> str | Refusal:
        """The workflow id of the open conversation that a message is for."""
        named = message.conversation
        opened = [record.id for record in self._record.open_conversations]
        fitting = [one for one in opened if named is None or one == named or one.endswith(f"/{named}")]
        if len(fitting) == 1:
            return fitting[0]
        if not opened:
            return Refusal(ErrorType.CONVERSATION_CLOSED, "the run has no open conversation")
        return Refusal(ErrorType.INVALID_INPUT, f"conversation: name one of those that are open: {', '.join(opened)}")

    def _reject(self, signal: str, speaker: str | None, refusal: Refusal) -> None:
        self._rejections = self._rejections.adding(
            Rejection(at=workflow.now(), signal=signal, speaker=speaker, type=refusal.type, reason=refusal.reason)
        )
        self._publish()

    async def _pass_signals_on(self) -> None:
        # One after the other, so that they arrive in the order in which they came.
        while True:
            await workflow.wait_condition(lambda: bool(self._outbox))
            target, message = self._outbox[0]
            try:
                await workflow.get_external_workflow_handle(target).signal(message.signal, _without_address(message))
            except FailureError as error:
                reason = f"{target!r} did not take it: {error.message}"
                self._reject(message.signal, message.sender, Refusal(ErrorType.CONVERSATION_CLOSED, reason))
            self._outbox.popleft()

    # Steps

    def _start_ready(self, tasks: dict[str, asyncio.Task[None]]) -> bool:
        """Start what can start; tell whether anything is under way."""
        ready = self._record.ready()
        if not self._settings.workflow.optimization:
            ready = [] if tasks else ready[:1]
        for name in ready:
            self._record.begun(name, workflow.now())
            tasks[name] = asyncio.create_task(self._run_step(self.plan.step(name)))
        self._publish()
        return bool(tasks)

    async def _take_back(self, tasks: Mapping[str, asyncio.Task[None]]) -> None:
        """Stop what is under way, then run the compensations of what was done, the latest first."""
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        self._record.broken_off(workflow.now())
        for name in self._record.to_compensate():
            options, planned = self._options(name), self.plan.step(name)
            if options.compensation is not None:
                try:
                    await self._invoke(options.compensation.__name__, self._arguments(planned.compensation, {}))
                except FailureError as error:
                    self._record.compensated(name, f"could not be taken back: {step_error(error).message}")
                else:
                    self._record.compensated(name)
        self._publish()

    async def _run_step(self, step: StepPlan) -> None:
        options = self._options(step.name)
        try:
            if options.when is not None and not self._ask("when", step, options.when, self._arguments(step.when, {})):
                self._results[step.name] = None
                self._record.skipped(step.name)
                return
            self._results[step.name] = await self._result_of(step, options)
        except FailureError as error:
            if not is_cancelled_exception(error):
                self._record.failed(step.name, workflow.now(), step_error(error).message)
                self._publish()
            raise
        self._record.finished(step.name, workflow.now())
        if step.checkpoint and self._settings.workflow.checkpointing:
            # A reset takes the id of the event that completes this workflow task, the one after its start.
            event = workflow.info().get_current_history_length() + 1
            self._record.checkpoint(step.name, workflow.now(), event)

    async def _result_of(self, step: StepPlan, options: StepOptions) -> object:
        outcomes: dict[str, object] = {}
        error: StepError | None = None
        point = next((p for p in options.points if isinstance(p.trigger, Explicit)), None)
        while True:
            if point is not None:
                outcome = await self._talk(step, point, error)
                if isinstance(point.integration, RetryWith):
                    outcomes[point.integration.parameter] = outcome
                else:
                    return outcome
            try:
                return await self._repeated(step, options.repeat, outcomes)
            except FailureError as failure:
                if is_cancelled_exception(failure):
                    raise
                error = step_error(failure)
                point = self._point_for(options, error)
                if point is None:
                    raise

    async def _repeated(self, step: StepPlan, repeat: Repeat | None, outcomes: dict[str, object]) -> object:
        """Run a step's body, once or until it is enough."""
        if repeat is None:
            return await self._call(step, outcomes)
        values = dict(outcomes)
        for turn in range(repeat.most):
            if turn and repeat.every:
                await workflow.sleep(repeat.every, summary=f"until '{step.name}' is tried again")
            values[PREVIOUS] = values[step.name] = await self._call(step, values)
            if self._ask("until", step, repeat.until, self._arguments(step.until, values)):
                return values[PREVIOUS]
        reason = f"step '{step.name}' was run {repeat.most} times, and it wasn't enough"
        raise ApplicationError(reason, type=ErrorType.LOOP_LIMIT, non_retryable=True)

    async def _call(self, step: StepPlan, values: Mapping[str, object]) -> object:
        self._record.tried(step.name)
        value = await self._invoke(step.name, self._arguments(step.arguments, values))
        if self._settings.workflow.validation_level is ValidationLevel.STRICT:
            hint = get_type_hints(getattr(type(self), step.name), include_extras=True)["return"]
            if fault := misfit(hint, value):
                raise invalid(f"{self.plan.name}.{step.name}: what it returned is no {shown(hint)}: {fault}")
        return value

    async def _invoke(self, method: str, arguments: Mapping[str, object]) -> object:
        with _fitting(f"{self.plan.name}.{method}"):
            result = getattr(self, method)(**arguments)
            return await result if inspect.isawaitable(result) else result

    def _ask(self, what: str, step: StepPlan, function: Callable[..., T], arguments: Mapping[str, object]) -> T:
        """Ask one of the functions that a step is decided with."""
        with _fitting(f"{self.plan.name}.{step.name}: {what}"):
            return function(**arguments)

    def _arguments(
        self, arguments: tuple[Argument, ...], values: Mapping[str, object], error: StepError | None = None
    ) -> dict[str, object]:
        """Fill arguments by name; `values` go first: what conversations gave, and what a loop's last turn gave."""
        filled: dict[str, object] = {}
        for argument in arguments:
            match argument.source:
                case _ if argument.name in values:
                    filled[argument.name] = values[argument.name]
                case Source.REQUEST:
                    filled[argument.name] = self._request
                case Source.RUN:
                    filled[argument.name] = self._record.so_far()
                case Source.STEP:
                    filled[argument.name] = self._results[argument.name]
                case Source.ERROR:
                    filled[argument.name] = error
                case Source.OUTCOME | Source.PREVIOUS:
                    pass  # not there yet: the parameter's default stands
        return filled

    # Conversations

    def _options(self, step: str) -> StepOptions:
        return options_of(getattr(type(self), step)) or StepOptions()

    def _point_for(self, options: StepOptions, error: StepError) -> ConversationPoint | None:
        """The first point that is there for this error and has something left to try."""
        return next(
            (
                point
                for point in options.points
                if isinstance(point.trigger, OnException)
                and error.type in point.trigger.types
                and point.name not in self._spent
                and not (self._is_used_up(point) and isinstance(point.constraints.fallback, Fail))
            ),
            None,
        )

    def _is_used_up(self, point: ConversationPoint) -> bool:
        return self._held[point.name] >= point.constraints.most

    async def _talk(self, step: StepPlan, point: ConversationPoint, error: StepError | None) -> object:
        """Hold a conversation, and give what it came to as the type that the step needs."""
        hint = outcome_type(get_type_hints(getattr(type(self), step.name), include_extras=True), point)
        if self._is_used_up(point):
            self._spent.add(point.name)
            settled = settle(f"{point.constraints.most} conversations were held", hint, point.constraints.fallback)
        else:
            conversation = await self._open(step, point, error)
            ended = await end(conversation)
            settled = settle(ended, hint, point.constraints.fallback)
            self._record.closed(conversation.id, workflow.now(), ended, settled)
            self._publish()
        if isinstance(settled, NoOutcome):
            reason = f"conversation point '{point.name}' gave no outcome: {settled.reason}"
            raise ApplicationError(reason, type=ErrorType.NO_OUTCOME, non_retryable=True)
        return settled.value

    async def _open(self, step: StepPlan, point: ConversationPoint, error: StepError | None) -> Held:
        planned = step.point(point.name)
        self._record.waits(step.name)
        await self._have(planned.needs)
        what = f"setup of point '{point.name}'"
        setup = self._ask(what, step, point.setup, self._arguments(planned.setup, {}, error))
        with _fitting(f"{self.plan.name}.{step.name}: {what}"):
            setup = setup.settled(self._settings.conversation)
        if setup.outcome is None:
            setup = setup.model_copy(update={"outcome": planned.outcome})
        self._held[point.name] += 1
        number = self._held[point.name]
        summary = f"conversation {number} at point '{point.name}' of step '{step.name}'"
        conversation = await begin(conversation_id(self._record.run, point.name, number), setup, summary)
        # Only now is it open: what would be passed on to it before it has started would be lost.
        record = ConversationRecord(
            id=conversation.id,
            step=step.name,
            point=point.name,
            opened=workflow.now(),
            because=error.message if error else "the step calls for it",
            people=tuple(who.id for who in setup.participants if who.kind is Kind.HUMAN),
        )
        self._record.opened(record, trigger=error.type if error else "explicit")
        self._publish()
        return conversation

    async def _have(self, names: tuple[str, ...]) -> None:
        """See to it that steps are done, also those that only a conversation needs."""
        for name in names:
            step = self.plan.step(name)
            if step.on_demand and self._record.is_pending(name):
                self._record.begun(name, workflow.now())
                await self._have(step.needs)
                await self._run_step(step)
        await workflow.wait_condition(lambda: self._record.are_done(names))

    def _publish(self) -> None:
        search.publish(mode=self._record.mode)
        workflow.set_current_details(page(self._record, self._rejections))


@contextmanager
def _fitting(where: str) -> Iterator[None]:
    # A value that doesn't fit is the input's fault, not a bug to wait for a new release with.
    try:
        yield
    except ValidationError as error:
        raise invalid(f"{where}: {one_line(error)}") from None


def _without_address(message: Message) -> dict[str, JsonValue]:
    return message.model_dump(mode="json", exclude={"conversation"}, exclude_defaults=True)
