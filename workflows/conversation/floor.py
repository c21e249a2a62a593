"""The floor: whose turn it is, who gets it next, and bringing a conversation to rest after an event."""

from signals.assistant import Finding, Purpose
from signals.errors import ErrorType, Refusal
from signals.messages import Answer, Disposition, Grant, Turn
from workflows.conversation.adapting import adapt
from workflows.conversation.advice import ask_for_advice
from workflows.conversation.bounds import OutOfTurn
from workflows.conversation.budgets import grant_budget
from workflows.conversation.change import Change
from workflows.conversation.coordination import AskModel, Choice, Everybody, Given, next_in_order
from workflows.conversation.ending import has_ended
from workflows.conversation.gathering import look, take_answer
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import Consulting, ConversationState
from workflows.conversation.waiting import look_who_is_waited_for


def awaiting(state: ConversationState) -> tuple[str, ...]:
    """The people that the conversation waits for."""
    if state.ended or state.busy is not None:
        return ()
    names = (state.floor,) if state.floor is not None else state.speakers if state.everybody else state.offered
    return tuple(name for name in names if state.members[name].is_person)


def must_wait(setup: ConversationSetup, state: ConversationState, speaker: str) -> bool:
    """Tell whether somebody's turn would be out of turn now."""
    if setup.out_of_turn is OutOfTurn.ACCEPT:
        return False
    return state.busy is not None or not setup.coordination_in(state).may_speak(state, speaker)


def settle(change: Change) -> None:
    """Bring the conversation to rest: has it ended, whose turn is it, who was waiting for it, who is asked?"""
    state = change.state
    while not has_ended(change):
        if _must_pass(change):
            _pass_floor(change)
        if (held := _recordable(change)) is not None:
            state.held.remove(held)
            change.record_turn(held)
            take_answer(change, held)
            continue
        if state.invocations:
            look(change)
        if adapt(change):
            continue
        if state.busy is None:
            for name in change.coordination.to_ask(state):
                change.ask(name)
        ask_for_advice(change)
        if change.setup.constraints.ladder:
            look_who_is_waited_for(change, awaiting(state))
        return


def check_grant(state: ConversationState, grant: Grant) -> Refusal | None:
    """Say why the floor can't be granted; nothing if it can."""
    member = state.members.get(grant.to)
    if member is None or not member.present:
        return Refusal(ErrorType.INVALID_INPUT, f"to: {grant.to!r} is not here")
    if not member.model_copy(update={"called": True}).can_speak:
        return Refusal(ErrorType.INVALID_INPUT, f"to: {grant.to!r} can't speak")
    return None


def grant(change: Change, message: Grant) -> Answer:
    """Give somebody the floor."""
    state = change.state
    member = state.members[message.to]
    seq = change.say(f"{change.label(message.speaker)} gives {change.label(message.to)} the floor")
    state.passes, state.ai_row, state.resting = 0, 0, False
    if not member.is_person:
        member.called, member.stood_down, member.unheard = True, False, True
        grant_budget(change)
    if not state.everybody:
        _give(change, (message.to,))
    return Answer(disposition=Disposition.RECORDED, seq=seq)


def hand_over(change: Change, to: tuple[str, ...]) -> None:
    """Give the floor to somebody whose turn it isn't, where it is anybody's."""
    if not change.state.everybody:
        _give(change, to)
        change.spoke = None


def take_choice(change: Change, asked: Consulting, finding: Finding | None) -> None:
    """Give the floor to whom a language model chose; where it chose nobody who may have it, ask again or go on."""
    state = change.state
    speakers = state.speakers
    candidates = [name for name in asked.candidates if name in speakers]
    choice = finding.choice if finding else None
    if choice in candidates and choice is not None:
        state.misses = 0
        _give(change, (choice,))
        return
    state.misses += 1
    if candidates and state.misses < asked.attempts:
        change.consult(Purpose.CHOOSE, asked.question, asked.model, tuple(candidates), asked.attempts)
        return
    state.misses = 0
    if candidates:
        name = next_in_order(state, candidates, state.last_speaker)
        change.say(f"No model chose who is next; it is {change.label(name)}'s turn")
        _give(change, (name,))


def _must_pass(change: Change) -> bool:
    state, spoke = change.state, change.spoke
    if state.everybody or state.choosing:
        return False
    if state.busy is not None:
        return state.floor is not None and not state.is_able(state.floor)
    if state.floor is not None:
        return state.floor == spoke or not state.is_able(state.floor)
    if state.offered and spoke not in state.offered:
        state.offered = tuple(name for name in state.offered if state.is_able(name))
    return not state.offered or spoke in state.offered


def _pass_floor(change: Change) -> None:
    state, coordination = change.state, change.coordination
    after = change.spoke or state.floor or state.last_speaker
    change.spoke = None
    candidates = coordination.candidates(state, after)
    choice: Choice = coordination.choose(state, candidates, after) if candidates else Given()
    state.everybody = isinstance(choice, Everybody)
    match choice:
        case Everybody():
            state.floor, state.offered = None, ()
        case Given(to=to):
            _give(change, to)
        case AskModel(question=question, candidates=among, model=model, attempts=attempts):
            state.floor, state.offered = None, ()
            change.consult(Purpose.CHOOSE, question, model, among, attempts)


def _give(change: Change, to: tuple[str, ...]) -> None:
    state = change.state
    for name in list(state.replying):
        if name not in to:
            change.cancel_reply(name)
    state.consulting = {number: one for number, one in state.consulting.items() if one.purpose is not Purpose.CHOOSE}
    state.floor, state.offered = (to[0], ()) if len(to) == 1 else (None, to)
    state.everybody = False


def _recordable(change: Change) -> Turn | None:
    state = change.state
    return next((turn for turn in state.held if not must_wait(change.setup, state, turn.speaker)), None)
