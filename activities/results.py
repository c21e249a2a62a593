"""What became of workflows that somebody else than their parent waits for."""

import asyncio
from datetime import timedelta
from typing import Final

from pydantic import JsonValue
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.service import RPCError, RPCStatusCode

from signals.errors import ErrorType
from workflows.conversation.stubs import Results
from workflows.failures import told

PATIENCE: Final = 2.0
"""Seconds that a workflow is waited for at a time: the worker has other things to do."""

RPC_TIMEOUT: Final = timedelta(seconds=8)
"""Below the activity's own time limit, so that its error says what was slow."""


class WorkflowResults(Results):
    """Asks the server through Temporal's client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name="await_result")
    async def await_result(self, workflow_id: str) -> JsonValue:
        """Give a workflow's result.

        Raises:
            ApplicationError: The workflow failed: not retryable, with its own type. Or it isn't done: retryable.
        """
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            result: JsonValue = await asyncio.wait_for(handle.result(rpc_timeout=RPC_TIMEOUT), PATIENCE)
        except TimeoutError:
            raise ApplicationError("it isn't done", category=ApplicationErrorCategory.BENIGN) from None
        except WorkflowFailureError as error:
            kind, reason = told(error.cause)
            raise ApplicationError(reason, type=kind, non_retryable=True) from None
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            raise ApplicationError("it is gone", type="NotFound", non_retryable=True) from None
        if isinstance(result, RawValue | bytes):
            raise ApplicationError("its result isn't JSON", type=ErrorType.INVALID_INPUT, non_retryable=True)
        return result
