"""The activities that every run may call, as it sees them; `activities/` has what they do."""

from abc import ABC, abstractmethod

from temporalio import activity

from signals.messages import Answer, MessageTo


class Relay(ABC):
    """Passes on what a workflow can't itself: one workflow may signal another, but not update it."""

    @activity.defn(name="pass_on")
    @abstractmethod
    async def pass_on(self, message: MessageTo) -> Answer:
        """Send a message to a conversation as an update.

        Raises:
            ApplicationError: The conversation doesn't accept it; not retryable, with the conversation's own type.
        """
