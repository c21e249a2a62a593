"""What a run of a compiled workflow shows and leaves behind."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field, JsonValue

from signals.conversation import StopReason
from signals.modes import Handler, Mode, Trigger
from signals.wire import Brief, Wire


class StepStatus(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    """A conversation about it is open."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    """Its condition didn't hold, or its result was not needed."""

    COMPENSATED = "compensated"
    """It was done, and taken back."""


class StepProgress(Wire):
    """Where one step stands."""

    step: str
    status: StepStatus
    started: datetime | None = None
    ended: datetime | None = None
    attempts: int = 0
    checkpoint: bool = False
    error: str | None = None


class Checkpoint(Wire):
    """A moment that a run can be taken back to."""

    step: str
    """The step that was done then."""

    at: datetime
    event: int
    """The event id that `temporal workflow reset --event-id` takes."""


class ConversationRecord(Wire):
    """A conversation that a run held, and what it gave."""

    id: str
    """The workflow id of the conversation."""

    step: str | None
    """The step that it is about; none where it is about the run as a whole."""

    point: str
    opened: datetime
    because: str
    """Why it was opened."""

    people: tuple[str, ...] = ()
    """Who was there when it was opened, AI participants left out."""

    closed: datetime | None = None
    stop: StopReason | None = None
    """Why it ended; none while it is open."""

    outcome: JsonValue = None
    """What the run took back: decided in the conversation, or the fallback where nothing was."""

    fallback: bool = False
    """Whether the outcome is the point's fallback."""

    decided_by: tuple[str, ...] = ()
    evidence: tuple[int, ...] = ()
    turns: int = 0


class HeldFor(Wire):
    """What a conversation is held for: it stands in its memo, so that who lists conversations need not ask the run.

    Example:
        `{"workflow": "CustomerSupport", "step": "handled", "point": "refused"}`
    """

    workflow: str
    """The workflow type of the run."""

    step: str | None
    """The step that it is about; none where it is about the run as a whole."""

    point: str


class Transition(Wire):
    """A change of a run's mode.

    Example:
        `{"source": "workflow", "target": "conversation", "trigger": "request", "reason": "it is urgent",
            "at": "2026-01-05T10:00:00Z", "requested_by": "bob", "handler": "finish", "seconds": 1.5}`
    """

    source: Mode
    target: Mode
    trigger: Trigger
    reason: str
    at: datetime
    """When it was complete."""

    cause: str | None = None
    """What set it off, where the trigger alone doesn't say: an error's type, a stop reason, a conversation point."""

    requested_by: str | None = None
    handler: Handler | None = None
    """How it was done, where a rule says so."""

    seconds: float = 0
    """How long it took, from what set it off."""

    conversation: str | None = None
    """The workflow id of the conversation that it opened or that ended."""


class RunDecision(Wire):
    """What people who talk about a run as a whole may decide.

    Example:
        `{"results": {"order": {"id": "A-1001"}}, "resume_at": "approval", "note": "it was another order"}`
    """

    results: dict[str, JsonValue] = Field(default={})
    """Results of steps, by step: each must be of the type that its step gives, and takes the place of what it gave."""

    resume_at: str | None = None
    """The step to go on at: it, and all that needs it, is run anew. Where there is none, what isn't done is run."""

    note: Brief = ""
    """Why."""


class RunSoFar(Wire):
    """What a step that has a parameter `run` is given: the run's record up to then."""

    id: str
    """The workflow id of the run."""

    mode: Mode
    conversations: tuple[ConversationRecord, ...] = ()
    transitions: tuple[Transition, ...] = ()


class Progress(Wire):
    """Where a run stands."""

    run: str
    workflow: str
    mode: Mode
    steps: tuple[StepProgress, ...]
    conversations: tuple[ConversationRecord, ...]
    transitions: tuple[Transition, ...]
    done: bool
