"""Conversation points: where a compiled workflow opens a conversation, and how it takes the outcome back."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import JsonValue

from signals.wire import Wire
from workflows.conversation.setup import ConversationSetup


@dataclass(frozen=True)
class Explicit:
    """The conversation is part of the step: it is held before the step's body runs, or instead of it."""


@dataclass(frozen=True, init=False)
class OnException:
    """The conversation is held when the step fails with one of these error types (`ApplicationError.type`)."""

    types: tuple[str, ...]

    def __init__(self, *types: str) -> None:
        object.__setattr__(self, "types", tuple(str(name) for name in types))


Trigger = Explicit | OnException


@dataclass(frozen=True)
class Result:
    """The outcome becomes the step's result; its type is what the step returns."""


@dataclass(frozen=True)
class RetryWith:
    """The step's body is run, again if it failed, with the outcome as one of its arguments; its type is that one's."""

    parameter: str


Integration = Result | RetryWith


@dataclass(frozen=True)
class Fail:
    """Without an outcome the step fails, with the error type `NoOutcome`."""


@dataclass(frozen=True)
class Default:
    """Without an outcome this one is taken. It must fit the outcome's type."""

    outcome: JsonValue


Fallback = Fail | Default


@dataclass(frozen=True)
class PointConstraints:
    """The bounds of a point. The conversation's own bounds are in its setup."""

    fallback: Fallback = field(default_factory=Fail)
    """What is done when the conversation ends without an outcome."""

    most: int = 3
    """How many conversations of this point a run may hold; after that the step's error stands."""


@dataclass(frozen=True)
class ConversationPoint:
    """A conversation that a step may open.

    Args:
        name: Names it; the conversation's workflow id is `<run id>/<name>-<number>`.
        setup: A pure function that sets the conversation up. Its parameters are filled by name, as a step's are:
            `request`, other steps, `run`, and for `OnException` also `error` (a `StepError`).
        trigger: When it is opened.
        integration: What becomes of its outcome.
        constraints: Its bounds, and what is done without an outcome.
    """

    name: str
    setup: Callable[..., ConversationSetup]
    trigger: Trigger = field(default_factory=Explicit)
    integration: Integration = field(default_factory=Result)
    constraints: PointConstraints = field(default_factory=PointConstraints)


class StepError(Wire):
    """Why a step failed, as a setup function is given it."""

    type: str
    message: str
    details: dict[str, JsonValue]
    """The facts that the error carries."""
