"""What the end of a conversation is worth to typed code: its outcome, the point's fallback, or neither. Pure."""

from dataclasses import dataclass

from pydantic import JsonValue, ValidationError

from signals.conversation import ConversationResult, StopReason
from signals.errors import ErrorType
from signals.wire import one_line
from workflows.compiled.types import from_json
from workflows.hybrid import Default, Fallback


@dataclass(frozen=True)
class Settled:
    """What a step takes back from a conversation."""

    value: object
    """The outcome, as the type that the step needs."""

    outcome: JsonValue
    """The same as JSON."""

    fallback: bool


@dataclass(frozen=True)
class NoOutcome:
    """There is nothing to take back."""

    reason: str
    type: ErrorType = ErrorType.NO_OUTCOME
    """What a step fails with, where it needed it."""


def settle(ended: ConversationResult | str, hint: object, fallback: Fallback) -> Settled | NoOutcome:
    """Take the outcome of a conversation, or the fallback where there is none that fits.

    Args:
        ended: The conversation's result; or, where it failed, what happened.
        hint: The annotation that the outcome must fit.
        fallback: What is done without an outcome.
    """
    kind = ErrorType.NO_OUTCOME
    if isinstance(ended, str):
        why = ended
    elif not ended.decided_by:
        why = ended.reason
        kind = ErrorType.BUDGET_EXHAUSTED if ended.stop is StopReason.BUDGET else kind
    else:
        try:
            return Settled(from_json(hint, ended.outcome), ended.outcome, fallback=False)
        except ValidationError as error:
            why = f"its outcome doesn't fit: {one_line(error)}"
    if isinstance(fallback, Default):
        return Settled(from_json(hint, fallback.outcome), fallback.outcome, fallback=True)
    return NoOutcome(why, kind)
