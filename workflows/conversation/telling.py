"""What is told of a conversation as it goes on: it is counted, its turns are traced, and it is logged."""

from opentelemetry.trace import Span
from temporalio import workflow

from signals.conversation import MessageKind, Recorded
from signals.messages import Turn
from signals.names import SAID
from signals.participants import Kind
from workflows import spans
from workflows.conversation.events import Event, Received, Replied, ReplyFailed
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import ConversationState
from workflows.conversation.tally import Standing, changes, waits
from workflows.counts import OPENED, Count
from workflows.metrics import emit


def opened(setup: ConversationSetup, conversation: str) -> None:
    """Tell that a conversation begins.

    Args:
        setup: How it is set up.
        conversation: Its workflow id.
    """
    emit([Count(OPENED, labels={"coordination": setup.coordination.kind})])
    workflow.logger.info(
        "The conversation begins",
        extra={
            "conversation": conversation,
            "participants": [person.id for person in setup.participants],
            "coordination": setup.coordination.kind,
            SAID: {"topic": setup.topic},
        },
    )


def changed(
    before: Standing,
    setup: ConversationSetup,
    state: ConversationState,
    event: Event,
    recorded: tuple[Recorded, ...],
    reply: Span | None = None,
) -> None:
    """Tell what an event has changed.

    Args:
        before: Where the conversation stood.
        setup: How it was set up.
        state: Where it stands.
        event: What happened.
        recorded: The messages that were recorded for it.
        reply: The span of the AI participant's reply, where that is the event.
    """
    emit(changes(before, setup, state, recorded))
    if recorded:
        waited, kinds = waits(before, recorded), _kinds(state, recorded)
        spans.turns(state.conversation, recorded, kinds, waited, _sender(event), reply)
        _log_turns(state, recorded)
    if rejected := state.rejections.total - before.rejections:
        for rejection in state.rejections.recent[-rejected:]:
            workflow.logger.info(
                "Not accepted: %s",
                rejection.type,
                extra={"speaker": rejection.speaker, SAID: {"signal": rejection.signal, "reason": rejection.reason}},
            )
    if state.ended is not None and not before.ended:
        workflow.logger.info(
            "The conversation ends: %s",
            state.ended.stop,
            extra={"participants": [*state.members], SAID: {"reason": state.ended.reason}},
        )


def _kinds(state: ConversationState, recorded: tuple[Recorded, ...]) -> dict[str, Kind]:
    speakers = sorted({message.speaker for message in recorded if message.speaker is not None})
    return {speaker: state.members[speaker].participant.kind for speaker in speakers if speaker in state.members}


def _log_turns(state: ConversationState, recorded: tuple[Recorded, ...]) -> None:
    for message in recorded:
        if message.kind is MessageKind.TURN:
            workflow.logger.debug(
                "Turn %d",
                message.seq,
                extra={"speaker": message.speaker, "to": list(message.to), SAID: {"text": message.text}},
            )


def _sender(event: Event) -> str | None:
    match event:
        case Received(message=Turn(speaker=speaker)):
            return speaker
        case Replied(speaker=speaker) | ReplyFailed(speaker=speaker):
            return speaker
        case _:
            return None
