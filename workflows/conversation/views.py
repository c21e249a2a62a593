"""Looks at a conversation: what its queries answer, what a reply is asked with, what it leaves behind. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from signals.assistant import Consultation, Purpose, ReplyRequest
from signals.conversation import ConversationResult, Recorded, Status, Transcript
from workflows.conversation.floor import awaiting
from workflows.conversation.invoked import under_way
from workflows.conversation.machine import next_due
from workflows.conversation.offers import known_to, offered, tools_for
from workflows.conversation.routing import seen_by
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import Consulting, ConversationState, count_latest

PROMPT_MESSAGES: Final = 12
"""How many messages a reply, or who is next, is asked with, so that it costs the same at any length, and little."""

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
        summary=state.summary,
    )


def status(setup: ConversationSetup, state: ConversationState, now: datetime) -> Status:
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
        fragments=tuple(offered(setup, state)),
        invocations=tuple(under_way(state)),
        facts=state.facts,
        rejections=state.rejections.total,
        tokens=state.tokens,
        cost=state.cost,
        due=None if state.ended else next_due(setup, state, now),
        ended=state.ended,
    )


def reply_request(setup: ConversationSetup, state: ConversationState, speaker: str) -> ReplyRequest:
    """Everything that an AI participant's next reply is grounded in."""
    given = seen_by(state.messages, speaker)
    shown = _latest(given[-PROMPT_MESSAGES:], MAX_SHOWN_BYTES)
    return ReplyRequest(
        conversation=state.conversation,
        speaker=state.members[speaker].participant,
        replies=state.members[speaker].replies,
        others=tuple(member.participant for member in state.present if member.participant.id != speaker),
        topic=setup.topic,
        guidance=setup.guidance,
        facts=known_to(setup, state, speaker),
        summary=state.summary,
        messages=shown,
        omitted=state.omitted + len(given) - len(shown),
        proposals=tuple(state.proposals),
        outcome=setup.outcome,
        tools=tools_for(setup, state, speaker),
    )


def consultation(setup: ConversationSetup, state: ConversationState, asked: Consulting) -> Consultation:
    """Everything that a language model is asked with that isn't to reply: only what everybody may see."""
    given = [message for message in state.messages if not message.to]
    if asked.purpose is Purpose.SUMMARISE:
        given = [message for message in given if message.seq > state.summarised]
    # Who is next is asked after each turn, as a reply is.
    last = PROMPT_MESSAGES if asked.purpose is Purpose.CHOOSE else len(given)
    shown = _latest(given[-last:], MAX_SHOWN_BYTES)
    return Consultation(
        conversation=state.conversation,
        topic=setup.topic,
        facts=known_to(setup, state, None),
        summary=state.summary,
        messages=shown,
        omitted=state.omitted + len(given) - len(shown),
        purpose=asked.purpose,
        number=asked.number,
        model=asked.model,
        question=asked.question,
        candidates=tuple(state.members[name].participant for name in asked.candidates if name in state.members),
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
        cost=state.cost,
        facts=state.facts,
        invocations=tuple(state.invocations),
        switch_to=ended.switch_to,
        last_messages=_latest(state.messages, MAX_SHOWN_BYTES),
    )


def _latest(messages: Sequence[Recorded], most: int) -> tuple[Recorded, ...]:
    """As many of the latest messages as fit into so many bytes of JSON."""
    return tuple(messages[len(messages) - count_latest(messages, most) :])
