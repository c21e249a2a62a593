"""What is counted of a conversation: what an event has changed, and what language models took for their answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from signals.assistant import Finding, Reply
from signals.conversation import InvocationStatus, MessageKind, Recorded
from workflows.conversation.floor import awaiting
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import ConversationState
from workflows.counts import (
    ADAPTATIONS,
    ANSWERS,
    COST,
    ENDED,
    FRAGMENTS,
    PERSON_WAITS,
    REJECTIONS,
    TOKENS,
    TURNS,
    Count,
)

REPLYING: Final = "reply"
"""The purpose of an answer that is said in the conversation."""

MICRO: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What an event may change of what is counted."""

    ended: bool
    rejections: int
    adapted: dict[int, int]
    invocations: dict[int, InvocationStatus]
    awaited: tuple[str, ...]
    since: datetime

    @classmethod
    def of(cls, state: ConversationState) -> "Standing":
        """Where a conversation stands now."""
        return cls(
            ended=state.ended is not None,
            rejections=state.rejections.total,
            adapted={rule: adapted.times for rule, adapted in state.adapted.items()},
            invocations={one.number: one.status for one in state.invocations},
            awaited=awaiting(state),
            since=state.last_activity,
        )


def changes(
    before: Standing, setup: ConversationSetup, state: ConversationState, recorded: tuple[Recorded, ...]
) -> Iterator[Count]:
    """Count what an event has changed.

    Args:
        before: Where the conversation stood.
        setup: How it was set up.
        state: Where it stands.
        recorded: The messages that were recorded meanwhile.
    """
    yield from _turns(before, state, recorded)
    if rejected := state.rejections.total - before.rejections:
        for rejection in state.rejections.recent[-rejected:]:
            yield Count(REJECTIONS, labels={"type": rejection.type})
    for rule, adapted in state.adapted.items():
        if times := adapted.times - before.adapted.get(rule, 0):
            followed = setup.adaptation[rule]
            yield Count(ADAPTATIONS, times, {"seen": followed.when.kind, "done": followed.then.do})
    for one in state.invocations:
        if one.status is not before.invocations.get(one.number):
            yield Count(FRAGMENTS, labels={"fragment": one.fragment, "status": one.status})
    if state.ended is not None and not before.ended:
        yield Count(ENDED, labels={"stop": state.ended.stop})


def _turns(before: Standing, state: ConversationState, recorded: tuple[Recorded, ...]) -> Iterator[Count]:
    waited = waits(before, recorded)
    for message in recorded:
        if message.kind is MessageKind.TURN and message.speaker is not None:
            yield Count(TURNS, labels={"kind": state.members[message.speaker].participant.kind})
            if message.seq in waited:
                yield Count(PERSON_WAITS, waited[message.seq].total_seconds())


def waits(before: Standing, recorded: tuple[Recorded, ...]) -> dict[int, timedelta]:
    """How long a person was waited for who has now spoken, by the message's number.

    Args:
        before: Where the conversation stood.
        recorded: The messages that were recorded since.
    """
    for message in recorded:
        if message.kind is MessageKind.TURN and message.speaker in before.awaited:
            return {message.seq: message.at - before.since}  # the others' wait was over with it
    return {}


def answered(purpose: str, answer: Reply | Finding, took: timedelta) -> Iterator[Count]:
    """Count what a language model took for an answer."""
    by_model = {"model": answer.model, "purpose": purpose}
    yield Count(ANSWERS, took.total_seconds(), by_model)
    for direction, tokens in (("input", answer.tokens.input), ("output", answer.tokens.output)):
        if tokens:
            yield Count(TOKENS, tokens, {**by_model, "direction": direction})
    if answer.cost:
        yield Count(COST, round(answer.cost * MICRO), by_model)
