"""The bounds of a conversation: who may come in, how long it may take, what it may cost, and what follows silence."""

from collections.abc import Sequence, Set
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import Field, JsonValue, SerializerFunctionWrapHandler, model_serializer, model_validator

from signals.conversation import Tokens
from signals.participants import Kind, Participant, Permission
from signals.settings import MAX_PARTICIPANTS, ConversationSettings
from signals.wire import Identifier, Outcome, Wire

MAX_RUNGS: Final = 20

_LEFT_TO_SETTINGS: Final = frozenset({"timeout_seconds", "participant_limit"})
"""What the settings say where a setup doesn't."""

Seconds = Annotated[float, Field(gt=0, le=10 * 365 * 86_400)]
"""A time of more than nothing and at most ten years."""


def without(names: Set[str], written: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Leave fields out of a model that is written."""
    return {name: value for name, value in written.items() if name not in names}


class OutOfTurn(StrEnum):
    """What becomes of a turn whose speaker doesn't have the floor."""

    HOLD = "hold"
    """It waits, in order, until they have it."""

    ACCEPT = "accept"
    REFUSE = "refuse"


class Guests(Wire):
    """Who may join uninvited, and what they may do then: as little as possible, unless the setup says more."""

    kinds: tuple[Kind, ...] = (Kind.HUMAN,)
    can: tuple[Permission, ...] = (Permission.SPEAK,)


class Remind(Wire):
    """Tell whoever is waited for, through the webhooks of the worker."""

    do: Literal["remind"] = "remind"
    after_seconds: Seconds
    """From when the wait began."""


class BringIn(Wire):
    """Let others answer too: the first to do so takes the floor.

    Example:
        `{"do": "bring_in", "after_seconds": 3600, "role": "lead"}`
    """

    do: Literal["bring_in"] = "bring_in"
    after_seconds: Seconds
    """From when the wait began."""

    role: Identifier | None = None
    """People of this role who are here already."""

    participant: Participant | None = None
    """Somebody who joins for it, if they aren't here."""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if (self.role is None) == (self.participant is None):
            raise ValueError("give either 'role' or 'participant'")
        return self

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit those who may take part, beginning with its name; nothing where all do."""
        if self.participant is None:
            of_role = [one for one in participants if one.role == self.role]
            if any(one.may(Permission.SPEAK) for one in of_role):
                return None
            what = "may speak" if of_role else "takes part"
            return f"role: nobody of the role {self.role!r} {what}"
        if self.participant not in participants:
            return f"participant.id: {self.participant.id!r} is somebody else; choose another id"
        if not self.participant.may(Permission.SPEAK):
            return "participant.can: who is to answer needs the permission 'speak'"
        return None


class GiveUp(Wire):
    """End the conversation, with an outcome if there is one to fall back on."""

    do: Literal["give_up"] = "give_up"
    after_seconds: Seconds
    """From when the wait began."""

    outcome: Outcome = None
    """It must fit the conversation's outcome schema; none, where it is null."""


Rung = Annotated[Remind | BringIn | GiveUp, Field(discriminator="do")]
"""What is done when people have been waited for so long."""


class Exhausted(StrEnum):
    """What happens when language models have used up their budget."""

    STOP = "stop"
    """The conversation ends."""

    ASK = "ask"
    """AI participants say no more until somebody who moderates grants one of them the floor: then the same again."""

    HAND_OFF = "hand_off"
    """AI participants say no more; the people go on."""


class Budget(Wire):
    """What language models may use in a conversation.

    Example:
        `{"tokens": 50000, "at_exhaustion": "ask"}`
    """

    tokens: int | None = Field(default=None, ge=1)
    """Input and output together."""

    cost: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """In US dollars, of models whose prices are known."""

    at_exhaustion: Exhausted = Exhausted.HAND_OFF

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.tokens is None and self.cost is None:
            raise ValueError("give 'tokens', 'cost' or both")
        return self

    def spent(self, tokens: Tokens, cost: float) -> float:
        """How much of it is used, as a share: 1 and more when it is used up."""
        of_tokens = (tokens.input + tokens.output) / self.tokens if self.tokens else 0
        return max(of_tokens, cost / self.cost if self.cost else 0)


class Summaries(Wire):
    """A summary that a language model keeps of the messages that are older than those at hand.

    Example:
        `{"every": 20}`
    """

    every: int = Field(default=20, ge=10, le=100)
    """After so many messages they are taken into it; at most as many as the conversation's window keeps."""

    model: str | None = Field(default=None, max_length=200, pattern=r"^[ -~]*$")
    """The language model; the worker's own where there is none."""


class Constraints(Wire):
    """The bounds of a conversation. It always ends by itself, at the latest after `timeout_seconds`."""

    timeout_seconds: Seconds = 30 * 60
    """From its opening. Where it isn't given, the settings' `timeout_minutes` holds."""

    max_turns: int | None = Field(default=None, ge=1, le=1_000_000)
    participant_limit: int = Field(default=50, ge=1, le=MAX_PARTICIPANTS)
    """How many may be there at a time. Where it isn't given, the settings' `participant_limit` holds."""

    ai_row: int = Field(default=20, ge=1, le=10_000)
    """How many replies AI participants may give in a row while there are people who could speak."""

    budget: Budget | None = None
    ladder: tuple[Rung, ...] = Field(default=(), max_length=MAX_RUNGS)
    """What is done when people don't answer, in the order of its times."""

    @model_validator(mode="after")
    def _climbs(self) -> Self:
        times = [rung.after_seconds for rung in self.ladder]
        if times != sorted(times):
            raise ValueError("ladder: give its rungs in the order of their after_seconds")
        if any(isinstance(rung, GiveUp) for rung in self.ladder[:-1]):
            raise ValueError("ladder: nothing comes after 'give_up'; make it the last rung")
        return self

    @property
    def is_settled(self) -> bool:
        """Whether it leaves nothing to the settings."""
        return self.model_fields_set >= _LEFT_TO_SETTINGS

    def settled(self, settings: ConversationSettings) -> "Constraints":
        """The same with what it leaves to the settings."""
        given = {
            "timeout_seconds": settings.timeout_minutes * 60,
            "participant_limit": settings.participant_limit,
        }
        return self.model_copy(update={k: v for k, v in given.items() if k not in self.model_fields_set})

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, JsonValue]:
        # What is left to the settings must still be so when it has crossed the wire.
        return without(_LEFT_TO_SETTINGS - self.model_fields_set, write(self))
