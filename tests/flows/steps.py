"""Compiled workflows without conversations, whose steps a test can hold up and break."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta

from pydantic import Field
from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from signals.run import RunSoFar
from signals.wire import Wire
from workflows.compiled import compiled, step
from workflows.compiled.step import Repeat

LIMIT = timedelta(seconds=20)
ONCE = RetryPolicy(maximum_attempts=1)


class Trip(Wire):
    """The input of the workflows here."""

    place: str
    slow: tuple[str, ...] = ()
    """The steps that wait until the test lets them go."""

    broken: tuple[str, ...] = ()
    """The steps that fail."""

    minutes: int = 30


class Booking(Wire):
    """What is asked of the activity."""

    trip: Trip
    what: str


class Booked(Wire):
    """What it answers."""

    what: str


class Transfer(Wire):
    """A model with a rule."""

    minutes: int = Field(gt=0)


class Itinerary(Wire):
    """The result."""

    place: str
    bookings: tuple[str, ...]
    transfer: Transfer


class Agency:
    """The activities; a test opens the gates that slow steps wait at."""

    def __init__(self) -> None:
        self._gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._calls: defaultdict[str, list[str]] = defaultdict(list)
        self._sold_out: set[str] = set()

    def let_go(self, run: str, what: str) -> None:
        """Let a slow step of a run go on."""
        self._gates[f"{run}/{what}"].set()

    def sell_out(self, run: str, what: str) -> None:
        """From now on it can't be had by a run."""
        self._sold_out.add(f"{run}/{what}")

    def calls(self, run: str) -> list[str]:
        """What was booked for a run, or tried, in order."""
        return self._calls[run]

    def let_all_go(self) -> None:
        """Let every step go on that still waits."""
        for gate in self._gates.values():
            gate.set()

    @activity.defn
    async def book(self, booking: Booking) -> Booked:
        """Book something, at once or when the test says so."""
        run = activity.info().workflow_id
        self._calls[run or ""].append(booking.what)
        if booking.what in booking.trip.slow:
            await asyncio.wait_for(self._gates[f"{run}/{booking.what}"].wait(), LIMIT.total_seconds())
        if booking.what in booking.trip.broken or f"{run}/{booking.what}" in self._sold_out:
            raise ApplicationError(f"no {booking.what} to be had", {"place": booking.trip.place}, type="SoldOut")
        return Booked(what=f"{booking.what} to {booking.trip.place}")

    @property
    def activities(self) -> list[Callable[..., object]]:
        """What a worker registers."""
        return [self.book]


async def book(trip: Trip, what: str) -> Booked:
    """Call the activity; a step's body."""
    return await workflow.execute_activity_method(
        Agency.book, Booking(trip=trip, what=what), start_to_close_timeout=LIMIT, retry_policy=ONCE, summary=what
    )


@compiled
class TripPlan:
    """Plan a trip."""

    @step
    async def flight(self, request: Trip) -> Booked:
        """Book a flight."""
        return await book(request, "flight")

    @step
    async def hotel(self, request: Trip) -> Booked:
        """Book a hotel."""
        return await book(request, "hotel")

    @step
    async def ride(self, request: Trip, flight: Booked) -> Transfer:
        """Book a ride from the airport."""
        await book(request, "ride")
        return Transfer(minutes=request.minutes)

    @step(result=True)
    def itinerary(self, request: Trip, flight: Booked, hotel: Booked, ride: Transfer) -> Itinerary:
        """Put it together."""
        return Itinerary(place=request.place, bookings=(flight.what, hotel.what), transfer=ride)

    @step
    async def notice(self, request: Trip, itinerary: Itinerary) -> None:
        """Tell the traveller."""
        await book(request, "notice")


@compiled
class Pair:
    """Two steps that end at the same moment, one of them badly."""

    def forget(self, good: int) -> None:
        """Take back what `good` did."""

    @step
    def bad(self, request: Trip) -> int:
        """End badly."""
        raise ApplicationError("bad luck", type="BadLuck", non_retryable=True)

    @step(compensation=forget)
    def good(self, request: Trip) -> int:
        """End well."""
        return request.minutes

    @step(result=True)
    def total(self, good: int, bad: int) -> int:
        """Add up."""
        return good + bad


@compiled
class Voyage:
    """Steps that can be taken back, and one that can be gone back to."""

    async def no_ship(self, request: Trip) -> None:
        """Take back what `ship` did."""
        await book(request, "no ship")

    async def no_cabin(self, request: Trip, cabin: Booked) -> None:
        """Take back what `cabin` did."""
        await book(request, "no cabin")

    @step(compensation=no_ship, checkpoint=True)
    async def ship(self, request: Trip) -> Booked:
        """Book a ship."""
        return await book(request, "ship")

    @step(compensation=no_cabin)
    async def cabin(self, request: Trip, ship: Booked) -> Booked:
        """Book a cabin."""
        return await book(request, "cabin")

    @step(result=True)
    async def paid(self, request: Trip, cabin: Booked) -> Booked:
        """Pay."""
        return await book(request, "payment")


def is_far(request: Trip) -> bool:
    """Tell whether it takes longer than an hour."""
    return request.minutes > 60


def is_enough(rides: int, request: Trip) -> bool:
    """Tell whether half an hour for each ride is enough."""
    return rides * 30 >= request.minutes


@compiled
class Tour:
    """A conditional step and a repeated one."""

    @step(when=is_far)
    async def hotel(self, request: Trip) -> Booked:
        """Book a hotel, if it is far."""
        return await book(request, "hotel")

    @step(repeat=Repeat(until=is_enough, most=5))
    def rides(self, request: Trip, previous: int | None = None) -> int:
        """Ride once more."""
        return (previous or 0) + 1

    @step(result=True)
    def summary(self, hotel: Booked | None, rides: int, run: RunSoFar) -> str:
        """Say it in a line."""
        return f"{run.id}: {hotel.what if hotel else 'no hotel'}, {rides} rides"


FLOWS: list[type] = [TripPlan, Pair, Voyage, Tour]
