"""Waiting for people: who is waited for since when, and what is done when they don't answer."""

from datetime import datetime, timedelta
from typing import Final

from signals.conversation import Ended, StopReason
from signals.notices import Waiting
from workflows.conversation.bounds import BringIn, GiveUp, Remind, Rung
from workflows.conversation.change import Change
from workflows.conversation.events import Told
from workflows.conversation.routing import visible
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import ConversationState, Wait

MAX_TEXT: Final = 500
"""How much of the last message people are told, in characters."""


def look_who_is_waited_for(change: Change, people: tuple[str, ...]) -> None:
    """Note who is waited for; a wait begins anew when somebody speaks, or when it is for others."""
    state = change.state
    if not people:
        state.wait = None
    elif state.wait is None or set(state.wait.people) != set(people) or state.last_activity > state.wait.since:
        state.wait = Wait(people=people, since=change.now)


def due(setup: ConversationSetup, state: ConversationState) -> datetime | None:
    """When the next rung of the ladder is climbed; never, where nobody is waited for or none is left."""
    ladder, wait = setup.constraints.ladder, state.wait
    if wait is None or wait.rungs >= len(ladder):
        return None
    return wait.since + timedelta(seconds=ladder[wait.rungs].after_seconds)


def climb(change: Change) -> None:
    """Do what is due because people don't answer."""
    while (at := due(change.setup, change.state)) is not None and at <= change.now:
        wait = change.state.wait
        if wait is None or change.state.ended is not None:
            return
        rung = change.setup.constraints.ladder[wait.rungs]
        wait.rungs += 1
        _do(change, wait, rung)


def take_told(change: Change, event: Told) -> None:
    """Note that people were told, or say that they couldn't be."""
    state = change.state
    state.telling = [one for one in state.telling if one != event.waiting]
    if event.fault is not None:
        people = ", ".join(person.label for person in event.waiting.people)
        change.say(f"{people} could not be told: {event.fault}")


def _do(change: Change, wait: Wait, rung: Rung) -> None:
    labels = ", ".join(change.label(name) for name in wait.people)
    match rung:
        case Remind():
            _tell(change, wait)
        case BringIn():
            _bring_in(change, wait, rung)
        case GiveUp(outcome=outcome):
            since = f"{(change.now - wait.since).total_seconds():g} s"
            seq = change.say(f"{labels} did not answer for {since}")
            reason = f"nobody answered for {since} ({', '.join(wait.people)})"
            change.end(Ended(stop=StopReason.FALLBACK, at=change.now, reason=reason, outcome=outcome, evidence=(seq,)))


def _bring_in(change: Change, wait: Wait, rung: BringIn) -> None:
    state = change.state
    newcomer = rung.participant
    if newcomer is not None:
        if len(state.present) >= change.setup.constraints.participant_limit:
            change.say(f"{newcomer.label} can't be brought in: there are too many here already")
            return
        state.admit(newcomer)
    names = tuple(
        name
        for name, member in state.members.items()
        if (name == newcomer.id if newcomer is not None else member.participant.role == rung.role)
        and name not in wait.people
        and state.is_able(name)
    )
    if not names:
        return
    brought = ", ".join(change.label(name) for name in names)
    change.say(f"{', '.join(change.label(name) for name in wait.people)} did not answer; {brought} may answer too")
    if not state.everybody:
        state.floor, state.offered = None, tuple(dict.fromkeys((*wait.people, *names)))
    # The wait goes on: it is for the same answer.
    wait.people = tuple(name for name in (*wait.people, *names) if state.members[name].is_person)
    wait.since = max(wait.since, state.last_activity)
    _tell(change, wait)


def _tell(change: Change, wait: Wait) -> None:
    state = change.state
    people = tuple(state.members[name].participant for name in wait.people)
    shown = next((m for m in reversed(state.messages) if all(visible(m, person.id) for person in people)), None)
    waiting = Waiting(
        conversation=state.conversation,
        topic=change.setup.topic[:MAX_TEXT],
        people=people,
        since=wait.since,
        reminder=wait.rungs,
        message=shown.seq if shown else 0,
        text=shown.text[:MAX_TEXT] if shown else "",
    )
    change.tell(waiting)
