"""The conversation, for workers whose versions are told apart: it ends on the version that it began on.

It is a class of its own, for the server refuses what says so from a worker without a version.
"""

from temporalio import workflow
from temporalio.common import VersioningBehavior

from signals.conversation import ConversationResult
from signals.names import WorkflowType
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import ConversationState
from workflows.conversation.workflow import Conversation


@workflow.defn(name=WorkflowType.CONVERSATION, versioning_behavior=VersioningBehavior.PINNED)
class PinnedConversation(Conversation):
    """People and AI participants talk until an outcome emerges, or the time is up."""

    @workflow.run
    async def run(self, setup: ConversationSetup, carried: ConversationState | None = None) -> ConversationResult:
        """Hold the conversation."""
        return await super().run(setup, carried)
