"""The activities that every run may call, as it sees them; `activities/` has what they do."""

from abc import ABC, abstractmethod

from pydantic import JsonValue
from temporalio import activity, workflow

from signals.context import Artefact
from signals.messages import Answer, MessageTo
from workflows.options import QUICK


class Relay(ABC):
    """Passes on what a workflow can't itself: one workflow may signal another, but not update it."""

    @activity.defn(name="pass_on")
    @abstractmethod
    async def pass_on(self, message: MessageTo) -> Answer:
        """Send a message to a conversation as an update.

        Raises:
            ApplicationError: The conversation doesn't accept it; not retryable, with the conversation's own type.
        """

    @activity.defn(name="fetch_result")
    @abstractmethod
    async def fetch_result(self, artefact: Artefact) -> JsonValue:
        """Ask a run for the whole result of a step.

        Raises:
            ApplicationError: It is gone; not retryable.
        """


async def fetch(artefact: Artefact) -> JsonValue:
    """Fetch a result that a context names and doesn't carry."""
    summary = f"fetch the result of '{artefact.name}'"
    return await workflow.execute_activity_method(Relay.fetch_result, artefact, summary=summary, **QUICK)
