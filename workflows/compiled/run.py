"""The workflow shells of runs that have steps: what they are asked and sent goes to the execution that they host."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar, Final, NoReturn

from pydantic import JsonValue
from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from signals.context import CoreState, UniversalContext
from signals.conversation import Rejections
from signals.errors import ErrorType, Refusal
from signals.messages import MESSAGES, Accepted, Answer, Message, RequestConversation, SwitchMode
from signals.run import Checkpoint, Progress, Transition
from signals.settings import PinRequest, Settings
from workflows.compiled.diagram import mermaid
from workflows.compiled.execution import Execution
from workflows.compiled.plan import Plan
from workflows.compiled.running import as_json
from workflows.compiled.source import REQUEST
from workflows.hybrid import ConversationPoint
from workflows.pinning import pin
from workflows.receiving import Receiver, as_error, receive_signal, receive_update

_BOUND_FIRST: Final = "requests-once-bound"
"""Marks the history of a run whose requests came before it knew what it is bound to, and waited: older ones didn't."""


class Run(Receiver):
    """A workflow that hosts an execution: it has steps, conversations and a mode."""

    takes = (*MESSAGES, RequestConversation, SwitchMode)

    def __init__(self) -> None:
        self._execution: Execution | None = None
        self._early: list[Callable[[], None]] = []
        """What came before there was an execution."""

        self._requests: list[Callable[[], None]] = []
        """What was asked before the run knew what it is bound to."""

        self._taking: asyncio.Task[None] | None = None

    @property
    def execution(self) -> Execution:
        """The execution that goes on.

        Raises:
            ApplicationError: None has begun yet.
        """
        if self._execution is None:
            raise ApplicationError("the run has not begun yet; try again", type=ErrorType.CONVERSATION_CLOSED)
        return self._execution

    def host(self, execution: Execution) -> None:
        """Host an execution from now on, and give it what came before there was one."""
        self._execution = execution
        early, self._early = self._early, []
        for take in early:
            take()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the run when it ends; not when it continues as new."""
        try:
            yield
        except (FailureError, asyncio.CancelledError) as error:
            self._ended("cancelled" if is_cancelled_exception(error) else "failed")
            raise
        else:
            self._ended("completed")

    def _ended(self, status: str) -> None:
        if self._execution is not None:
            self._execution.run.ended(status)

    def _once_begun(self, take: Callable[[], None]) -> None:
        if self._execution is None:
            self._early.append(take)
        else:
            take()

    def _once_bound(self, take: Callable[[], None]) -> None:
        """Take a request once the run knows what it is bound to: whether people must sign, and who has a key."""
        if self._is_bound:
            take()
            return
        self._requests.append(take)
        if self._taking is None:
            self._taking = asyncio.create_task(self._take_requests())

    async def _take_requests(self) -> None:
        await workflow.wait_condition(lambda: self.execution.begun)
        requests, self._requests, self._taking = self._requests, [], None
        for take in requests:
            take()

    async def _bound(self) -> None:
        if not self._is_bound:
            await workflow.wait_condition(lambda: self.execution.begun)

    @property
    def _is_bound(self) -> bool:
        return self.execution.begun or not workflow.patched(_BOUND_FIRST)

    # Queries

    @workflow.query(description="Where each step stands, the conversations held, and the changes of mode.")
    def progress(self) -> Progress:
        """Where the run stands."""
        return self.execution.run.record.progress()

    @workflow.query(description="All that the run knows, as another run can be started from it.")
    def context(self) -> UniversalContext:
        """All that the run knows."""
        return self.execution.run.context()

    @workflow.query(description="The whole result of a step that is done, by its name; of 'request' the input.")
    def result_of(self, step: str) -> JsonValue:
        """The result of a step, or the workflow's input."""
        run = self.execution.run
        if step == REQUEST:
            return run.core.request
        if step not in run.results or not run.record.are_done([step]):
            raise ApplicationError(f"step {step!r} has no result", type=ErrorType.INVALID_INPUT)
        return as_json(run.results[step])

    @workflow.query(description="The steps as a Mermaid diagram, each with its state.")
    def definition(self) -> str:
        """The run as a Mermaid diagram."""
        run = self.execution.run
        return mermaid(run.plan, {name: progress.status for name, progress in run.record.steps.items()})

    @workflow.query(description="The changes of mode, with trigger and reason.")
    def transitions(self) -> list[Transition]:
        """The changes of mode."""
        return self.execution.run.record.transitions

    @workflow.query(description="What was sent and not accepted, with the reasons.")
    def rejections(self) -> Rejections:
        """What was not accepted."""
        return self.execution.run.rejections

    @workflow.query(description="The moments that the run can be taken back to, with the event ids for 'reset'.")
    def checkpoints(self) -> list[Checkpoint]:
        """The moments that the run can be taken back to."""
        return self.execution.run.record.checkpoints

    # Messages to its conversations

    def take(self, message: Message) -> None:
        """Pass a signal on to the open conversation."""
        self._once_begun(lambda: self.execution.post.take(message))

    def take_misfit(self, signal: str, speaker: str | None, reason: str) -> None:
        """Keep what is no message as a rejection."""
        refusal = Refusal(ErrorType.INVALID_INPUT, reason)
        self._once_begun(lambda: self.execution.run.reject(signal, speaker, refusal))

    def check(self, message: Message) -> None:
        """Refuse an update that is for no open conversation."""
        if isinstance(target := self.execution.post.addressee(message), Refusal):
            raise as_error(target)

    async def submit(self, message: Message) -> Answer:
        """Pass an update on to the open conversation, and its answer back."""
        return await self.execution.post.submit(message)

    # Requests to the run itself

    @receive_signal(RequestConversation)
    def request_conversation(self, message: RequestConversation) -> None:
        """Ask for a conversation."""

        def take() -> None:
            if refusal := self.execution.take_demand(message):
                self.execution.run.reject(message.signal, message.requestor, refusal)

        self._once_begun(lambda: self._once_bound(take))

    @receive_signal(SwitchMode)
    def switch_mode(self, message: SwitchMode) -> None:
        """Ask for another mode."""

        def take() -> None:
            if refusal := self.execution.take_switch(message):
                self.execution.run.reject(message.signal, message.requested_by, refusal)

        self._once_begun(lambda: self._once_bound(take))

    def check_request(self, message: RequestConversation | SwitchMode) -> None:
        """Refuse a request that came as an update and isn't allowed now."""
        if refusal := self.execution.check(message):
            raise as_error(refusal)

    @receive_update(RequestConversation, check_request)
    async def submit_request_conversation(self, message: RequestConversation) -> Accepted:
        """Ask for a conversation, and learn what becomes of it."""
        await self._bound()
        if refusal := self.execution.take_demand(message):
            raise as_error(refusal)
        return Accepted(accepted="the conversation is opened")

    @receive_update(SwitchMode, check_request)
    async def submit_switch_mode(self, message: SwitchMode) -> Accepted:
        """Ask for another mode, and learn what becomes of it."""
        await self._bound()
        if refusal := self.execution.take_switch(message):
            raise as_error(refusal)
        return Accepted(accepted=f"the run goes to '{message.to}'")


class CompiledRun(Run):
    """What every compiled workflow class is, beside its steps."""

    plan: ClassVar[Plan]
    points: ClassVar[tuple[ConversationPoint, ...]] = ()

    def __init__(self) -> None:
        super().__init__()
        self._request: object = None
        core = CoreState(goal=self.plan.about or self.plan.name, workflow=self.plan.name)
        # What holds is pinned before anything is done; messages may come before.
        self.host(Execution(self, self.plan, self.points, Settings(), core, self._renew))

    async def execute(self, request: object, context: UniversalContext | None = None) -> object:
        """Run the steps; the result is what the result step returned."""
        self._request = request
        self.execution.run.settings = await held_to(context, self.plan.models)
        with self.counted():
            return await self.execution.execute(request, context)

    def _renew(self, context: UniversalContext) -> NoReturn:
        workflow.continue_as_new(args=[self._request, context])


async def held_to(context: UniversalContext | None, models: tuple[str | None, ...]) -> Settings:
    """The settings that a run is bound to: those that it began with, where it was continued as new.

    Args:
        context: What it goes on from.
        models: The language models that it may ask before long.
    """
    if context is not None and context.settings is not None:
        return context.settings
    return (await pin(PinRequest(models=models))).settings
