"""Conversations of any age for each way of taking turns: the state machine brings them there."""

from datetime import UTC, datetime
from typing import Final

from temporalio import activity

from signals.assistant import Consultation, Finding, Reply
from signals.messages import Grant, Message, Turn
from workflows.conversation import machine
from workflows.conversation.events import Consulted, Event, Received, Replied
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import ConversationState
from workflows.conversation.stubs import Adviser

TEXT: Final = "x" * 200

COORDINATIONS: Final[dict[str, dict[str, object]]] = {
    "turn_based": {},
    "free_form": {},
    "moderated": {},
    "addressed": {},
    "rules": {"rules": {"chair": ["guest"], "guest": ["chair"]}},
    "bidding": {"waiting": 1.0},
    "ai_selected": {"question": "Who is next?"},
}
"""The settings of each way of taking turns, by kind."""

_CHAIR: Final = {"id": "chair", "kind": "human", "role": "chair", "can": ["speak", "moderate"]}


class FirstChoice(Adviser):
    """Chooses the first of the candidates."""

    @activity.defn(name="consult")
    async def consult(self, consultation: Consultation) -> Finding:
        """Answer at once."""
        return Finding(choice=consultation.candidates[0].id, model="first")


def setup_of(kind: str, people: int = 3) -> ConversationSetup:
    """People who take turns in some way and never come to an end."""
    guests = [{"id": f"guest-{number}", "kind": "human", "role": "guest"} for number in range(1, people)]
    return ConversationSetup.model_validate(
        {
            "topic": "aged",
            "participants": [_CHAIR, *guests],
            "coordination": {"kind": kind, **COORDINATIONS[kind]},
            "emergence": [{"kind": "turns", "count": 1_000_000}],
            "adaptation": [],
            "history_events": 10_000,
        }
    )


def next_message(setup: ConversationSetup, awaiting: tuple[str, ...], turns: int) -> Message:
    """What comes next in a conversation that waits for these people."""
    kind, speaker = setup.coordination.kind, awaiting[turns % len(awaiting)]
    others = [person.id for person in setup.participants if person.id != speaker]
    if kind == "moderated" and speaker == "chair" and turns % 2:
        return Grant(speaker=speaker, to=others[turns % len(others)])
    to = (others[turns % len(others)],) if kind == "addressed" else ()
    return Turn(speaker=speaker, text=TEXT, to=to)


def aged(setup: ConversationSetup, turns: int) -> ConversationState:
    """A conversation in which so many turns were taken, as a continued run takes it up."""
    at = datetime.now(UTC)
    state, _ = machine.open_conversation(setup, "aged", at)
    while state.turns < turns:
        machine.apply(setup, state, next_event(setup, state, at))
    return state.carried()


def next_event(setup: ConversationSetup, state: ConversationState, at: datetime) -> Event:
    """What happens next, where all goes well."""
    for number, asked in state.consulting.items():
        return Consulted(number, Finding(choice=asked.candidates[0], model="first"), at)
    for speaker, ask in state.replying.items():
        return Replied(speaker, ask, Reply(text=TEXT, model="first"), at)
    return Received(next_message(setup, machine.awaiting(state), state.turns), at)
