"""What Hypothesis draws conversations from: every strategy, condition, observation, action and rung, in any company."""

from hypothesis import strategies as st

from signals.modes import Mode
from signals.participants import Kind, Participant, Permission, Speaks
from tests.unit.conversation.talk import offer
from workflows.conversation.adaptation import (
    DEFAULT_RULES,
    Action,
    AddParticipant,
    AskForSwitch,
    CallVote,
    DropParticipant,
    Nudge,
    Rule,
    Summarise,
    SwitchCoordination,
    rules_fault,
)
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
    Summaries,
)
from workflows.conversation.combining import AllOf, AnyOf
from workflows.conversation.coordination import FreeForm, TurnBased
from workflows.conversation.emergence import (
    Condition,
    Consensus,
    Deadline,
    Decision,
    EveryoneLeft,
    Fact,
    Judge,
    Quorum,
    Silence,
    Turns,
)
from workflows.conversation.observations import (
    BudgetSpent,
    Circling,
    Disagreement,
    Dominates,
    Observation,
    Silent,
    Stalled,
)
from workflows.conversation.routing import Addressed, Broadcast, ByRole, ByTopic, RoutingStrategy
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.speaker_selection import AiSelected, Bidding, Coordination, Handoff, Moderated, Rules

NAMES = ("ann", "ben", "cat", "dan", "eve", "fay")
ROLES = ("customer", "agent")
TOPICS = ("food", "drink")
WINDOW = 100
"""As wide as can be, so that tests see every message."""

PERMISSIONS = (
    (Permission.SPEAK,),
    (Permission.SPEAK, Permission.MODERATE),
    (Permission.SPEAK, Permission.DECIDE),
    tuple(Permission),
    (Permission.MODERATE, Permission.DECIDE),
    (),
)

FRAGMENTS = (
    offer("Ping"),
    offer("Book", {"place": {"type": "string", "minLength": 2}, "nights": {"type": "integer"}}, fact="booked"),
    offer("Pay", {"sum": {"type": "number"}}, roles=["agent"], modes=["asynchronous"], bound={"note": "person"}),
    offer("Lend", {"booked": {}}, bound={"booked": "fact"}),
)

KINDS = (Kind.HUMAN, Kind.AI, Kind.AI)

COORDINATIONS: tuple[Coordination, ...] = (
    TurnBased(),
    FreeForm(),
    Moderated(),
    Handoff(),
    Handoff(otherwise="back", allow_repeat=True),
    Rules(rules={"customer": ("agent",), "agent": ("customer", "agent")}),
    Bidding(words={"agent": ("pizza",)}, weights={"agent": 2}),
    AiSelected(),
)

CONDITIONS: tuple[Condition, ...] = (
    Decision(),
    Decision(roles=("agent",)),
    Consensus(),
    Consensus(of="everybody"),
    Quorum(share=0.6, of="everybody"),
    Quorum(count=1, refusals=1),
    Turns(count=5),
    Turns(count=40),
    Silence(seconds=60),
    Deadline(seconds=100),
    Fact(name="price"),
    EveryoneLeft(),
    EveryoneLeft(role="agent"),
    Judge(question="Is it so?", every=2),
    AllOf(of=(Turns(count=8), AnyOf(of=(Silence(seconds=9), Judge(question="Or so?", every=3))))),
)

OBSERVED: tuple[Observation, ...] = (
    Stalled(seconds=3),
    Stalled(turns=2),
    Dominates(share=0.4, turns=3),
    Silent(turns=2),
    Circling(turns=2, similarity=0.1),
    Disagreement(votes=1, proposals=2),
    BudgetSpent(share=0.2),
)

DONE: tuple[Action, ...] = (
    *(SwitchCoordination(to=coordination) for coordination in COORDINATIONS),
    Nudge(text="Well?"),
    AddParticipant(participant=Participant(id="zed", kind=Kind.AI, role="agent")),
    AddParticipant(participant=Participant(id="yan", kind=Kind.HUMAN, role="agent", can=tuple(Permission))),
    DropParticipant(),
    DropParticipant(id=NAMES[0]),
    CallVote(),
    Summarise(),
    AskForSwitch(to=Mode.WORKFLOW),
)

LADDERS: tuple[tuple[Rung, ...], ...] = (
    (),
    (Remind(after_seconds=3), BringIn(after_seconds=6, role="agent"), GiveUp(after_seconds=200)),
    (BringIn(after_seconds=2, participant=Participant(id="xena", kind=Kind.HUMAN, role="agent")),),
)

BUDGETS = (
    None,
    Budget(tokens=40),
    Budget(tokens=40, at_exhaustion=Exhausted.STOP),
    Budget(tokens=20, cost=1, at_exhaustion=Exhausted.ASK),
)

Pick = tuple[int, int, int]
"""Small numbers by which the particulars of what happens are chosen."""

picks = st.tuples(st.integers(0, 19), st.integers(0, 19), st.integers(0, 19))

