"""What a run is told when it begins: the settings of the worker that begins it."""

from temporalio import activity

from signals.settings import Pinned, PinRequest, Settings
from workflows.pinning import Pinning


class WorkerPinning(Pinning):
    """Answers from what the worker was started with."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @activity.defn(name="pin")
    async def pin(self, request: PinRequest) -> Pinned:
        """Say what holds now."""
        return Pinned(settings=self._settings)
