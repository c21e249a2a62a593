"""The universal context: all that a run knows, whatever mode it is in.

From the seed's "Context Preservation Across Modes". The query `context` answers it; a run that continues as new, a
child workflow and an outside program that starts a new run from an old one are given it.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue

from signals.adaptive import Selection
from signals.conversation import Recorded
from signals.modes import Mode, Rules
from signals.participants import Participant
from signals.run import Checkpoint, ConversationRecord, StepProgress, Transition
from signals.settings import Settings
from signals.wire import Facts, Wire

MAX_CONTEXT_BYTES: Final = 64 * 1024
"""What a context has at most, in bytes of JSON; the largest results beyond that are named, not carried."""


class Artefact(Wire):
    """A result that is too large to be carried: where it is.

    Example:
        `{"name": "report", "bytes": 500000, "workflow_id": "audit-7", "run_id": "0198..."}`
    """

    name: str
    """The step that gave it."""

    bytes: int
    """Its size as JSON."""

    workflow_id: str
    run_id: str
    """The run whose query `result_of` gives it."""


class CoreState(Wire):
    """What is so in every mode."""

    goal: str
    """What the run is for, in words."""

    workflow: str | None = None
    """Its workflow type, where it has steps."""

    request: JsonValue = None
    """The workflow's input."""

    facts: Facts = Field(default={})
    """What is known beside the results of steps: what conversations found out."""

    artefacts: tuple[Artefact, ...] = ()
    participants: tuple[Participant, ...] = Field(default=(), max_length=250)
    """Who may be talked to."""


class WorkflowState(Wire):
    """Where the steps stand."""

    kind: Literal[Mode.WORKFLOW] = Mode.WORKFLOW
    step_index: int = Field(default=0, ge=0)
    """How many steps have come to their end."""

    variables: dict[str, JsonValue] = Field(default={})
    """The results of the steps that are done, by step."""

    steps: tuple[StepProgress, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()


class ParticipantState(Wire):
    """Somebody's standing in a conversation."""

    participant: Participant
    turns: int = 0
    present: bool = True


class TurnState(Wire):
    """Where a conversation's turns stand."""

    conversation: str | None = None
    """Its workflow id; none before one was held."""

    turns: int = 0
    messages: int = 0
    last_speaker: str | None = None


class ConversationState(Wire):
    """Where a conversation stands, as far as the run that holds it knows."""

    kind: Literal[Mode.CONVERSATION] = Mode.CONVERSATION
    participants: dict[str, ParticipantState] = Field(default={})
    message_history: tuple[Recorded, ...] = ()
    """The end of its transcript."""

    turn_state: TurnState = TurnState()


class ConversationSession(Wire):
    """One of the conversations that are held beside the steps."""

    record: ConversationRecord | None = None
    """Why it was opened, and what it gave; none for one that isn't the run's own."""

    state: ConversationState


class HybridState(Wire):
    """Where steps and conversations stand, side by side."""

    kind: Literal[Mode.HYBRID] = Mode.HYBRID
    workflow_progress: WorkflowState = WorkflowState()
    conversation_sessions: tuple[ConversationSession, ...] = ()


ModeState = Annotated[WorkflowState | ConversationState | HybridState, Field(discriminator="kind")]
"""What is particular to a mode."""


class UniversalContext(Wire):
    """All that a run knows.

    Example:
        `{"core_state": {"goal": "Give money back"}, "mode_state": {"kind": "workflow", "variables": {"order": {}}}}`
    """

    core_state: CoreState
    mode_state: ModeState
    preserved: tuple[ModeState, ...] = Field(default=(), max_length=2)
    """What the other modes were left with, so that going back finds it."""

    transitions: tuple[Transition, ...] = ()
    conversations: tuple[ConversationRecord, ...] = ()
    """Those that were held; an open one goes on in the run that opened it alone."""

    rules: Rules | None = None
    """The transition rules that hold; the configured ones where there are none."""

    selection: Selection | None = None
    """How the run is gone about, where that was chosen."""

    settings: Settings | None = None
    """What the run is bound to, where it goes on as new; a new run asks what holds."""

    size: int = Field(default=0, ge=0)
    """How large it is, in bytes of JSON."""

    @property
    def mode(self) -> Mode:
        """The mode that it is of."""
        return self.mode_state.kind
