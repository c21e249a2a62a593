"""Fragments: workflows that a conversation may run, as it is offered them."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, Field, JsonValue

from signals.messages import InvocationMode
from signals.wire import Identifier, Wire, at_most

MAX_CONTEXT_BYTES: Final = 16 * 1024
"""Largest JSON Schema of what a fragment needs, in bytes of JSON: prompts hold it."""

MAX_OFFERS_BYTES: Final = 64 * 1024
"""All fragments of a conversation together, in bytes of JSON: a continued run takes them along."""


class Bound(StrEnum):
    """Where a field of a fragment's context comes from that nobody may give."""

    FACT = "fact"
    """What is known by the field's name: the conversation was set up with it, or another fragment gave it."""

    PERSON = "person"
    """The id of the person who asks for the fragment; nothing, where an AI participant does."""


class FragmentOffer(Wire):
    """A workflow that a conversation may run: who may ask for it, what it needs, and how it is run.

    Example:
        `{"name": "OrderStatus", "about": "Tell where an order is.", "roles": ["agent"], "modes": ["synchronous"],
            "context": {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]}}`
    """

    name: Identifier
    """The workflow type."""

    about: str = Field(default="", max_length=1000)
    """What it does, in a line: people and language models are told."""

    roles: tuple[Identifier, ...] = Field(default=(), max_length=50)
    """Only these roles may ask for it; whoever holds the permission `invoke` where it is empty."""

    modes: tuple[InvocationMode, ...] = Field(default=tuple(InvocationMode), min_length=1, max_length=3)
    """How it may be run; the first is used where nobody says."""

    context: Annotated[dict[str, JsonValue], AfterValidator(at_most(MAX_CONTEXT_BYTES))]
    """The JSON Schema of its input, an object; what is `required` is taken from what is known, or asked for."""

    bound: dict[Identifier, Bound] = Field(default={}, max_length=50)
    """The fields of its input that nobody may give, and where they come from."""

    fact: Identifier | None = None
    """The name by which its result is known afterwards; its own name where there is none."""

    timeout_seconds: float | None = Field(default=None, gt=0, le=10 * 365 * 86_400)
    """After so long it has failed; it may take as long as it likes where there is none."""

    task_queue: str | None = Field(default=None, min_length=1, max_length=1000)
    """Where workers run it; the conversation's own task queue where there is none."""
