"""What replies are asked with, made for tests."""

from datetime import UTC, datetime

from pydantic import JsonValue

from signals.assistant import Consultation, Purpose, ReplyRequest
from signals.conversation import MessageKind, Recorded
from signals.participants import Kind, Participant

ALICE = Participant(id="C-1", kind=Kind.HUMAN, role="customer", name="Alice")
BOB = Participant(id="bob", kind=Kind.HUMAN, role="agent", name="Bob Keller")
SAGE = Participant(id="assistant", kind=Kind.AI, role="assistant", name="Sage")

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def message(seq: int, speaker: str | None, text: str, kind: MessageKind | None = None, **more: object) -> Recorded:
    usual = MessageKind.TURN if speaker else MessageKind.SYSTEM
    known = {"seq": seq, "at": NOON, "kind": kind or usual, "speaker": speaker, "text": text}
    return Recorded.model_validate({**known, **more})


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


def consulting(
    purpose: Purpose,
    *said: tuple[str | None, str],
    question: str = "Do they agree?",
    summary: str | None = None,
    model: str | None = None,
) -> Consultation:
    """Ask something about a conversation of Alice and Bob."""
    return Consultation(
        conversation="support-1/refused-1",
        topic="a refund",
        facts={"order": "A-1002 espresso machine"},
        summary=summary,
        messages=tuple(message(seq, speaker, text) for seq, (speaker, text) in enumerate(said, start=1)),
        omitted=0,
        purpose=purpose,
        model=model,
        question=question,
        candidates=(ALICE, BOB) if purpose is Purpose.CHOOSE else (),
    )
