"""Messages that come to a run are passed on to its open conversations, in order."""

from collections import deque

from opentelemetry.context import Context
from pydantic import JsonValue
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from signals.errors import ErrorType, Refusal
from signals.messages import Answer, Message, MessageTo
from workflows import spans
from workflows.compiled.running import Running
from workflows.compiled.stubs import Relay
from workflows.options import QUICK
from workflows.receiving import as_error


class Post:
    """Passes messages on.

    Args:
        run: The run whose conversations they are for.
    """

    def __init__(self, run: Running) -> None:
        self._run = run
        self._outbox: deque[tuple[str, Message, Context]] = deque()

    @property
    def is_empty(self) -> bool:
        """Whether all signals were passed on."""
        return not self._outbox

    def take(self, message: Message) -> None:
        """Pass a signal on to the open conversation."""
        target = self.addressee(message)
        if isinstance(target, Refusal):
            self._run.reject(message.signal, message.sender, target)
        else:
            self._outbox.append((target, message, spans.of_forwarding()))

    async def submit(self, message: Message) -> Answer:
        """Pass an update on to the open conversation, and its answer back."""
        target = self.addressee(message)
        if isinstance(target, Refusal):
            raise as_error(target)
        passed = MessageTo(conversation=target, signal=message.signal, message=_without_address(message))
        try:
            with spans.within(spans.of_forwarding()):
                return await workflow.execute_activity_method(
                    Relay.pass_on, passed, summary=f"passes '{message.signal}' on", **QUICK
                )
        except ActivityError as error:
            cause = error.cause
            if isinstance(cause, ApplicationError):
                raise ApplicationError(cause.message, type=cause.type, non_retryable=True) from None
            raise

    def addressee(self, message: Message) -> str | Refusal:
        """The workflow id of the open conversation that a message is for, or why there is none."""
        named = message.conversation
        opened = [record.id for record in self._run.record.open_conversations]
        fitting = [one for one in opened if named is None or one == named or one.endswith(f"/{named}")]
        if len(fitting) == 1:
            return fitting[0]
        if not opened:
            return Refusal(ErrorType.CONVERSATION_CLOSED, "the run has no open conversation")
        return Refusal(ErrorType.INVALID_INPUT, f"conversation: name one of those that are open: {', '.join(opened)}")

    async def pass_signals_on(self) -> None:
        """Pass signals on for as long as the run goes on, one after the other: in the order in which they came."""
        while True:
            await workflow.wait_condition(lambda: bool(self._outbox))
            target, message, came = self._outbox[0]
            conversation = workflow.get_external_workflow_handle(target)
            try:
                with spans.within(came):
                    await conversation.signal(message.signal, _without_address(message))
            except FailureError as error:
                reason = f"{target!r} did not take it: {error.message}"
                self._run.reject(message.signal, message.sender, Refusal(ErrorType.CONVERSATION_CLOSED, reason))
            self._outbox.popleft()


def _without_address(message: Message) -> dict[str, JsonValue]:
    return message.model_dump(mode="json", exclude={"conversation"}, exclude_defaults=True)
