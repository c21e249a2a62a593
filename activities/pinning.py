"""What a run is told when it begins: the settings of the worker that begins it, and the fragments that it has."""

from collections.abc import Callable, Mapping, Sequence

from temporalio import activity
from temporalio.exceptions import ApplicationError

from signals.errors import ErrorType
from signals.fragments import FragmentOffer
from signals.settings import Pinned, PinRequest, Settings
from workflows.composition.registry import known
from workflows.pinning import Pinning

Expect = Callable[[Sequence[str | None]], None]
"""Takes the language models that may be asked before long; null is the worker's own."""


class WorkerPinning(Pinning):
    """Answers from what the worker was started with.

    Args:
        settings: What holds.
        fragments: The fragments that there are, by name.
        expect: Makes language models ready beside everything else; without it each is when it is first asked.
    """

    def __init__(
        self, settings: Settings, fragments: Mapping[str, FragmentOffer], expect: Expect | None = None
    ) -> None:
        self._settings = settings
        self._fragments = fragments
        self._expect = expect

    @activity.defn(name="pin")
    async def pin(self, request: PinRequest) -> Pinned:
        """Say what holds now; nothing is waited for.

        Raises:
            ApplicationError: `InvalidInput`, not retryable: there is no such fragment.
        """
        if self._expect:
            self._expect(request.models)
        for place, name in request.fragments.items():
            if name not in self._fragments:
                reason = f"{place}: there is no fragment {name!r}; {known(self._fragments, name)}"
                raise ApplicationError(reason, type=ErrorType.INVALID_INPUT, non_retryable=True)
        return Pinned(
            settings=self._settings, fragments=tuple(self._fragments[name] for name in request.fragments.values())
        )
