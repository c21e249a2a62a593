"""The activities that a conversation calls, as it sees them; `activities/` has what they do."""

from abc import ABC, abstractmethod

from pydantic import JsonValue
from temporalio import activity

from signals.assistant import Consultation, Finding, Reply, ReplyRequest
from signals.notices import Told, Waiting


class Assistant(ABC):
    """Speaks for AI participants."""

    @activity.defn(name="reply")
    @abstractmethod
    async def reply(self, request: ReplyRequest) -> Reply:
        """Say the next thing.

        Raises:
            ApplicationError: `AssistantFailed`, not retryable, when trying again would not help.
        """


class Adviser(ABC):
    """Answers questions about a conversation: who is to speak, whether something is so, what was said."""

    @activity.defn(name="consult")
    @abstractmethod
    async def consult(self, consultation: Consultation) -> Finding:
        """Answer a question about a conversation.

        Raises:
            ApplicationError: `AssistantFailed`, not retryable, when trying again would not help.
        """


class Results(ABC):
    """Says what became of workflows that an earlier run of a conversation started."""

    @activity.defn(name="await_result")
    @abstractmethod
    async def await_result(self, workflow_id: str) -> JsonValue:
        """Give a workflow's result.

        Raises:
            ApplicationError: The workflow failed: not retryable, with its own type. Or it isn't done: retryable, so
                that it keeps no worker busy meanwhile.
        """


class Notifier(ABC):
    """Tells people, outside the conversation, that it waits for them."""

    @activity.defn(name="notify")
    @abstractmethod
    async def notify(self, waiting: Waiting) -> Told:
        """Tell them.

        Raises:
            ApplicationError: `InvalidInput`, not retryable, when a webhook refuses it for good.
        """
