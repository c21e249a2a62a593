"""Looks at a conversation: what its queries answer, what a reply is asked with, what it leaves behind. Pure."""

from collections.abc import Sequence
from typing import Final

from signals.assistant import ReplyRequest
from signals.conversation import ConversationResult, Recorded, Status, Transcript
from workflows.conversation.machine import awaiting, next_due
from workflows.conversation.routing import seen_by
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import ConversationState, count_latest

PROMPT_MESSAGES: Final = 12
"""How many messages a reply is asked with, so that a reply costs the same at any length."""

MAX_SHOWN_BYTES: Final = 128 * 1024
"""Messages in a result or a prompt, in bytes of JSON; the longest turn fits."""

MAX_QUERIED_BYTES: Final = 1024 * 1024
"""Messages in a query's answer, in bytes of JSON: well under Temporal's 2 MB."""


def transcript(state: ConversationState, participant: str | None) -> Transcript:
    """What a participant was given lately; everything, for nobody in particular."""
    shown = _latest(state.messages, MAX_QUERIED_BYTES)
    return Transcript(
        conversation=state.conversation,
        participant=participant,
        messages=seen_by(shown, participant),
        omitted=state.seq - len(shown),
    )


def status(setup: ConversationSetup, state: ConversationState) -> Status:
    """Where the conversation stands."""
    return Status(
        conversation=state.conversation,
        topic=setup.topic,
        open=state.ended is None,
        floor=state.floor,
        awaiting=awaiting(state),
        replying=tuple(state.replying),
        participants=tuple(member.participant for member in state.present),
        messages=state.seq,
        turns=state.turns,
        held=len(state.held),
        proposals=tuple(state.proposals),
        rejections=state.rejections.total,
        tokens=state.tokens,
        due=None if state.ended else next_due(setup, state),
        ended=state.ended,
    )


def reply_request(setup: ConversationSetup, state: ConversationState, speaker: str) -> ReplyRequest:
    """Everything that an AI participant's next reply is grounded in."""
    given = seen_by(state.messages, speaker)
    shown = _latest(given[-PROMPT_MESSAGES:], MAX_SHOWN_BYTES)
    return ReplyRequest(
        conversation=state.conversation,
        speaker=state.members[speaker].participant,
        others=tuple(member.participant for member in state.present if member.participant.id != speaker),
        topic=setup.topic,
        guidance=setup.guidance,
        facts=setup.facts,
        messages=shown,
        omitted=state.omitted + len(given) - len(shown),
    )


def result(state: ConversationState) -> ConversationResult:
    """What the conversation came to.

    Raises:
        ValueError: It has not ended.
    """
    ended = state.ended
    if ended is None:
        raise ValueError("the conversation has not ended")
    return ConversationResult(
        conversation=state.conversation,
        stop=ended.stop,
        reason=ended.reason,
        outcome=ended.outcome,
        decided_by=ended.decided_by,
        evidence=ended.evidence,
        turns=state.turns,
        messages=state.seq,
        started=state.started,
        ended=ended.at,
        tokens=state.tokens,
        last_messages=_latest(state.messages, MAX_SHOWN_BYTES),
    )


def _latest(messages: Sequence[Recorded], most: int) -> tuple[Recorded, ...]:
    """As many of the latest messages as fit into so many bytes of JSON."""
    return tuple(messages[len(messages) - count_latest(messages, most) :])
