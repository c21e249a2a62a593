"""What the end of a conversation is worth to typed code."""

from datetime import UTC, datetime
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from signals.conversation import ConversationResult, StopReason, Tokens
from signals.errors import ErrorType
from workflows.compiled.settlement import NoOutcome, Settled, settle
from workflows.hybrid import Default, Fail

NOW = datetime(2026, 1, 5, tzinfo=UTC)
Amount = Annotated[int, Field(gt=0)]


class Visit(BaseModel):
    """A strict model with what JSON has no word for."""

    model_config = ConfigDict(strict=True)

    on: datetime
    rooms: tuple[int, ...]


def ended(outcome: JsonValue, *decided_by: str) -> ConversationResult:
    return ConversationResult(
        conversation="c",
        stop=StopReason.DECISION if decided_by else StopReason.TIMEOUT,
        reason="bob decided" if decided_by else "the time was up",
        outcome=outcome,
        decided_by=decided_by,
        turns=1,
        messages=1,
        started=NOW,
        ended=NOW,
        tokens=Tokens(),
    )


def test_what_was_decided_is_taken_as_the_type_that_is_needed() -> None:
    outcome: JsonValue = {"on": "2026-01-05T00:00:00Z", "rooms": [1, 2]}
    settled = settle(ended(outcome, "bob"), Visit, Fail())
    assert settled == Settled(value=Visit(on=NOW, rooms=(1, 2)), outcome=outcome, fallback=False)


def test_nothing_can_be_decided_too() -> None:
    assert settle(ended(None, "bob"), int | None, Fail()) == Settled(value=None, outcome=None, fallback=False)


def test_what_nobody_decided_is_no_outcome() -> None:
    assert settle(ended(5), Amount, Fail()) == NoOutcome("the time was up")


def test_a_budget_that_was_spent_is_told_apart() -> None:
    spent = ended(None).model_copy(update={"stop": StopReason.BUDGET, "reason": "1000 tokens were used"})
    assert settle(spent, Amount, Fail()) == NoOutcome("1000 tokens were used", ErrorType.BUDGET_EXHAUSTED)


def test_what_does_not_fit_is_no_outcome() -> None:
    reason = "its outcome doesn't fit: input: Input should be greater than 0"
    assert settle(ended(-5, "bob"), Amount, Fail()) == NoOutcome(reason)


def test_a_conversation_that_failed_gives_no_outcome() -> None:
    assert settle("it was terminated", Amount, Fail()) == NoOutcome("it was terminated")


@pytest.mark.parametrize("end", [ended(5), ended(-5, "bob"), "it was terminated"])
def test_without_an_outcome_the_default_is_taken(end: ConversationResult | str) -> None:
    assert settle(end, Amount, Default(7)) == Settled(value=7, outcome=7, fallback=True)


def test_the_default_is_made_the_type_that_is_needed() -> None:
    default: JsonValue = {"on": "2026-01-05T00:00:00Z", "rooms": []}
    assert settle("failed", Visit, Default(default)) == Settled(Visit(on=NOW, rooms=()), default, fallback=True)
