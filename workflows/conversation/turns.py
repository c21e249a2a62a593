"""What is said: people's turns, AI participants' replies, and interrupting these."""

from signals.messages import Answer, Disposition, Interrupt, Turn
from signals.wire import MAX_TEXT_BYTES
from workflows.conversation.change import Change
from workflows.conversation.events import Replied, ReplyFailed
from workflows.conversation.floor import hand_over, must_wait
from workflows.conversation.fragment_ends import stop_waiting
from workflows.conversation.gathering import take_answer
from workflows.conversation.roster import MAX_FAILURES
from workflows.conversation.state import HELD, digest


def take_turn(change: Change, turn: Turn) -> Answer:
    """Record a turn, or hold it until its speaker has the floor."""
    state, key = change.state, digest(turn)
    if key is not None and key in state.seen:
        return Answer(disposition=Disposition.DUPLICATE, seq=state.seen[key] or None)
    if must_wait(change.setup, state, turn.speaker):
        state.held.append(turn)
        if key is not None:
            state.seen[key] = HELD
        return Answer(disposition=Disposition.HELD)
    seq = change.record_turn(turn)
    take_answer(change, turn)
    return Answer(disposition=Disposition.RECORDED, seq=seq)


def interrupt(change: Change, message: Interrupt) -> Answer:
    """Stop the replies under way, and wait for no fragment any more; what was said stays."""
    state = change.state
    stopped, left = list(state.replying), stop_waiting(change)
    for name in stopped:
        change.cancel_reply(name)
        state.members[name].called = False
        state.passes += 1
        change.spoke = stopped[0]
    told = [
        f"interrupted {', '.join(map(change.label, stopped))}" if stopped else "",
        f"goes on without waiting for {', '.join(left)}" if left else "",
    ]
    seq = change.say(f"{change.label(message.speaker)} {' and '.join(filter(None, told))}")
    return Answer(disposition=Disposition.RECORDED, seq=seq)


def say_reply(change: Change, event: Replied) -> bool:
    """Record what an AI participant says in its reply; tells whether it says anything."""
    state, name, reply = change.state, event.speaker, event.reply
    member = state.members[name]
    member.failures = 0
    member.replies += 1
    _had_their_say(change, name)
    text = reply.text.strip().encode()[:MAX_TEXT_BYTES].decode(errors="ignore")
    if text:
        known = tuple(to for to in reply.to if to in state.members and to != name)
        change.record_turn(Turn(speaker=name, text=text, to=known))
    change.spoke = name
    return bool(text)


def hand_off(change: Change, name: str, to: str) -> None:
    """Have a person go on in an AI participant's place, where there is one who can."""
    state = change.state
    taker = state.members.get(to)
    if taker is None or not taker.is_person or not taker.can_speak:
        change.say(f"{change.label(name)} wanted to hand over to {to!r}, who can't take over")
        return
    change.say(f"{change.label(name)} hands over to {taker.participant.label}")
    state.members[name].stood_down = True
    hand_over(change, (to,))


def take_failure(change: Change, event: ReplyFailed) -> None:
    """Tell that an AI participant can't reply, once for a row of failures and once when it is given up; it passes."""
    name = event.speaker
    member = change.state.members[name]
    member.failures += 1
    _had_their_say(change, name)
    told = f"{change.label(name)} can't reply: {event.reason}"
    if member.failures == MAX_FAILURES:
        change.say(f"{told}; after {MAX_FAILURES} failures in a row it is asked no more")
    elif member.failures == 1:
        change.say(told)
    change.state.passes += 1
    change.spoke = name


def _had_their_say(change: Change, name: str) -> None:
    state, member = change.state, change.state.members[name]
    member.called = member.called and member.unheard  # called again meanwhile
    state.ai_row += 1
    if state.ai_row >= change.setup.constraints.ai_row:
        state.resting = any(one.is_person and one.can_speak for one in state.members.values())
