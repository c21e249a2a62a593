"""What replies are asked with, made for tests."""

from datetime import UTC, datetime

from pydantic import JsonValue

from signals.assistant import ReplyRequest
from signals.conversation import MessageKind, Recorded
from signals.participants import Kind, Participant

ALICE = Participant(id="C-1", kind=Kind.HUMAN, role="customer", name="Alice")
BOB = Participant(id="bob", kind=Kind.HUMAN, role="agent", name="Bob Keller")
SAGE = Participant(id="assistant", kind=Kind.AI, role="assistant", name="Sage")

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def message(seq: int, speaker: str | None, text: str) -> Recorded:
    kind = MessageKind.TURN if speaker else MessageKind.SYSTEM
    return Recorded(seq=seq, at=NOON, kind=kind, speaker=speaker, text=text)


def asking(
    *said: tuple[str | None, str],
    model: str | None = None,
    topic: str = "a refund",
    guidance: str = "support",
    omitted: int = 0,
    **facts: JsonValue,
) -> ReplyRequest:
    """Ask Sage for a reply in a conversation with Alice and Bob."""
    return ReplyRequest(
        conversation="support-1/refused-1",
        speaker=SAGE.model_copy(update={"model": model}),
        others=(ALICE, BOB),
        topic=topic,
        guidance=guidance,
        facts=facts,
        messages=tuple(message(seq, speaker, text) for seq, (speaker, text) in enumerate(said, start=1)),
        omitted=omitted,
    )
