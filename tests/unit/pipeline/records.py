"""Conversations of a pipeline, as a run's record has them."""

from datetime import UTC, datetime

from pydantic import JsonValue

from signals.run import ConversationRecord

AT = datetime(2026, 1, 5, 10, tzinfo=UTC)

PATCH: JsonValue = {"action": "patch", "patch": "--- a\n+++ b\n"}
COMMIT: JsonValue = {"action": "commit", "commit": "fix"}
ACCEPT: JsonValue = {"action": "accept", "reason": "flaky"}
GIVE_UP: JsonValue = {"action": "give_up", "reason": "no use"}
HASH = "1" * 40
APPROVE: JsonValue = {"verdict": "approve", "commit": HASH}
CHANGES: JsonValue = {"verdict": "changes", "reason": "no test"}
REPLACED: JsonValue = {"verdict": "changes", "reason": "better", "replacement": "other"}
REJECT: JsonValue = {"verdict": "reject", "reason": "not wanted"}


def record(point: str, outcome: JsonValue, *by: str) -> ConversationRecord:
    """A conversation that was held."""
    return ConversationRecord(
        id=f"run/{point}-1", step="reviewed", point=point, opened=AT, because="x", outcome=outcome, decided_by=by
    )
