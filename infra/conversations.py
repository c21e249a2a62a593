"""Finding conversations on the server, and saying in one line why one can't be asked."""

from datetime import timedelta
from typing import Final

from pydantic import BaseModel
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from infra.errors import SetupError
from infra.printable import flat
from signals.names import WorkflowType
from signals.run import ConversationRecord

ANSWER_TIMEOUT: Final = timedelta(seconds=10)
"""How long the server, and a worker behind it, may take to answer."""


class _Held(BaseModel):
    """What the `progress` query of any run says about its conversations."""

    conversations: tuple[ConversationRecord, ...] = ()


async def conversation_of(client: Client, workflow_id: str, *, closed: bool = False) -> str:
    """Find the conversation that is meant: the workflow itself, or the only one that it has.

    Args:
        client: The connection to Temporal.
        workflow_id: A conversation, or a run that holds conversations.
        closed: Whether those of a run that have ended are meant as well.

    Returns:
        The workflow id of the conversation.

    Raises:
        SetupError: There is none, or there are several.
        RPCError: The server or the worker doesn't answer; see `unanswered`.
    """
    handle = client.get_workflow_handle(workflow_id)
    description = await handle.describe(rpc_timeout=ANSWER_TIMEOUT)
    if description.workflow_type == WorkflowType.CONVERSATION:
        return workflow_id
    what = f"'{workflow_id}' is a {flat(description.workflow_type)}"
    try:
        held: _Held = await handle.query("progress", result_type=_Held, rpc_timeout=ANSWER_TIMEOUT)
    except WorkflowQueryFailedError:
        raise SetupError(f"{what}, which holds no conversations") from None
    found = [record.id for record in held.conversations if closed or record.closed is None]
    match found:
        case [only]:
            return only
        case []:
            raise SetupError(f"{what} without {'a' if closed else 'an open'} conversation")
        case several:
            raise SetupError(f"{what} with several conversations, name one: {', '.join(several)}")


def unanswered(error: RPCError, client: Client, workflow_id: str) -> SetupError:
    """Say why nothing is known of a workflow."""
    match error.status:
        case RPCStatusCode.NOT_FOUND:
            return SetupError(f"there is no '{workflow_id}' in the namespace '{client.namespace}'")
        case RPCStatusCode.DEADLINE_EXCEEDED | RPCStatusCode.CANCELLED:
            return SetupError(f"no worker answers for '{workflow_id}': start one that serves its task queue")
        case _:
            return SetupError(f"'{workflow_id}': {flat(error.message)}")
