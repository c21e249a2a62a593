"""What a run is told when it begins: the settings of the worker that begins it, and the fragments that it has."""

from collections.abc import Mapping

from temporalio import activity
from temporalio.exceptions import ApplicationError

from signals.errors import ErrorType
from signals.fragments import FragmentOffer
from signals.settings import Pinned, PinRequest, Settings
from workflows.composition.registry import known
from workflows.pinning import Pinning


class WorkerPinning(Pinning):
    """Answers from what the worker was started with."""

    def __init__(self, settings: Settings, fragments: Mapping[str, FragmentOffer]) -> None:
        self._settings = settings
        self._fragments = fragments

    @activity.defn(name="pin")
    async def pin(self, request: PinRequest) -> Pinned:
        """Say what holds now.

        Raises:
            ApplicationError: `InvalidInput`, not retryable: there is no such fragment.
        """
        for place, name in request.fragments.items():
            if name not in self._fragments:
                reason = f"{place}: there is no fragment {name!r}; {known(self._fragments, name)}"
                raise ApplicationError(reason, type=ErrorType.INVALID_INPUT, non_retryable=True)
        return Pinned(
            settings=self._settings, fragments=tuple(self._fragments[name] for name in request.fragments.values())
        )
