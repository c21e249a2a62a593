"""Pinning: a run asks once what it depends on, and keeps to the answer, which is in its history."""

from abc import ABC, abstractmethod

from temporalio import activity, workflow
from temporalio.exceptions import ActivityError, ApplicationError

from signals.errors import ErrorType
from signals.settings import Pinned, PinRequest
from workflows.options import AT_HAND


class Pinning(ABC):
    """Says what a run depends on beside its input."""

    @activity.defn(name="pin")
    @abstractmethod
    async def pin(self, request: PinRequest) -> Pinned:
        """Say what holds now.

        Raises:
            ApplicationError: `InvalidInput`, not retryable: the run names something that there isn't.
        """


async def pin(request: PinRequest) -> Pinned:
    """Ask what the run depends on: once, when it begins. It costs one event, and no way to the server.

    Raises:
        ApplicationError: `InvalidInput`: the run names something that there isn't.
    """
    try:
        return await workflow.execute_local_activity_method(
            Pinning.pin, request, summary="what holds for this run?", **AT_HAND
        )
    except ActivityError as error:
        if isinstance(error.cause, ApplicationError) and error.cause.type == ErrorType.INVALID_INPUT:
            raise ApplicationError(error.cause.message, type=error.cause.type, non_retryable=True) from None
        raise
