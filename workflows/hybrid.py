"""Conversation points: where a compiled workflow opens a conversation, and how it takes the outcome back.

From the seed's "Workflow with Conversation Breakouts": trigger, setup, integration, constraints.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import JsonValue

from signals.modes import Mode
from signals.wire import Wire
from workflows.conversation.setup import ConversationSetup


@dataclass(frozen=True)
class Explicit:
    """The conversation is part of the step: it is held before the step's body runs, or instead of it.

    Of a class: it is held before the first step.
    """


@dataclass(frozen=True)
class Conditional:
    """The conversation is held when something is so.

    Args:
        condition: A pure function that tells whether it is; its parameters are filled by name, as a step's are. One
            that asks for what the step itself gives is asked when the body has run, any other one before. Of a class:
            it is asked as soon as the steps that it names are done.
    """

    condition: Callable[..., bool]


@dataclass(frozen=True, init=False)
class OnException:
    """The conversation is held when the step fails with one of these error types (`ApplicationError.type`).

    Of a class: when any step does, and no point of its own is there for the error.
    """

    types: tuple[str, ...]

    def __init__(self, *types: str) -> None:
        object.__setattr__(self, "types", tuple(str(name) for name in types))


@dataclass(frozen=True, init=False)
class OnDemand:
    """The conversation is held when somebody asks for it, by `request_conversation`, before the step is done.

    It begins when the step's body is not under way. Of a class: at once, beside the steps.
    """

    who: tuple[str, ...]
    """Who may ask, by id or by the role that they have in the run; anybody where it is empty."""

    def __init__(self, *who: str) -> None:
        object.__setattr__(self, "who", tuple(str(name) for name in who))


Trigger = Explicit | Conditional | OnException | OnDemand


@dataclass(frozen=True)
class Result:
    """The outcome becomes the step's result; its type is what the step returns."""


@dataclass(frozen=True)
class RetryWith:
    """The step's body is run, again if it failed, with the outcome as one of its arguments; its type is that one's."""

    parameter: str


@dataclass(frozen=True, init=False)
class Merge:
    """The outcome is an object of results: each takes the place of what the step of its name gave, or would give.

    The step of the point then goes on; one that failed is done if it is among them, and fails if not.
    """

    steps: tuple[str, ...]

    def __init__(self, *steps: str) -> None:
        object.__setattr__(self, "steps", steps)


@dataclass(frozen=True)
class Note:
    """The outcome is only noted in the run's record; the step goes on as it would have."""


@dataclass(frozen=True, init=False)
class GoOnAt:
    """The run goes on at a named step: it, and all that needs it, is run anew; what was done of it is taken back first.

    The outcome is an object of results, as for `Merge`, that are there from then on. Where the named step comes after
    the point's own, what lies between them is skipped.
    """

    step: str
    results: tuple[str, ...]

    def __init__(self, step: str, *results: str) -> None:
        object.__setattr__(self, "step", step)
        object.__setattr__(self, "results", results)


@dataclass(frozen=True)
class EndRun:
    """The outcome is the workflow's result, and the run ends with it."""


Integration = Result | RetryWith | Merge | Note | GoOnAt | EndRun


@dataclass(frozen=True)
class Fail:
    """Without an outcome the step fails, with the error type `NoOutcome`; `BudgetExhausted` where that was why."""


@dataclass(frozen=True)
class Default:
    """Without an outcome this one is taken. It must fit the outcome's type."""

    outcome: JsonValue


@dataclass(frozen=True)
class Switch:
    """Without an outcome the run goes on in another mode.

    In `conversation` people talk about the run as a whole; in `workflow` the step goes on as if there were no point.
    """

    to: Mode


Fallback = Fail | Default | Switch


@dataclass(frozen=True)
class PointConstraints:
    """The bounds of a point. The conversation's own bounds are in its setup."""

    fallback: Fallback = field(default_factory=Fail)
    """What is done when the conversation ends without an outcome."""

    most: int = 3
    """How many conversations of this point a run may hold; after that the step's error stands."""


@dataclass(frozen=True)
class ConversationPoint:
    """A conversation that a step, or a run as a whole, may open.

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
