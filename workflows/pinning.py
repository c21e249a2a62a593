"""Pinning: a run asks once what it depends on, and keeps to the answer, which is in its history."""

from abc import ABC, abstractmethod

from temporalio import activity, workflow

from signals.settings import Pinned, PinRequest
from workflows.options import AT_HAND


class Pinning(ABC):
    """Says what a run depends on beside its input."""

    @activity.defn(name="pin")
    @abstractmethod
    async def pin(self, request: PinRequest) -> Pinned:
        """Say what holds now."""


async def pin(request: PinRequest) -> Pinned:
    """Ask what the run depends on: once, when it begins. It costs one event, and no way to the server."""
    return await workflow.execute_local_activity_method(Pinning.pin, request, **AT_HAND)
