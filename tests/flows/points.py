"""Small compiled workflows with conversation points."""

from decimal import Decimal

from pydantic import Field
from temporalio.exceptions import ApplicationError

from signals.participants import Kind, Participant, Permission
from signals.wire import Wire
from tests.flows.steps import Booked, Trip, book
from workflows.compiled import compiled, step
from workflows.conversation.bounds import Constraints
from workflows.conversation.coordination import FreeForm
from workflows.conversation.emergence import Decision
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import ConversationPoint, Default, Explicit, OnException, PointConstraints, RetryWith, StepError


class Wish(Wire):
    """The input of the workflows here."""

    place: str = "Rome"
    refused: tuple[str, ...] = ()
    """The places that can't be had."""

    error: str = "SoldOut"
    """The type of the error that says so."""

    seconds: float = 600
    """How long a conversation may take."""

    slow: tuple[str, ...] = ()
    """The steps that wait until the test lets them go."""

    topic: str = "Where to?"
    key: str | None = None
    """Bob's key."""


class Choice(Wire):
    """What a conversation decides."""

    place: str
    nights: int = Field(default=1, ge=1)


def setup_for(request: Wish) -> ConversationSetup:
    """Ann and Bob talk; Bob decides."""
    decider = (Permission.SPEAK, Permission.DECIDE, Permission.MODERATE)
    return ConversationSetup(
        topic=request.topic,
        participants=(
            Participant(id="ann", kind=Kind.HUMAN, role="traveller"),
            Participant(id="bob", kind=Kind.HUMAN, role="agent", can=decider, key=request.key),
        ),
        coordination=FreeForm(),
        emergence=(Decision(),),
        constraints=Constraints(timeout_seconds=request.seconds),
    )


def with_error(request: Wish, error: StepError, expert: Booked) -> ConversationSetup:
    """Talk about what went wrong, with an expert's advice."""
    facts = {"error": error.message, "expert": expert.what, **error.details}
    return setup_for(request).model_copy(update={"topic": error.message, "facts": facts})


def seat_at(place: str, request: Wish) -> Choice:
    """Take a place, if it can be had."""
    if place in request.refused:
        facts = {"place": place, "price": Decimal("9.50")}
        raise ApplicationError(f"{place} can't be had", facts, type=request.error, non_retryable=True)
    return Choice(place=place)


@compiled
class Consult:
    """The conversation is the step."""

    @step(result=True, talk=ConversationPoint("choice", setup_for))
    def choice(self, request: Wish) -> Choice:
        """Let people choose."""
        raise NotImplementedError


@compiled
class Brief:
    """The conversation comes before the step's body."""

    @step(
        result=True,
        talk=ConversationPoint(
            "nights", setup_for, Explicit(), RetryWith("nights"), PointConstraints(fallback=Default(7))
        ),
    )
    def choice(self, request: Wish, nights: int | None = None) -> Choice:
        """Let people say how long."""
        return Choice(place=request.place, nights=nights or 1)


@compiled
class Rebook:
    """A step that fails is tried again with what people choose."""

    @step
    async def expert(self, request: Wish) -> Booked:
        """Ask somebody who knows."""
        return await book(Trip(place=request.place, slow=request.slow), "expert")

    @step(
        result=True,
        talk=ConversationPoint(
            "seat",
            with_error,
            OnException("SoldOut"),
            RetryWith("choice"),
            PointConstraints(fallback=Default({"place": "home"}), most=2),
        ),
    )
    def seat(self, request: Wish, choice: Choice | None = None) -> Choice:
        """Take a seat."""
        return seat_at(choice.place if choice else request.place, request)


@compiled
class Replace:
    """A step that fails gives what people choose instead."""

    @step(
        result=True,
        talk=ConversationPoint(
            "seat", setup_for, OnException("SoldOut", "Closed"), constraints=PointConstraints(most=1)
        ),
    )
    def seat(self, request: Wish) -> Choice:
        """Take a seat."""
        return seat_at(request.place, request)


@compiled
class Hall:
    """Two conversations, and a step that has nothing to do with them."""

    @step(talk=ConversationPoint("left", setup_for))
    def left(self, request: Wish) -> Choice:
        """Let people choose."""
        raise NotImplementedError

    @step(talk=ConversationPoint("right", setup_for))
    def right(self, request: Wish) -> Choice:
        """Let others choose."""
        raise NotImplementedError

    @step
    async def tea(self, request: Wish) -> Booked:
        """Make tea."""
        return await book(Trip(place=request.place, slow=request.slow), "tea")

    @step
    async def cup(self, request: Wish, tea: Booked) -> Booked:
        """Pour it."""
        return await book(Trip(place=request.place, slow=request.slow), "cup")

    @step(result=True)
    def places(self, left: Choice, right: Choice, cup: Booked) -> list[str]:
        """Say where to."""
        return [left.place, right.place]


@compiled
class Market:
    """Five conversations at the same time."""

    @step(talk=ConversationPoint("stall1", setup_for))
    def one(self, request: Wish) -> Choice:
        """Let people choose."""
        raise NotImplementedError

    @step(talk=ConversationPoint("stall2", setup_for))
    def two(self, request: Wish) -> Choice:
        """Let people choose."""
        raise NotImplementedError

    @step(talk=ConversationPoint("stall3", setup_for))
    def three(self, request: Wish) -> Choice:
        """Let people choose."""
        raise NotImplementedError

    @step(talk=ConversationPoint("stall4", setup_for))
    def four(self, request: Wish) -> Choice:
        """Let people choose."""
        raise NotImplementedError

    @step(talk=ConversationPoint("stall5", setup_for))
    def five(self, request: Wish) -> Choice:
        """Let people choose."""
        raise NotImplementedError

    @step(result=True)
    def places(self, one: Choice, two: Choice, three: Choice, four: Choice, five: Choice) -> list[str]:
        """Say where to."""
        return [one.place, two.place, three.place, four.place, five.place]


def at_table(request: Wish, table: Booked) -> ConversationSetup:
    """Talk at a table."""
    return setup_for(request).model_copy(update={"facts": {"table": table.what}})


@compiled
class Dinner:
    """A conversation that is sure to be held, and needs something that is got ready meanwhile."""

    @step
    async def taxi(self, request: Wish) -> Booked:
        """Get there."""
        return await book(Trip(place=request.place, slow=request.slow), "taxi")

    @step
    async def table(self, request: Wish) -> Booked:
        """Have a table to talk at."""
        return await book(Trip(place=request.place, slow=request.slow), "table")

    @step(result=True, talk=ConversationPoint("dishes", at_table))
    def dishes(self, request: Wish, taxi: Booked) -> Choice:
        """Let people choose."""
        raise NotImplementedError


FLOWS: list[type] = [Consult, Brief, Rebook, Replace, Hall, Market, Dinner]
