"""The conversation as a state machine: every decision, and nothing but decisions.

`open_conversation` makes a state, `apply` moves it on by one event and says what is to be done, `check`
tells beforehand whether a message would be accepted. All are synchronous functions of their arguments,
so the same events always give the same state, on a replay as in a test.

The loop is the seed's: update participants, select the next speaker, receive, route, check for emergence, adapt.
What a message or an answer changes is in a module of its own for each; `floor.settle` then brings the conversation to
rest.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from signals.assistant import Purpose
from signals.conversation import Ended, InvocationStatus, Rejection, StopReason
from signals.errors import ErrorType, Refusal
from signals.fragments import FragmentOffer
from signals.messages import (
    Answer,
    Close,
    Disposition,
    Grant,
    Interrupt,
    InvocationMode,
    Invoke,
    Join,
    Leave,
    Message,
    Propose,
    Subscribe,
    Turn,
    Vote,
)
from workflows.conversation import adapting, floor, fragment_ends, invocations, members, proposals, turns, waiting
from workflows.conversation.admission import check
from workflows.conversation.budgets import charge
from workflows.conversation.change import Change
from workflows.conversation.events import (
    Ask,
    AwaitFragment,
    Consult,
    Consulted,
    ConsultFailed,
    Dismissed,
    Effect,
    Event,
    FragmentDone,
    FragmentFailed,
    Misfit,
    Reaction,
    Received,
    Replied,
    ReplyFailed,
    Tell,
    TimePassed,
    Told,
)
from workflows.conversation.floor import awaiting, settle
from workflows.conversation.roster import Member
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.signatures import check_signature, remember_signature
from workflows.conversation.state import MAX_SUMMARY, Consulting, ConversationState, Verdict

__all__ = ["apply", "awaiting", "next_due", "open_conversation", "resume"]


def open_conversation(
    setup: ConversationSetup, conversation: str, at: datetime, offers: Sequence[FragmentOffer] = ()
) -> tuple[ConversationState, Reaction]:
    """Begin a conversation.

    Args:
        setup: How it is set up.
        conversation: Its workflow id.
        at: When it begins.
        offers: The fragments that the setup names.
    """
    state = ConversationState(
        conversation=conversation,
        started=at,
        last_activity=at,
        members={p.id: Member(participant=p) for p in setup.participants},
        facts=setup.facts,
        offers={offer.name: offer for offer in offers},
    )
    change = Change(setup, state, at)
    settle(change)
    return state, _reaction(change)


def resume(state: ConversationState) -> Reaction:
    """Take up a conversation in a continued run: all that was under way is asked for again."""
    effects: list[Effect] = [Ask(speaker, ask) for speaker, ask in state.replying.items()]
    effects += [Consult(number) for number in state.consulting]
    effects += [
        AwaitFragment(one)
        for one in state.invocations
        if one.status is InvocationStatus.RUNNING and one.mode is not InvocationMode.DETACHED
    ]
    effects += [Tell(waiting) for waiting in state.telling]
    return Reaction(effects=tuple(effects))


def apply(setup: ConversationSetup, state: ConversationState, event: Event) -> Reaction:
    """Move a conversation on by one event.

    Args:
        setup: How it was set up.
        state: Where it stands; changed in place.
        event: What happened.

    Returns:
        What is to be done, and what became of the message if the event was one.
    """
    change = Change(setup, state, event.at)
    match event:
        case Received(message=message):
            return _receive(change, message)
        case Misfit(signal=signal, speaker=speaker, reason=reason):
            return _reject(change, signal, speaker, Refusal(ErrorType.INVALID_INPUT, reason))
        case _ if state.ended is not None:
            return Reaction()  # what comes back after the end changes nothing
        case Replied() | ReplyFailed():
            _take_reply(change, event)
        case Consulted() | ConsultFailed():
            _take_finding(change, event)
        case FragmentDone() | FragmentFailed():
            fragment_ends.take_end(change, event)
        case Told():
            waiting.take_told(change, event)
        case Dismissed(reason=reason):
            change.end(change.stopped(StopReason.SWITCH, reason))
        case TimePassed():
            waiting.climb(change)
    settle(change)
    return _reaction(change)


def next_due(setup: ConversationSetup, state: ConversationState, now: datetime) -> datetime:
    """When something happens by time alone, if nothing else does before: at the latest the conversation ends."""
    times = [
        *(condition.due(state, now) for condition in setup.emergence),
        adapting.due(setup, state, now),
        waiting.due(setup, state),
    ]
    end = state.started + timedelta(seconds=setup.constraints.timeout_seconds)
    return min([end, *(time for time in times if time is not None)])


def _reaction(change: Change, answer: Answer | None = None) -> Reaction:
    return Reaction(effects=tuple(change.effects), recorded=tuple(change.recorded), answer=answer)


def _reject(change: Change, signal: str, speaker: str | None, refusal: Refusal) -> Reaction:
    rejection = Rejection(at=change.now, signal=signal, speaker=speaker, type=refusal.type, reason=refusal.reason)
    change.state.rejections = change.state.rejections.adding(rejection)
    return Reaction(rejection=rejection)


def _receive(change: Change, message: Message) -> Reaction:
    if forged := check_signature(change.setup, change.state, message):
        return _reject(change, message.signal, message.sender, forged)
    if refusal := check(change.setup, change.state, message):
        remember_signature(change.state, message)
        rejected = _reject(change, message.signal, message.sender, refusal)
        if isinstance(message, Invoke):
            invocations.refuse(change, message, refusal)
        return replace(rejected, recorded=tuple(change.recorded))
    answer = _accept(change, message)
    remember_signature(change.state, message)
    if answer.disposition is not Disposition.DUPLICATE:
        settle(change)
    return _reaction(change, answer)


def _accept(change: Change, message: Message) -> Answer:
    match message:
        case Turn():
            return turns.take_turn(change, message)
        case Join() | Leave() | Subscribe():
            return members.take(change, message)
        case Propose() | Vote():
            return proposals.take(change, message)
        case Invoke():
            return invocations.invoke(change, message)
        case Grant():
            return floor.grant(change, message)
        case Interrupt():
            return turns.interrupt(change, message)
        case Close():
            return _close(change, message)


def _close(change: Change, message: Close) -> Answer:
    speaker, reason = message.speaker, message.reason
    seq = change.say(f"{change.label(speaker)} closed the conversation" + (f": {reason}" if reason else ""))
    why = reason or f"closed by {speaker}"
    change.end(Ended(stop=StopReason.CLOSED, at=change.now, reason=why, decided_by=(speaker,), evidence=(seq,)))
    return Answer(disposition=Disposition.RECORDED, seq=seq)


def _take_reply(change: Change, event: Replied | ReplyFailed) -> None:
    state, name = change.state, event.speaker
    if state.replying.get(name) != event.ask:
        return  # cancelled meanwhile
    del state.replying[name]
    if isinstance(event, ReplyFailed):
        turns.take_failure(change, event)
        return
    spoke = turns.say_reply(change, event)
    done = [_act(change, name, action) for action in event.reply.actions]
    if event.reply.hand_off is not None:
        turns.hand_off(change, name, event.reply.hand_off)
    elif not spoke and not any(done):
        state.passes += 1
    charge(change, event.reply.tokens, event.reply.cost)


def _act(change: Change, name: str, action: Message) -> bool:
    """Do what an AI participant wants done; tells whether that changed anything.

    It has no more rights than a person: what isn't allowed is a rejection, and it goes on.
    """
    refusal = _own(name, action) or check(change.setup, change.state, action)
    if refusal is None:
        return _accept(change, action).disposition is not Disposition.DUPLICATE
    _reject(change, action.signal, action.sender, refusal)
    if isinstance(action, Invoke):
        invocations.refuse(change, action, refusal)
    return False


def _own(name: str, action: Message) -> Refusal | None:
    if action.sender == name:
        return None
    return Refusal(ErrorType.NOT_PERMITTED, f"{name!r} may not act in the name of {action.sender!r}")


def _take_finding(change: Change, event: Consulted | ConsultFailed) -> None:
    state = change.state
    asked = state.consulting.pop(event.number, None)
    if asked is None:
        return  # decided otherwise meanwhile
    finding = event.finding if isinstance(event, Consulted) else None
    match asked.purpose:
        case Purpose.CHOOSE:
            floor.take_choice(change, asked, finding)
        case Purpose.JUDGE:
            _take_verdict(state, asked, event)
        case Purpose.SUMMARISE:
            # Without an answer the old summary stays, and the next one has more to take in.
            state.summarised = asked.upto
            state.summary = finding.text[:MAX_SUMMARY] if finding and finding.text.strip() else state.summary
    if finding is not None:
        charge(change, finding.tokens, finding.cost)


def _take_verdict(state: ConversationState, asked: Consulting, event: Consulted | ConsultFailed) -> None:
    # Without an answer it doesn't hold, and is asked again when it is due.
    holds = isinstance(event, Consulted) and event.finding.verdict is True
    reason = event.finding.text if isinstance(event, Consulted) else event.reason
    state.verdicts[asked.question] = Verdict(holds=holds, reason=reason[:500], seq=asked.upto, turns=asked.turns)
