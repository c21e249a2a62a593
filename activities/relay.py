"""What a workflow can't do itself: pass messages on to its conversation as updates, ask another run for a result."""

from datetime import timedelta
from typing import Final, cast

from pydantic import JsonValue
from temporalio import activity
from temporalio.client import Client, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from signals.context import Artefact
from signals.errors import ErrorType
from signals.messages import Answer, MessageTo
from signals.names import update_name
from workflows.compiled.stubs import Relay

RPC_TIMEOUT: Final = timedelta(seconds=8)
"""Below the activity's own time limit, so that its error says what was slow."""


class RelayActivities(Relay):
    """Sends updates through Temporal's client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name="pass_on")
    async def pass_on(self, message: MessageTo) -> Answer:
        """Send a message to a conversation as an update.

        Raises:
            ApplicationError: The conversation doesn't accept it, or has ended; not retryable.
        """
        info = activity.info()
        conversation = self._client.get_workflow_handle(message.conversation)
        try:
            answer: Answer = await conversation.execute_update(
                update_name(message.signal),
                message.message,
                # A second try finds the update that the first one made.
                id=f"{info.workflow_run_id}/{info.activity_id}",
                result_type=Answer,
                rpc_timeout=RPC_TIMEOUT,
            )
            return answer
        except WorkflowUpdateFailedError as error:
            if isinstance(error.cause, ApplicationError):
                raise ApplicationError(error.cause.message, type=error.cause.type, non_retryable=True) from None
            raise
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            reason = f"conversation {message.conversation!r} has ended"
            raise ApplicationError(reason, type=ErrorType.CONVERSATION_CLOSED, non_retryable=True) from None

    @activity.defn(name="fetch_result")
    async def fetch_result(self, artefact: Artefact) -> JsonValue:
        """Ask a run for the whole result of a step.

        Raises:
            ApplicationError: It is gone; not retryable.
        """
        run = self._client.get_workflow_handle(artefact.workflow_id, run_id=artefact.run_id)
        try:
            return cast(JsonValue, await run.query("result_of", artefact.name, rpc_timeout=RPC_TIMEOUT))
        except WorkflowQueryFailedError as error:
            reason = f"run {artefact.workflow_id!r} has no result of step {artefact.name!r}: {error}"
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            reason = f"run {artefact.workflow_id!r} is gone, and with it the result of step {artefact.name!r}"
        raise ApplicationError(reason, type=ErrorType.MISSING_CONTEXT, non_retryable=True) from None
