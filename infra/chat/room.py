"""A conversation on the server, as one of its participants sees it: what is asked of it, and what is sent to it."""

import asyncio
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import uuid4

from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import QueryRejectCondition
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from infra.conversations import ANSWER_TIMEOUT
from infra.printable import flat
from infra.signing import Signer
from signals.conversation import ConversationResult, Ended, Status, Transcript
from signals.messages import Answer, Message
from signals.names import update_name
from signals.wire import Wire
from workflows.conversation.routing import seen_by

TRIES: Final = 3
"""How often a message is sent that isn't answered; it has an id of its own, and counts once."""

PAUSE_SECONDS: Final = 0.2

T = TypeVar("T", bound=Wire)


class RefusedError(Exception):
    """A message is not accepted; the text is the reason."""


class UnansweredError(Exception):
    """Nobody answers now; the text says why, as far as it is known."""


class OverError(Exception):
    """The conversation has ended, and answers no more queries."""


@dataclass(frozen=True)
class End:
    """What is left of a conversation that has ended."""

    transcript: Transcript
    """The last messages, as far as the participant was given them."""

    ended: Ended | None
    """How it ended; nothing where it didn't end by itself."""

    fault: str = ""
    """What happened then."""


class Room:
    """A conversation.

    Args:
        client: The connection to Temporal.
        conversation: Its workflow id.
        speaker: Who looks at it, and speaks in it.
        signer: Signs what they send; nothing does where there is none.
    """

    def __init__(self, client: Client, conversation: str, speaker: str, signer: Signer | None = None) -> None:
        self.conversation = conversation
        self.speaker = speaker
        self.signer = signer
        self._handle = client.get_workflow_handle(conversation, result_type=ConversationResult)

    async def status(self) -> Status:
        """Where it stands; see `_ask` for the errors."""
        return await self._ask(Status, "status")

    async def transcript(self) -> Transcript:
        """The latest messages that the participant was given."""
        return await self._ask(Transcript, "transcript", self.speaker)

    async def end(self) -> End:
        """Wait for its result, for it is about to end or has ended.

        Raises:
            UnansweredError: There is no result yet.
        """
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
                result = await self._handle.result(rpc_timeout=ANSWER_TIMEOUT)
        except (TimeoutError, RPCError) as error:
            raise UnansweredError(flat(str(error)) or "the conversation is about to end") from error
        except WorkflowFailureError as error:
            nothing = Transcript(conversation=self.conversation, participant=self.speaker, messages=())
            return End(nothing, None, flat(str(error.cause)))
        ended = Ended(
            stop=result.stop,
            at=result.ended,
            reason=result.reason,
            outcome=result.outcome,
            decided_by=result.decided_by,
            evidence=result.evidence,
        )
        transcript = Transcript(
            conversation=self.conversation,
            participant=self.speaker,
            messages=seen_by(result.last_messages, self.speaker),
            omitted=result.messages - len(result.last_messages),
        )
        return End(transcript, ended)

    async def send(self, message: Message) -> Answer:
        """Send a message, again if it isn't answered.

        Raises:
            RefusedError: It is not accepted.
            UnansweredError: Nobody answers.
        """
        update = str(uuid4())
        if self.signer is not None:
            try:
                message = self.signer.sign(self.conversation, message)
            except ValueError as error:
                raise RefusedError(f"it can't be signed: {error}") from error
        for last in (*[False] * (TRIES - 1), True):
            try:
                return await self._submit(message, update)
            except UnansweredError:
                if last:
                    raise
            await asyncio.sleep(PAUSE_SECONDS)
        raise AssertionError("the last try gives or raises")

    async def _submit(self, message: Message, update: str) -> Answer:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
                answer: Answer = await self._handle.execute_update(
                    update_name(message.signal), message, id=update, result_type=Answer, rpc_timeout=ANSWER_TIMEOUT
                )
                return answer
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            reason = cause.message if isinstance(cause, ApplicationError) else str(cause)
            raise RefusedError(flat(reason)) from error
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
            raise UnansweredError("no worker answers; it may still arrive") from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise RefusedError("the conversation has ended") from error
            raise UnansweredError(flat(error.message)) from error

    async def _ask(self, model: type[T], query: str, *inputs: str) -> T:
        """Ask the conversation, which writes nothing into its history.

        Raises:
            OverError: It has ended.
            UnansweredError: There is no answer.
        """
        try:
            answer: T = await self._handle.query(
                query,
                args=inputs,
                result_type=model,
                # Of one that has ended, all of its history would be replayed for an answer.
                reject_condition=QueryRejectCondition.NOT_OPEN,
                rpc_timeout=ANSWER_TIMEOUT,
            )
            return answer
        except WorkflowQueryRejectedError as error:
            if error.status is WorkflowExecutionStatus.CONTINUED_AS_NEW:
                raise UnansweredError("it is just going on in a new run") from error
            raise OverError from error
        except WorkflowQueryFailedError as error:
            raise UnansweredError(flat(str(error))) from error
        except RPCError as error:
            if error.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
                raise UnansweredError("no worker answers: is one running that serves its task queue?") from error
            raise UnansweredError(flat(error.message)) from error
