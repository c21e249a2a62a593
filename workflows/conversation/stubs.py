"""The activities that a conversation calls, as it sees them; `activities/` has what they do."""

from abc import ABC, abstractmethod

from temporalio import activity

from signals.assistant import Reply, ReplyRequest


class Assistant(ABC):
    """Speaks for AI participants."""

    @activity.defn(name="reply")
    @abstractmethod
    async def reply(self, request: ReplyRequest) -> Reply:
        """Say the next thing.

        Raises:
            ApplicationError: `AssistantFailed`, not retryable, when trying again would not help.
        """
