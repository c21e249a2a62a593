"""Small workflows that tests of the strict boundary send bad input to."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pydantic import Field
from temporalio import activity, workflow
from temporalio.common import RawValue, RetryPolicy

from signals.wire import Wire

ONCE = RetryPolicy(maximum_attempts=1)
LIMIT = timedelta(seconds=10)


class Parcel(Wire):
    """What the workflows here take."""

    id: str
    weight: int = Field(gt=0)


@activity.defn
def fill(weight: int) -> str:
    """Answer as many letters as the weight."""
    return "x" * weight


@activity.defn
def weigh(parcel: Parcel | str) -> int:
    """Answer the weight."""
    return parcel.weight if isinstance(parcel, Parcel) else len(parcel)


@workflow.defn
class Ship:
    """Takes one input."""

    @workflow.run
    async def run(self, parcel: Parcel) -> str:
        """Say what it was given."""
        return f"shipped {parcel.id}"


@workflow.defn
class ShipSoon:
    """Takes a second input that may be left out."""

    @workflow.run
    async def run(self, parcel: Parcel, days: int = 3) -> str:
        """Say what it was given."""
        return f"shipped {parcel.id} in {days}"


@workflow.defn
class Sweep:
    """Takes nothing."""

    @workflow.run
    async def run(self) -> str:
        """Say that it ran."""
        return "swept"


@workflow.defn
class Keep:
    """Takes any one input."""

    @workflow.run
    async def run(self, thing: Any) -> str:
        """Say what kind of thing it was given."""
        return type(thing).__name__


@workflow.defn
class Depot:
    """Takes messages until it is closed, and gives what it got."""

    def __init__(self) -> None:
        self._got: list[str] = []
        self._closed = False

    @workflow.run
    async def run(self) -> list[str]:
        """Wait for the end."""
        await workflow.wait_condition(lambda: self._closed)
        return self._got

    @workflow.signal
    def typed(self, parcel: Parcel) -> None:
        """Take a parcel."""
        self._got.append(parcel.id)

    @workflow.signal
    def anything(self, *payloads: object) -> None:
        """Take whatever comes."""
        raw = ", ".join("raw" if isinstance(payload, RawValue) else str(payload) for payload in payloads)
        self._got.append(f"[{raw}]")

    @workflow.signal
    async def typed_later(self, parcel: Parcel) -> None:
        """Take a parcel, in an async handler."""
        self._got.append(parcel.id)

    @workflow.update
    async def store_later(self, parcel: Parcel) -> str:
        """Take a parcel, in an async handler."""
        self._got.append(parcel.id)
        return parcel.id

    @workflow.query
    def has(self, name: str) -> bool:
        """Tell whether a parcel is there."""
        return name in self._got

    @workflow.update
    def store(self, parcel: Parcel) -> str:
        """Take a parcel, without a validator."""
        self._got.append(parcel.id)
        return parcel.id

    @workflow.update
    def store_checked(self, parcel: Parcel) -> str:
        """Take a parcel, with a validator."""
        self._got.append(parcel.id)
        return parcel.id

    @store_checked.validator
    def _check(self, parcel: Parcel) -> None:
        assert parcel.weight

    @workflow.signal
    def close(self) -> None:
        """End it."""
        self._closed = True


@workflow.defn
class Fill:
    """Sends and receives too much, in the way that its input names."""

    @workflow.run
    async def run(self, way: str, size: int) -> str:
        """Make a text of `size` letters and send it that way."""
        match way:
            case "activity input":
                await workflow.execute_activity(weigh, "x" * size, start_to_close_timeout=LIMIT)
            case "activity result":
                await workflow.execute_activity(fill, size, start_to_close_timeout=LIMIT)
            case "continue as new":
                workflow.continue_as_new(args=["x" * size, size])
        return "x" * size


@workflow.defn
class Mistaken:
    """Expects of an activity what it doesn't give, or gives it what it doesn't take."""

    @workflow.run
    async def run(self, way: str) -> None:
        """Make that mistake."""
        if way == "input":
            await workflow.execute_activity(
                "weigh", {"id": "P-1", "weight": -1}, start_to_close_timeout=LIMIT, retry_policy=ONCE
            )
        await workflow.execute_activity("fill", 3, result_type=Parcel, start_to_close_timeout=LIMIT)


FLOWS: list[type] = [Ship, ShipSoon, Sweep, Keep, Depot, Fill, Mistaken]
ACTIVITIES: list[Callable[..., object]] = [fill, weigh]
