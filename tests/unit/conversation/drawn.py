"""What Hypothesis draws conversations from."""

from hypothesis import strategies as st

from signals.participants import Kind, Participant, Permission, Speaks
from workflows.conversation.bounds import (
    BringIn,
    Budget,
    Constraints,
    Exhausted,
    GiveUp,
    Guests,
    OutOfTurn,
    Remind,
    Rung,
)
from workflows.conversation.emergence import Consensus, Deadline, Decision, Silence, Turns
from workflows.conversation.routing import Addressed, Broadcast
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.speaker_selection import Coordination, Moderated, Rules

NAMES = ("ann", "ben", "cat", "dan", "eve", "fay")

PERMISSIONS = (
    (Permission.SPEAK,),
    (Permission.SPEAK, Permission.MODERATE),
    (Permission.SPEAK, Permission.DECIDE),
    tuple(Permission),
    (Permission.MODERATE, Permission.DECIDE),
    (),
)

KINDS = (Kind.HUMAN, Kind.AI, Kind.AI)

LADDERS: tuple[tuple[Rung, ...], ...] = (
    (),
    (Remind(after_seconds=3), BringIn(after_seconds=6, role="agent"), GiveUp(after_seconds=200)),
    (BringIn(after_seconds=2, participant=Participant(id="fay", kind=Kind.HUMAN, role="lead")),),
)

Pick = tuple[int, int, int]
"""Small numbers by which the particulars of what happens are chosen."""

picks = st.tuples(st.integers(0, 19), st.integers(0, 19), st.integers(0, 19))


def participant(pick: Pick) -> Participant:
    """Somebody; most may speak."""
    who, can, kind = pick
    return Participant(
        id=NAMES[who % len(NAMES)],
        kind=KINDS[kind % len(KINDS)],
        speaks=tuple(Speaks)[who % 3] if KINDS[kind % len(KINDS)] is Kind.AI and can % 4 == 3 else Speaks.ALWAYS,
        role=("customer", "agent")[can % 2],
        can=PERMISSIONS[can % len(PERMISSIONS)],
    )


def _suited(members: tuple[Participant, ...], coordination: Coordination) -> tuple[Participant, ...]:
    """The same people, with those whom a way of taking turns can't do without."""
    if isinstance(coordination, Moderated) and coordination.fault(members):
        return (participant((0, 1, 0)), *members[1:])
    if isinstance(coordination, Rules) and coordination.fault(members):
        return (participant((0, 0, 0)), participant((1, 1, 0)), *members[2:])
    return members


def _climbs(ladder: tuple[Rung, ...], members: tuple[Participant, ...]) -> bool:
    """Whether all who are to be brought in may come."""
    newcomers = [rung.participant for rung in ladder if isinstance(rung, BringIn) and rung.participant is not None]
    known = {one.id for one in members}
    cast = [*members, *(one for one in newcomers if one.id not in known)]
    return not any(rung.fault(cast) for rung in ladder if isinstance(rung, BringIn))


@st.composite
def setups(draw: st.DrawFn, coordination: Coordination, out_of_turn: OutOfTurn) -> ConversationSetup:
    """Any setup that may be opened; its window is as wide as can be, so that tests see every message."""
    drawn = draw(st.lists(picks, min_size=1, max_size=len(NAMES)))
    members = tuple(participant((index, can, kind)) for index, (_, can, kind) in enumerate(drawn))
    if not any(member.may(Permission.SPEAK) for member in members):
        members = (participant((0, 0, 0)), *members[1:])
    members = _suited(members, coordination)
    deciders = [m for m in members if m.may(Permission.SPEAK) and m.may(Permission.DECIDE)]
    people = [m for m in members if m.may(Permission.SPEAK) and m.kind is Kind.HUMAN]
    conditions = [
        *(Consensus() for _ in people[:1]),
        Consensus(of="everybody"),
        Turns(count=draw(st.integers(5, 40))),
        Silence(seconds=60),
        Deadline(seconds=100),
        *(Decision(roles=roles) for member in deciders[:1] for roles in ((), (member.role,))),
    ]
    return ConversationSetup(
        topic="Lunch",
        participants=members,
        coordination=coordination,
        out_of_turn=out_of_turn,
        routing=draw(st.sampled_from([Broadcast(), Addressed()])),
        emergence=tuple(draw(st.lists(st.sampled_from(conditions), min_size=1, max_size=2))),
        outcome=draw(st.sampled_from([None, {"type": "integer"}])),
        guests=draw(st.sampled_from([None, Guests(), Guests(kinds=tuple(Kind), can=tuple(Permission))])),
        constraints=Constraints(
            timeout_seconds=draw(st.sampled_from([100.0, 1000.0])),
            max_turns=draw(st.sampled_from([None, 10, 40])),
            participant_limit=len(members) + draw(st.integers(0, 2)),
            ai_row=draw(st.sampled_from([1, 3, 20])),
            budget=draw(st.sampled_from([None, Budget(tokens=40), Budget(tokens=40, at_exhaustion=Exhausted.STOP)])),
            ladder=draw(st.sampled_from([ladder for ladder in LADDERS if _climbs(ladder, members)])),
        ),
        window=100,
    )
