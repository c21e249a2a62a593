"""Error types of the wire (`ApplicationError.type`); code decides on these, never on an error's text."""

from dataclasses import dataclass
from enum import StrEnum


class ErrorType(StrEnum):
    """What was wrong, for programs; the message beside it says it to people."""

    INVALID_INPUT = "InvalidInput"
    NOT_A_PARTICIPANT = "NotAParticipant"
    NOT_PERMITTED = "NotPermitted"
    NOT_YOUR_TURN = "NotYourTurn"
    SIGNATURE_INVALID = "SignatureInvalid"
    """A message that must be signed isn't, or isn't by who it says that it is from, for this conversation, and once."""

    CONVERSATION_CLOSED = "ConversationClosed"
    OUTCOME_INVALID = "OutcomeInvalid"
    NO_OUTCOME = "NoOutcome"
    """A conversation that a run needed an outcome from ended without one, and the point has no fallback."""

    BUDGET_EXHAUSTED = "BudgetExhausted"
    """The same, since its language models had used up what they may."""

    LOOP_LIMIT = "LoopLimit"
    """A step was repeated as often as it may be, and it wasn't enough."""

    JOIN_FAILED = "JoinFailed"
    """Too few branches of a composite succeeded, and no more can."""

    BRANCH_CANCELLED = "BranchCancelled"
    """Somebody cancelled a branch of a composite that was needed."""

    FUNCTION_FAILED = "FunctionFailed"
    """A selector or a predicate of a plan has no answer, or one that it may not give."""

    COMPOSITE_TOO_LARGE = "CompositeTooLarge"
    """A composite runs more than Temporal keeps in one history."""

    WORKFLOW_NOT_AVAILABLE = "WorkflowNotAvailable"
    """A conversation has no such fragment, or not for who asks."""

    MISSING_CONTEXT = "MissingContext"
    """A fragment can't be given what it needs."""

    TRANSITION_NOT_ALLOWED = "TransitionNotAllowed"
    """No rule moves a run to that mode now."""

    PARTICIPANT_LIMIT = "ParticipantLimit"
    ASSISTANT_FAILED = "AssistantFailed"
    """A language model can't answer, and trying again would not help."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message isn't accepted."""

    type: ErrorType
    reason: str
