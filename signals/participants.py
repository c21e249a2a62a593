"""Who takes part in a conversation."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from signals.wire import Identifier, Wire


class Kind(StrEnum):
    """What a participant is."""

    HUMAN = "human"
    AI = "ai"


class Permission(StrEnum):
    """What a participant may do; nobody has more than is listed for them."""

    SPEAK = "speak"
    """Send turns, propose outcomes and vote."""

    DECIDE = "decide"
    """Make a proposal the outcome."""

    INVOKE = "invoke"
    """Run workflow fragments."""

    MODERATE = "moderate"
    """Grant the floor, interrupt and close."""


class Speaks(StrEnum):
    """When an AI participant speaks."""

    ALWAYS = "always"
    """Whenever it is its turn, or a person said something."""

    ADDRESSED = "addressed"
    """When a turn names it in `to`, answers it, or mentions it (`@id`)."""

    ASKED = "asked"
    """When somebody who moderates grants it the floor."""


class Participant(Wire):
    """One person or AI participant.

    Example:
        `{"id": "alice", "kind": "human", "role": "customer", "name": "Alice", "can": ["speak"]}`
    """

    id: Identifier
    kind: Kind
    role: Identifier
    """What they are here for: `customer`, `agent`, `assistant`."""

    name: str | None = Field(default=None, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
    """How they are shown, on one line; their id where there is none."""

    model: str | None = Field(default=None, max_length=200, pattern=r"^[ -~]*$")
    """The language model that speaks (`local`, `script:NAME`, `openai:gpt-5`); the worker's own where there is none."""

    key: str | None = Field(default=None, pattern=r"^[A-Za-z0-9+/]{43}=$")
    """The Ed25519 public key, in base64: who has one must sign what they send; nobody else can speak as them."""

    can: tuple[Permission, ...] = Field(default=(Permission.SPEAK,), max_length=len(Permission))
    speaks: Speaks = Speaks.ALWAYS
    """When an AI participant speaks."""

    @model_validator(mode="after")
    def _only_ai_has_a_model(self) -> Self:
        if self.kind is Kind.HUMAN and self.model is not None:
            raise ValueError("only an AI participant has a model")
        if self.kind is Kind.HUMAN and self.speaks is not Speaks.ALWAYS:
            raise ValueError("only for an AI participant it is said when it speaks")
        return self

    @property
    def label(self) -> str:
        """The name that people read."""
        return self.name or self.id

    @property
    def can_sign(self) -> bool:
        """Whether they can take part where people must sign: an AI participant speaks through the worker alone."""
        return self.kind is Kind.AI or self.key is not None

    def may(self, permission: Permission) -> bool:
        """Tell whether they hold a permission."""
        return permission in self.can


def keys_fault(participants: Iterable[Participant]) -> str | None:
    """Say who can't take part where people must sign; nothing if all can."""
    who = next((one.id for one in participants if not one.can_sign), None)
    return f"participants: {who!r} has no key, and people must sign here; give them one" if who is not None else None


def models_of(participants: Iterable[Participant]) -> tuple[str | None, ...]:
    """The language models that speak for the AI participants among some, each once; none is the worker's own."""
    return tuple(dict.fromkeys(who.model for who in participants if who.kind is Kind.AI))
