"""Adaptation at work: the rules are followed, each with a message that says what was seen and what is done."""

from datetime import datetime
from typing import Final

from signals.assistant import Purpose
from signals.conversation import Ended, StopReason
from signals.participants import Participant, Permission
from workflows.conversation.adaptation import (
    AddParticipant,
    AskForSwitch,
    CallVote,
    DropParticipant,
    Nudge,
    Rule,
    Summarise,
    SwitchCoordination,
)
from workflows.conversation.advice import summarise
from workflows.conversation.change import Change
from workflows.conversation.members import part_from
from workflows.conversation.observations import Seen
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import Adapted, ConversationState

MAX_NUMBERS: Final = 10
"""How many message numbers a message names as evidence: the latest ones."""


def adapt(change: Change) -> bool:
    """Follow the first rule of adaptation whose time has come; tells whether there was one."""
    state, constraints = change.state, change.setup.constraints
    for index, rule in enumerate(change.setup.adaptation):
        if (
            _may_follow(state, index, rule)
            and _is_looked_for(state, index, rule)
            and (seen := rule.when.seen(state, change.now, constraints))
        ):
            _follow(change, index, rule, seen)
            return True
    return False


def due(setup: ConversationSetup, state: ConversationState, now: datetime) -> datetime | None:
    """When a rule may have to be followed by time alone; never, where none is about time."""
    times = (
        rule.when.due(state, now) for index, rule in enumerate(setup.adaptation) if _may_follow(state, index, rule)
    )
    # What could have been seen already was looked for.
    return min((at for at in times if at is not None and at > now), default=None)


def _may_follow(state: ConversationState, index: int, rule: Rule) -> bool:
    past = state.adapted.get(index)
    if past is None or not past.times:
        return True
    # The way of taking turns that holds already is not changed to again.
    return past.times < rule.most and state.turns - past.turns >= rule.pause and state.coordination != index


def _is_looked_for(state: ConversationState, index: int, rule: Rule) -> bool:
    pace = rule.when.pace
    if not pace:
        return True
    past = state.adapted.get(index)
    if state.turns - (past.looked if past else 0) < pace:
        return False
    if past is None:
        past = state.adapted[index] = Adapted()
    past.looked = state.turns
    return True


def _follow(change: Change, index: int, rule: Rule, seen: Seen) -> None:
    state = change.state
    past = state.adapted.setdefault(index, Adapted())
    past.times += 1
    past.turns = state.turns
    match rule.then:
        case SwitchCoordination(to=to):
            _switch_coordination(change, index)
            _tell(change, seen, f"turns are taken otherwise from now on ({to.kind})")
        case Nudge(text=text):
            _ask_again(change, seen.wanted)
            _tell(change, seen, text)
        case AddParticipant(participant=participant):
            _tell(change, seen, _add(change, participant))
        case DropParticipant(id=name):
            _tell(change, seen, _drop(change, name or next(iter(seen.who), None)))
        case CallVote():
            _tell(change, seen, _call_vote(change))
        case Summarise(model=model):
            asked = summarise(change, model)
            _tell(change, seen, "a summary is made" if asked else "no summary can be made now")
        case AskForSwitch(to=to):
            seq = _tell(change, seen, f"it asks for the mode '{to}'")
            evidence = tuple(sorted({*seen.evidence, seq}))
            change.end(Ended(stop=StopReason.SWITCH, at=change.now, reason=seen.text, evidence=evidence, switch_to=to))


def _tell(change: Change, seen: Seen, done: str | None) -> int:
    numbers = seen.evidence[-MAX_NUMBERS:]
    where = f" (message{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))})" if numbers else ""
    return change.say(f"{seen.text}{where}" + (f": {done}" if done else ""))


def _switch_coordination(change: Change, index: int) -> None:
    state = change.state
    state.coordination = index
    # Whose turn it is gets chosen anew; replies under way stop only if their speakers don't get it.
    state.consulting = {number: one for number, one in state.consulting.items() if one.purpose is not Purpose.CHOOSE}
    state.misses = 0
    state.floor, state.offered, state.everybody = None, (), False


def _ask_again(change: Change, names: tuple[str, ...]) -> None:
    """Have AI participants that have reason to speak be asked once more."""
    state = change.state
    ais = [state.members[name] for name in names if not state.members[name].is_person and state.is_able(name)]
    for member in ais:
        member.called = member.unheard = True
    if ais:
        state.passes = 0


def _add(change: Change, participant: Participant) -> str:
    state, label = change.state, participant.label
    known = state.members.get(participant.id)
    if known is not None and known.present:
        return f"{change.label(participant.id)} is here already"
    if known is not None and known.participant != participant:
        return f"{label} can't be brought in, for somebody else with that id was here before"
    if len(state.present) >= change.setup.constraints.participant_limit:
        return f"{label} can't be brought in, for there are too many here already"
    member = state.admit(participant)
    if not member.is_person:
        member.called = member.unheard = True
    return f"{label} ({participant.role}) joins"


def _drop(change: Change, name: str | None) -> str:
    state = change.state
    member = state.members.get(name) if name is not None else None
    if member is None or name is None or not member.present:
        return "whoever is to leave is not here"
    others = [one.participant for one in state.present if one is not member]
    for permission in (Permission.DECIDE, Permission.MODERATE):
        if member.participant.may(permission) and not any(one.may(permission) for one in others):
            return f"{change.label(name)} stays, for nobody else may {permission}"
    if not any(one.may(Permission.SPEAK) for one in others):
        return f"{change.label(name)} stays, for nobody else may speak"
    if member.is_person and not any(one.is_person for one in state.present if one is not member):
        return f"{change.label(name)} stays, for there is no other person"
    part_from(change, name)
    return f"{change.label(name)} leaves"


def _call_vote(change: Change) -> str:
    state = change.state
    if not state.proposals:
        return "there is nothing to vote on; please propose an outcome"
    proposal = state.proposals[-1]
    voted = proposal.approved_by.keys() | proposal.refused_by.keys()
    missing = tuple(name for name in state.speakers if name not in voted)
    _ask_again(change, missing)
    who = ", ".join(change.label(name) for name in missing) or "everybody has voted; whoever has changed their mind"
    return f"please vote on proposal {proposal.number} ({who})"
