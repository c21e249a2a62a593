"""What a run of a compiled workflow shows and leaves behind."""

from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue

from signals.conversation import StopReason
from signals.modes import Mode
from signals.wire import Wire


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

    step: str
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


class Transition(Wire):
    """A change of a run's mode."""

    source: Mode
    target: Mode
    trigger: str
    reason: str
    at: datetime


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
