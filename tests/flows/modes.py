"""Small compiled workflows that change their mode, and conversation points of every kind."""

from signals.modes import Mode
from signals.participants import Kind, Participant, Permission
from tests.flows.points import Choice, Wish, seat_at, setup_for
from tests.flows.steps import Booked, Trip, book
from workflows.compiled import compiled, step
from workflows.conversation.bounds import Guests
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import (
    Conditional,
    ConversationPoint,
    EndRun,
    Explicit,
    GoOnAt,
    Merge,
    Note,
    OnDemand,
    OnException,
    PointConstraints,
    Result,
    RetryWith,
    Switch,
)

BOB = Participant(
    id="bob", kind=Kind.HUMAN, role="agent", can=(Permission.SPEAK, Permission.DECIDE, Permission.MODERATE)
)


class Bill(Choice):
    """What a journey costs."""

    cost: int


@compiled
class Journey:
    """Book a journey, step by step."""

    @step
    async def flight(self, request: Trip) -> Booked:
        """Book a flight."""
        return await book(request, "flight")

    async def give_back(self, request: Trip) -> None:
        """Give a room back."""
        await book(request, "no room")

    @step(checkpoint=True, compensation=give_back)
    async def room(self, request: Trip, flight: Booked) -> Booked:
        """Book a room."""
        return await book(request, "room")

    @step
    async def tickets(self, request: Trip, room: Booked) -> Booked:
        """Book tickets."""
        return await book(request, "tickets")

    @step(result=True)
    def all_of_it(self, flight: Booked, room: Booked, tickets: Booked) -> list[str]:
        """Say what was booked."""
        return [flight.what, room.what, tickets.what]


class Guess(Choice):
    """A place that somebody may mean."""

    confidence: float


@compiled
class Guessing:
    """Guess where somebody wants to go."""

    @step
    def guess(self, request: Wish) -> Guess:
        """Guess; of a short wish it can't be sure."""
        return Guess(place=request.place, confidence=0.9 if len(request.place) > 4 else 0.4)

    @step(result=True)
    def place(self, guess: Guess) -> str:
        """Say it."""
        return guess.place


def is_refused(request: Wish) -> bool:
    """Whether the place is known not to be had."""
    return request.place in request.refused


def is_far(seat: Choice) -> bool:
    """Whether it is far away."""
    return seat.place == "Far"


@compiled
class Condition:
    """Conversations by what is so, before the body and after it, in the order in which they stand."""

    @step(
        result=True,
        talk=(
            ConversationPoint("before", setup_for, Conditional(is_refused), RetryWith("choice")),
            ConversationPoint("after", setup_for, Conditional(is_far), Result()),
        ),
    )
    def seat(self, request: Wish, choice: Choice | None = None) -> Choice:
        """Take a seat."""
        return seat_at(choice.place if choice else request.place, request)


def helped(request: Wish) -> ConversationSetup:
    """Whoever asks may come in."""
    return setup_for(request).model_copy(update={"guests": Guests()})


@compiled(talk=ConversationPoint("help", helped, OnDemand("ann", "agent"), Note()))
class Asked:
    """Conversations that somebody asks for: about a step, and about the run."""

    @step
    async def tea(self, request: Wish) -> Booked:
        """Make tea."""
        return await book(Trip(place=request.place, slow=request.slow), "tea")

    @step(result=True, talk=ConversationPoint("seat", setup_for, OnDemand("bob"), RetryWith("choice")))
    def seat(self, request: Wish, tea: Booked, choice: Choice | None = None) -> Choice:
        """Take a seat."""
        return choice or Choice(place=request.place)


def refusing(request: Wish) -> bool:
    """Whether anything is refused."""
    return bool(request.refused)


def both(request: Wish, place: str, nights: int) -> bool:
    """Whether both results are there to be talked about."""
    return bool(request.refused)


