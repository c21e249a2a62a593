"""The workflow `Conversation`: the state machine's shell.

Handlers apply what came in at once and in order, the machine's effects become activities, one timer waits
for the time when the conversation ends by itself, and the history is kept short by continuing as new.
All state that must survive is in `ConversationState`.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from opentelemetry.trace import Span, use_span
from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from signals.conversation import ConversationResult, Recorded, Rejections, Status, Transcript
from signals.errors import ErrorType
from signals.fragments import FragmentOffer
from signals.messages import Answer, Dismiss, Message
from signals.modes import Mode
from signals.names import WorkflowType
from signals.notices import Waiting
from signals.participants import models_of
from signals.settings import PinRequest
from signals.wire import one_line
from workflows import search, spans
from workflows.conversation import machine, views
from workflows.conversation.admission import check
from workflows.conversation.context import offers_fault
from workflows.conversation.events import (
    Ask,
    AwaitFragment,
    CancelReply,
    Consult,
    Consulted,
    ConsultFailed,
    Dismissed,
    Effect,
    Event,
    Misfit,
    Reaction,
    Received,
    Replied,
    ReplyFailed,
    RunFragment,
    Tell,
    TimePassed,
    Told,
)
from workflows.conversation.fragments import FragmentRuns
from workflows.conversation.invoked import under_way
from workflows.conversation.page import page
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.signatures import check_signature
from workflows.conversation.state import ConversationState
from workflows.conversation.stubs import Adviser, Assistant, Notifier
from workflows.conversation.tally import REPLYING, Standing, answered
from workflows.conversation.telling import changed, opened
from workflows.counts import FAILED_ANSWERS, Count
from workflows.metrics import emit
from workflows.options import NOTIFY, REPLY
from workflows.pinning import pin
from workflows.receiving import Receiver, as_error, invalid, receive_signal

MAX_HISTORY_BYTES: Final = 2 * 1024 * 1024
"""Bytes of history at which the workflow continues as new, so that a cold worker is quick; Temporal's end is 50 MB."""

_SIGNED: Final = "signed-setting"
"""Marks the history of a conversation that asks the settings only whether people must sign: older ones didn't ask."""

LATE: Final = 2
"""Continuing as new waits for a quiet moment, up to this multiple of the bounds on a history."""


