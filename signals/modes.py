"""The modes of a run, the paradigms that it is run by, and the rules by which it is moved."""

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field, model_validator

from signals.wire import Identifier, Wire


class Mode(StrEnum):
    """What a run is doing."""

    WORKFLOW = "workflow"
    CONVERSATION = "conversation"
    """Everything waits for a conversation."""

    HYBRID = "hybrid"
    """A conversation is open while other steps go on."""


class Paradigm(StrEnum):
    """How a task is gone about."""

    WORKFLOW = "workflow"
    """By steps that are known beforehand."""

    CONVERSATION = "conversation"
    """By talking until an outcome emerges."""

    HYBRID = "hybrid"
    """By steps, with conversations where they are needed."""

    ADAPTIVE = "adaptive"
    """By whichever of the others suits the task, and by another one when that no longer does."""


class Trigger(StrEnum):
    """What moves a run from one mode to another."""

    POINT = "point"
    """A conversation point of the workflow opened a conversation."""

    CLOSED = "closed"
    """The last open conversation ended; the run goes on with what it gave."""

    SELECTED = "selected"
    """The run was begun in this mode: by the selector, or from the context of another run."""

    REQUEST = "request"
    """Somebody asked for it, by `switch_mode` or `request_conversation`."""

    STEP_FAILED = "step_failed"
    """A step failed, and no conversation point is there for its error."""

    STALLED = "stalled"
    """A conversation ended without an outcome: nobody answered, or its time was up."""

    OUTCOME = "outcome"
    """A conversation's outcome names the step, or the workflow, to go on with."""

    LOW_CONFIDENCE = "low_confidence"
    """A step's result says that it is less sure than `conversation_threshold`."""

    BUDGET = "budget"
    """A conversation ended because language models had used what they may."""

    ASKED = "asked"
    """A conversation ended with the wish for another mode."""

    FALLBACK = "fallback"
    """A conversation point's fallback, or a transition that took too long."""


class Handler(StrEnum):
    """How a run is moved."""

    FINISH = "finish"
    """To conversation: the steps under way finish first, up to `transition_timeout_seconds`."""

    CANCEL = "cancel"
    """To conversation: the steps under way are cancelled at once, to be run again later."""

    BESIDE = "beside"
    """To hybrid: people talk while the steps go on."""

    RESUME = "resume"
    """To workflow: the steps go on, with the results that are there and those that people decided."""

    RESTART = "restart"
    """To workflow: all steps are run anew, but for those whose results people decided."""


class TransitionRule(Wire):
    """When a run may be moved from one mode to another, and how.

    Example:
        `{"from": "workflow", "to": "conversation", "trigger": "request", "handler": "finish", "who": ["bob"]}`
    """

    # `from` is a word of Python's own.
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    source: Mode = Field(alias="from")
    to: Mode
    trigger: Trigger
    handler: Handler | None = None
    """The target's usual one where there is none: `finish`, `beside` or `resume`."""

    who: tuple[Identifier, ...] = Field(default=(), max_length=50)
    """Who may ask for it, by id or by role; anybody where it is empty. For the trigger `request` alone."""

    most: int | None = Field(default=None, ge=1, le=1000)
    """How often a run may follow it; as often as it is asked to where there is none, by itself three times."""

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if self.source is self.to:
            raise ValueError(f"to: it leads from '{self.source}' to the same mode; name another")
        if self.trigger in NOT_BY_RULE:
            raise ValueError(f"trigger: '{self.trigger}' needs no rule; name another")
        if self.how not in HANDLERS[self.to]:
            raise ValueError(f"handler: for '{self.to}' it must be one of {', '.join(HANDLERS[self.to])}")
        if self.who and self.trigger is not Trigger.REQUEST:
            raise ValueError(f"who: nobody asks for it where the trigger is '{self.trigger}'; leave it out")
        return self

    @property
    def how(self) -> Handler:
        """How the run is moved."""
        return self.handler or HANDLERS[self.to][0]

    @property
    def limit(self) -> int | None:
        """How often a run may follow it; without end only where each time is asked for."""
        return self.most or (None if self.trigger is Trigger.REQUEST else BY_ITSELF)


BY_ITSELF: Final = 3
"""How often a rule is followed that nobody asks for, where it doesn't say: so no set of rules goes round for ever."""

NOT_BY_RULE: Final = frozenset({Trigger.POINT, Trigger.CLOSED, Trigger.SELECTED})
"""Triggers that are the workflow's own."""

HANDLERS: Final[dict[Mode, tuple[Handler, ...]]] = {
    Mode.CONVERSATION: (Handler.FINISH, Handler.CANCEL),
    Mode.HYBRID: (Handler.BESIDE,),
    Mode.WORKFLOW: (Handler.RESUME, Handler.RESTART),
}
"""How a run can be moved to each mode, the usual way first."""

Rules = Annotated[tuple[TransitionRule, ...], Field(max_length=50)]
"""A set of rules; the first that applies is followed."""