@compiled(talk=ConversationPoint("look", setup_for, Conditional(both), Merge("place", "nights")))
class Merged:
    """People look at two results at once, and may change both."""

    @step
    def place(self, request: Wish) -> str:
        """Say where to."""
        return request.place

    @step
    def nights(self, request: Wish) -> int:
        """Say how long."""
        return 1

    @step
    async def tea(self, request: Wish) -> Booked:
        """Make tea; it takes long."""
        return await book(Trip(place=request.place, slow=request.slow), "tea")

    @step(result=True)
    def choice(self, place: str, nights: int, tea: Booked) -> Choice:
        """Put it together."""
        return Choice(place=place, nights=nights)


@compiled
class Noted:
    """A conversation whose outcome changes nothing."""

    @step(result=True, talk=ConversationPoint("why", setup_for, OnException("SoldOut"), Note()))
    def seat(self, request: Wish) -> Choice:
        """Take a seat."""
        return seat_at(request.place, request)


@compiled
class Rewound:
    """A conversation that has the run go on at an earlier step, with another result."""

    @step
    def place(self, request: Wish) -> str:
        """Say where to."""
        return request.place

    @step
    async def flight(self, request: Wish, place: str) -> Booked:
        """Book it."""
        return await book(Trip(place=place), "flight")

    @step(talk=ConversationPoint("elsewhere", setup_for, OnException("SoldOut"), GoOnAt("flight", "place")))
    def seat(self, request: Wish, place: str, flight: Booked) -> Choice:
        """Take a seat."""
        return seat_at(place, request)

    @step(result=True)
    def told(self, seat: Choice, flight: Booked) -> list[str]:
        """Say it."""
        return [seat.place, flight.what]


@compiled
class Skipping:
    """A conversation that has the run leave steps out."""

    @step(talk=ConversationPoint("skip", setup_for, OnException("SoldOut"), GoOnAt("told")))
    def seat(self, request: Wish) -> Choice:
        """Take a seat."""
        return seat_at(request.place, request)

    @step
    async def tea(self, seat: Choice) -> Booked:
        """Make tea, there."""
        return await book(Trip(place=seat.place), "tea")

    @step(result=True)
    def told(self, tea: Booked | None, seat: Choice | None) -> str:
        """Say what there was."""
        return tea.what if tea else "nothing"


@compiled(talk=ConversationPoint("stop", setup_for, OnException("SoldOut"), EndRun()))
class Ended:
    """A conversation that ends the run when anything fails."""

    @step
    async def tea(self, request: Wish) -> Booked:
        """Make tea; it takes long."""
        return await book(Trip(place=request.place, slow=request.slow), "tea")

    @step
    def seat(self, request: Wish) -> Choice:
        """Take a seat."""
        return seat_at(request.place, request)

    @step(result=True)
    def place(self, seat: Choice, tea: Booked) -> str:
        """Say where."""
        return seat.place


@compiled
class FallsBack:
    """A conversation without an outcome has people talk about the run, or the run go on by itself."""

    @step(
        talk=ConversationPoint(
            "seat",
            setup_for,
            OnException("SoldOut"),
            RetryWith("choice"),
            PointConstraints(fallback=Switch(Mode.CONVERSATION), most=1),
        )
    )
    def seat(self, request: Wish, choice: Choice | None = None) -> Choice:
        """Take a seat."""
        return seat_at(choice.place if choice else request.place, request)

    @step(
        talk=ConversationPoint(
            "tea", setup_for, Explicit(), RetryWith("leaf"), PointConstraints(fallback=Switch(Mode.WORKFLOW))
        )
    )
    def tea(self, request: Wish, seat: Choice, leaf: str | None = None) -> str:
        """Choose tea."""
        return leaf or "black"

    @step(result=True)
    def told(self, seat: Choice, tea: str) -> list[str]:
        """Say it."""
        return [seat.place, tea]


@compiled
class Scanned:
    """What goes in and out are bytes."""

    @step(result=True)
    def page(self, request: bytes) -> bytes:
        """Turn it round."""
        return request[::-1]


FLOWS: list[type] = [
    Journey, Guessing, Condition, Asked, Merged, Noted, Rewound, Skipping, Ended, FallsBack, Scanned,
]  # fmt: skip