@workflow.defn(name=WorkflowType.CONVERSATION)
class Conversation(Receiver):
    """People and AI participants talk until an outcome emerges, or the time is up."""

    def __init__(self) -> None:
        self._setup: ConversationSetup | None = None
        self._state: ConversationState | None = None
        self._early: list[Received | Misfit | Dismissed] = []
        self._replies: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._fragments = FragmentRuns(self._apply)
        self._due = datetime.max.replace(tzinfo=UTC)
        """When the timer fires that runs."""

        self._timer: asyncio.Task[None] | None = None
        self._changed = False
        self._answering = False
        """Whether the workflow task under way answers an update."""

        self._fault: BaseException | None = None

    @workflow.run
    async def run(self, setup: ConversationSetup, carried: ConversationState | None = None) -> ConversationResult:
        """Hold the conversation.

        Args:
            setup: How it is set up.
            carried: Where it stood when it continued as new; given by the workflow itself only.
        """
        self._setup = setup
        if carried is None:
            self._begin(*await _pinned(setup))
        else:
            self._resume(carried)
        self._beside(self._watch_the_time())
        try:
            await self._until_the_end()
        except asyncio.CancelledError:
            # What nobody waits for runs for itself.
            await self._fragments.cancel(under_way(self.state))
            raise
        return views.result(self.state)

    async def _until_the_end(self) -> None:
        while self.state.ended is None:
            await workflow.wait_condition(lambda: self._changed)
            self._changed = False
            if self._fault is not None:
                raise self._fault
            self._publish()
            if self.state.ended is None and self._history_is_long():
                await workflow.wait_condition(self._can_leave)
                workflow.continue_as_new(args=[self.setup, self.state.carried()])
            self._answering = False
        await workflow.wait_condition(self._can_leave)

    def _can_leave(self) -> bool:
        return workflow.all_handlers_finished() and self._fragments.are_started()

    # Queries

    @workflow.query(description="The recent messages; with a participant's id, those that they were given.")
    def transcript(self, participant: str | None = None) -> Transcript:
        """The recent messages, as a participant may see them, or all of them."""
        if participant is not None and participant not in self.state.members:
            raise ApplicationError(f"{participant!r} is not a participant", type=ErrorType.NOT_A_PARTICIPANT)
        return views.transcript(self.state, participant)

    @workflow.query(description="Where the conversation stands, who is waited for, and how it ended.")
    def status(self) -> Status:
        """Where the conversation stands."""
        return views.status(self.setup, self.state, workflow.now())

    @workflow.query(description="What was sent and not accepted, with the reasons.")
    def rejections(self) -> Rejections:
        """What was not accepted."""
        return self.state.rejections

    # Messages

    def take(self, message: Message) -> None:
        """Take a message that came as a signal."""
        self._handle(Received(message, workflow.now()))

    def take_misfit(self, signal: str, speaker: str | None, reason: str) -> None:
        """Keep what is no message as a rejection."""
        self._handle(Misfit(signal, speaker, reason, workflow.now()))

    def check(self, message: Message) -> None:
        """Refuse an update that would not be accepted; one that comes with the start is checked when it is taken."""
        if self._state is None:
            return
        forged = check_signature(self.setup, self._state, message)
        if refusal := forged or check(self.setup, self._state, message):
            raise as_error(refusal)

    async def submit(self, message: Message) -> Answer:
        """Take a message that came as an update."""
        if self._state is None:
            await workflow.wait_condition(lambda: self._state is not None)
        self.check(message)
        self._answering = True
        answer = self._apply(Received(message, workflow.now())).answer
        if answer is None:
            raise RuntimeError(f"'{message.signal}' was checked and then refused; this is a bug in admission")
        return answer

    @receive_signal(Dismiss)
    def dismiss(self, message: Dismiss) -> None:
        """End, since the run that holds the conversation goes on otherwise."""
        self._handle(Dismissed(message.reason, workflow.now()))

    # The shell

    @property
    def setup(self) -> ConversationSetup:
        """How the conversation is set up."""
        if self._setup is None:
            raise ApplicationError("the conversation has not begun yet; try again", type=ErrorType.CONVERSATION_CLOSED)
        return self._setup

    @property
    def state(self) -> ConversationState:
        """Where the conversation stands; while the settings are asked for, where it would without them."""
        if self._state is None:
            return machine.open_conversation(self.setup, workflow.info().workflow_id, workflow.now())[0]
        return self._state

    def _begin(self, setup: ConversationSetup, offers: Sequence[FragmentOffer]) -> None:
        self._setup = setup
        name = workflow.info().workflow_id
        self._state, reaction = machine.open_conversation(setup, name, workflow.now(), offers)
        opened(setup, name)
        self._take_up(reaction)

    def _resume(self, carried: ConversationState) -> None:
        self._state = carried
        self._take_up(machine.resume(carried))

    def _take_up(self, reaction: Reaction) -> None:
        self._follow(reaction)
        for event in self._early:
            self._apply(event)
        self._early.clear()

    def _handle(self, event: Received | Misfit | Dismissed) -> None:
        # A signal that starts the workflow is handled before `run` has begun.
        if self._state is None:
            self._early.append(event)
        else:
            self._apply(event)

    def _apply(self, event: Event, reply: Span | None = None) -> Reaction:
        before = Standing.of(self.state)
        reaction = machine.apply(self.setup, self.state, event)
        changed(before, self.setup, self.state, event, reaction.recorded, reply)
        self._follow(reaction)
        return reaction

    def _follow(self, reaction: Reaction) -> None:
        self.recorded(reaction.recorded)
        self._perform(reaction.effects)
        self._changed = True
        if self._timer is not None and machine.next_due(self.setup, self.state, workflow.now()) < self._due:
            # Most changes put the time off, and the timer is set anew when it fires; few bring it forward.
            self._timer.cancel()

    def recorded(self, messages: Sequence[Recorded]) -> None:
        """Take notice of messages that were recorded; whoever reads a history back overrides it."""

    def _perform(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Ask(speaker=speaker, ask=ask):
                    self._replies[speaker, ask] = self._beside(self._reply(speaker, ask))
                case CancelReply(speaker=speaker, ask=ask):
                    self._replies[speaker, ask].cancel()
                case Consult(number=number):
                    self._beside(self._consult(number))
                case RunFragment(invocation=invocation, offer=offer):
                    self._beside(self._fragments.run(invocation, offer))
                case AwaitFragment(invocation=invocation):
                    self._beside(self._fragments.wait_for(invocation))
                case Tell(waiting=waiting):
                    self._beside(self._tell(waiting))

    def _beside(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Do something while messages are taken; a mistake in it fails the workflow task, as one in a handler does."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._look_at)
        return task

    def _look_at(self, done: asyncio.Task[None]) -> None:
        if not done.cancelled() and (fault := done.exception()):
            self._fault, self._changed = fault, True

    async def _reply(self, speaker: str, ask: int) -> None:
        label, asked = self.state.members[speaker].participant.label, workflow.now()
        span = spans.asked(speaker)
        try:
            with use_span(span, record_exception=False, set_status_on_exception=False):
                reply = await workflow.execute_activity_method(
                    Assistant.reply,
                    views.reply_request(self.setup, self.state, speaker),
                    summary=f"{label} replies",
                    **REPLY,
                )
        except ActivityError as error:
            if is_cancelled_exception(error):
                return
            emit([Count(FAILED_ANSWERS, labels={"purpose": REPLYING})])
            self._apply(ReplyFailed(speaker, ask, _reason(error), workflow.now()))
        else:
            emit(answered(REPLYING, reply, workflow.now() - asked))
            self._apply(Replied(speaker, ask, reply, workflow.now()), span)
        finally:
            span.end()
            del self._replies[speaker, ask]

    async def _consult(self, number: int) -> None:
        consulting = self.state.consulting.get(number)
        if consulting is None:
            return  # what came in the same moment has settled it
        asked = workflow.now()
        try:
            finding = await workflow.execute_activity_method(
                Adviser.consult,
                views.consultation(self.setup, self.state, consulting),
                summary=f"{consulting.purpose.value}",
                **REPLY,
            )
        except ActivityError as error:
            emit([Count(FAILED_ANSWERS, labels={"purpose": consulting.purpose})])
            self._apply(ConsultFailed(number, _reason(error), workflow.now()))
        else:
            emit(answered(consulting.purpose, finding, workflow.now() - asked))
            self._apply(Consulted(number, finding, workflow.now()))

    async def _tell(self, waiting: Waiting) -> None:
        fault = None
        try:
            await workflow.execute_activity_method(Notifier.notify, waiting, summary="tell who is waited for", **NOTIFY)
        except ActivityError as error:
            fault = _reason(error)
        self._apply(Told(waiting, fault, workflow.now()))

    async def _watch_the_time(self) -> None:
        # Turns move the time that silence ends at; the timer isn't touched for them, but set anew when it fires.
        while self.state.ended is None:
            self._due = machine.next_due(self.setup, self.state, workflow.now())
            wait = max(self._due - workflow.now(), timedelta(seconds=1))
            self._timer = self._beside(workflow.sleep(wait, summary=_until(self._due)))
            with suppress(asyncio.CancelledError):
                await self._timer
                self._apply(TimePassed(workflow.now()))

    def _publish(self) -> None:
        # While an AI participant works, nobody is told that nobody is waited for: it would cost two events a turn.
        settled = self.state.ended is not None or not self.state.working
        search.publish(
            mode=Mode.CONVERSATION,
            awaiting=machine.awaiting(self.state) if settled else None,
            stop=self.state.ended.stop if self.state.ended else None,
        )
        workflow.set_current_details(page(self.setup, self.state, workflow.now()))

    def _history_is_long(self) -> bool:
        info = workflow.info()
        full = max(
            info.get_current_history_length() / self.setup.history_events,
            info.get_current_history_size() / MAX_HISTORY_BYTES,
            LATE if info.is_continue_as_new_suggested() else 0,
        )
        # A signal that comes while a task continues as new makes the server undo that task, and the updates that it
        # answers fail; a reply under way would have to be asked for again.
        return full >= (LATE if self._answering or self.state.working else 1)


async def _pinned(setup: ConversationSetup) -> tuple[ConversationSetup, Sequence[FragmentOffer]]:
    """Set up what the setup leaves to the settings, as a run that opens one has done; with the fragments that it names.

    Raises:
        ApplicationError: `InvalidInput`: they don't suit it, or there are none of these names.
    """
    named, left = setup.named_fragments, setup.left_open
    if not named and (not left or (left == {"signed"} and not workflow.patched(_SIGNED))):
        return setup, ()
    pinned = await pin(PinRequest(fragments=named, models=models_of(setup.cast)))
    if fault := offers_fault(setup.written_fragments | dict(zip(named, pinned.fragments, strict=True))):
        raise invalid(fault)
    try:
        return setup.settled(pinned.settings.conversation), pinned.fragments
    except ValidationError as error:
        raise invalid(one_line(error)) from None


def _reason(error: ActivityError) -> str:
    cause = error.cause
    return (cause.message if isinstance(cause, ApplicationError) else str(cause or error))[:500]


def _until(due: datetime) -> str:
    return f"something is due at {due:%Y-%m-%d %H:%M:%S} UTC"