rules = st.builds(
    Rule,
    when=st.sampled_from(OBSERVED),
    then=st.sampled_from(DONE),
    most=st.integers(1, 3),
    pause=st.integers(1, 3),
)


def participant(pick: Pick) -> Participant:
    """Somebody; most may speak."""
    who, can, kind = pick
    return Participant(
        id=NAMES[who % len(NAMES)],
        kind=KINDS[kind % len(KINDS)],
        speaks=tuple(Speaks)[who % 3] if KINDS[kind % len(KINDS)] is Kind.AI and can % 4 == 3 else Speaks.ALWAYS,
        role=ROLES[can % 2],
        can=PERMISSIONS[can % len(PERMISSIONS)],
    )


def _suited(members: tuple[Participant, ...], coordination: Coordination) -> tuple[Participant, ...]:
    """The same people, with those whom a conversation, or a way of taking turns, can't do without."""
    if all(one.speaks is not Speaks.ALWAYS or not one.may(Permission.SPEAK) for one in members):
        members = (participant((0, 0, 0)), *members[1:])
    if any(one.speaks is Speaks.ASKED for one in members) and not any(one.may(Permission.MODERATE) for one in members):
        members = (*members, Participant(id="mod", kind=Kind.HUMAN, role="agent", can=tuple(Permission)))
    if isinstance(coordination, Moderated) and coordination.fault(members):
        return (participant((0, 1, 0)), *members[1:])
    if coordination.fault(members):
        return (participant((0, 0, 0)), participant((1, 1, 0)), *members[2:])
    return members


def _may_climb(ladder: tuple[Rung, ...], members: tuple[Participant, ...]) -> bool:
    """Whether all who are to be brought in may come."""
    bringing = [rung for rung in ladder if isinstance(rung, BringIn)]
    cast = [*members, *(rung.participant for rung in bringing if rung.participant is not None)]
    return not any(rung.fault(cast) for rung in bringing)


def _may_be_followed(rule: Rule, members: tuple[Participant, ...], constraints: Constraints) -> bool:
    cast = [*members, *([rule.then.participant] if isinstance(rule.then, AddParticipant) else [])]
    return rules_fault([rule], cast, constraints, WINDOW) is None


def _routings(members: tuple[Participant, ...]) -> list[RoutingStrategy]:
    subscriptions = {one.id: TOPICS[index % 2 :] for index, one in enumerate(members[:3])}
    by_role = [ByRole(hears={one.role: ()}) for one in members]
    return [Broadcast(), Addressed(), ByTopic(subscriptions=subscriptions), *by_role]


@st.composite
def setups(
    draw: st.DrawFn, coordination: Coordination, out_of_turn: OutOfTurn, *, with_fragments: bool = False
) -> ConversationSetup:
    """Any setup that may be opened.

    Args:
        draw: Hypothesis gives it.
        coordination: How turns are taken.
        out_of_turn: What becomes of a turn out of turn.
        with_fragments: Whether things may be run, by everybody.
    """
    drawn = draw(st.lists(picks, min_size=1, max_size=len(NAMES)))
    members = tuple(participant((index, can, kind)) for index, (_, can, kind) in enumerate(drawn))
    members = _suited(members, coordination)
    if with_fragments:
        members = tuple(
            m.model_copy(update={"can": tuple(dict.fromkeys((*m.can, Permission.INVOKE)))}) for m in members
        )
    asked = any(one.kind is Kind.HUMAN and one.may(Permission.MODERATE) for one in members)
    constraints = Constraints(
        timeout_seconds=draw(st.sampled_from([100.0, 1000.0])),
        max_turns=draw(st.sampled_from([None, 10, 40])),
        participant_limit=len(members) + draw(st.integers(0, 2)),
        ai_row=draw(st.sampled_from([1, 3, 20])),
        budget=draw(st.sampled_from(BUDGETS if asked else BUDGETS[:-1])),
        ladder=draw(st.sampled_from([ladder for ladder in LADDERS if _may_climb(ladder, members)])),
    )
    ends = [condition for condition in CONDITIONS if condition.fault(members) is None]
    followed = rules.filter(lambda rule: _may_be_followed(rule, members, constraints))
    return ConversationSetup(
        topic="Lunch",
        participants=members,
        coordination=coordination,
        out_of_turn=out_of_turn,
        routing=draw(st.sampled_from(_routings(members))),
        emergence=tuple(draw(st.lists(st.sampled_from(ends), min_size=1, max_size=3))),
        adaptation=draw(st.just(DEFAULT_RULES) | st.lists(followed, max_size=4).map(tuple)),
        summary=draw(st.sampled_from([None, Summaries(every=10)])),
        outcome=draw(st.sampled_from([None, {"type": "integer"}])),
        guests=draw(st.sampled_from([None, Guests(), Guests(kinds=tuple(Kind), can=tuple(Permission))])),
        fragments=FRAGMENTS if with_fragments else (),
        constraints=constraints,
        window=WINDOW,
    )
