"""When a conversation has come to its end: quorum, facts, leaving, and what a language model judges."""

import pytest

from signals.assistant import Finding, Purpose
from signals.conversation import StopReason
from signals.participants import Participant, Permission
from tests.unit.conversation.talk import Talk, ai, person
from tests.unit.conversation.test_setup import HOST, told
from workflows.conversation.coordination import FreeForm
from workflows.conversation.emergence import Condition, EveryoneLeft, Fact, Judge, Quorum
from workflows.conversation.events import Consult, Consulted, ConsultFailed

ANN, BEN, CAT, DAN = (person(name) for name in ("ann", "ben", "cat", "dan"))
LEAD, BOSS = person("lead", role="lead"), person("boss", Permission.SPEAK, Permission.DECIDE, role="lead")
ROBOT = ai("robot")
SOLVED = "Is it solved?"


def open_to_all(condition: Condition, *people: Participant, **options: object) -> Talk:
    """A conversation without a floor that ends by this condition."""
    return Talk(*people, emergence=(condition,), coordination=FreeForm(), **options)


def judged(talk: Talk, verdict: bool | None, number: int | None = None) -> None:
    """Have the language model answer the question it was asked last."""
    finding = Finding(verdict=verdict, text="they said thanks", model="script")
    talk.apply(Consulted(number or sum(talk.state.consultations.values()), finding, talk.now))


# Quorum


def test_enough_approvals_of_one_proposal_end_it() -> None:
    talk = open_to_all(Quorum(count=2), ANN, BEN, CAT)
    talk.propose("ann", "pizza")
    talk.propose("ben", "soup")
    assert talk.state.ended is None
    talk.vote("cat", 2)
    assert (talk.ended.stop, talk.ended.outcome) == (StopReason.QUORUM, "soup")
    assert (talk.ended.decided_by, talk.ended.evidence) == (("ben", "cat"), (2, 3))
    assert talk.ended.reason == "proposal 2 was approved by 2 of 3 (ben, cat)"


@pytest.mark.parametrize(("share", "votes"), [(0.5, 2), (0.51, 3), (0.75, 3), (1.0, 4), (0.01, 1)])
def test_a_share_is_of_those_who_are_here(share: float, votes: int) -> None:
    talk = open_to_all(Quorum(share=share), ANN, BEN, CAT, DAN)
    talk.propose("ann", "pizza")
    for count, name in enumerate(("ben", "cat", "dan"), start=1):
        assert (talk.state.ended is not None) == (count >= votes)
        talk.vote(name, 1)
    assert talk.state.ended is not None


def test_whoever_leaves_changes_what_a_share_comes_to() -> None:
    talk = open_to_all(Quorum(share=0.6), ANN, BEN, CAT, DAN)
    talk.propose("ann", "pizza")
    talk.vote("ben", 1)
    talk.leave("cat")
    assert talk.ended.decided_by == ("ann", "ben")


def test_ai_participants_vote_only_where_everybody_does() -> None:
    talk = open_to_all(Quorum(count=1), ANN, ROBOT)
    talk.propose("robot", "pizza")
    assert talk.state.ended is None
    both = open_to_all(Quorum(count=1, of="everybody"), ANN, ROBOT)
    both.propose("robot", "pizza")
    assert both.ended.decided_by == ("robot",)


def test_only_some_roles_vote() -> None:
    talk = open_to_all(Quorum(count=1, roles=("lead",)), ANN, LEAD)
    talk.propose("ann", "pizza")
    assert talk.state.ended is None
    talk.vote("lead", 1)
    assert talk.ended.decided_by == ("lead",)


def test_refusals_keep_a_proposal_from_being_accepted_until_they_are_taken_back() -> None:
    talk = open_to_all(Quorum(count=2, refusals=1), ANN, BEN, CAT)
    talk.propose("ann", "pizza")
    talk.vote("cat", 1, approve=False)
    talk.vote("ben", 1)
    assert talk.state.ended is None
    talk.vote("cat", 1)
    assert talk.ended.decided_by == ("ann", "ben", "cat")


# Facts


def test_a_fact_that_becomes_known_ends_it() -> None:
    talk = open_to_all(Fact(name="order_id"), ANN, BEN)
    talk.turn("ann")
    assert talk.state.ended is None
    talk.state.facts = {"order_id": None}
    talk.turn("ben")
    assert (talk.ended.stop, talk.ended.reason, talk.ended.evidence) == (StopReason.FACT, "'order_id' is known", (2,))


@pytest.mark.parametrize(("value", "ends"), [(1, True), (1.0, True), (True, False), ("1", False), (None, False)])
def test_a_fact_may_have_to_be_something_as_json_has_it(value: object, ends: bool) -> None:
    talk = open_to_all(Fact(name="stars", equals=1), ANN, facts={"stars": value})
    assert (talk.state.ended is not None) == ends


# Everyone left


def test_it_ends_when_everybody_of_a_role_has_left() -> None:
    talk = open_to_all(EveryoneLeft(role="lead"), ANN, LEAD, BOSS)
    talk.leave("lead")
    talk.leave("ann")
    assert talk.state.ended is None
    talk.leave("boss")
    assert (talk.ended.stop, talk.ended.reason) == (StopReason.EVERYONE_LEFT, "everyone of the role 'lead' has left")
    assert talk.ended.evidence == (3,)


# Judging


def test_a_language_model_is_asked_every_so_many_turns_and_its_yes_ends_it() -> None:
    talk = open_to_all(Judge(question=SOLVED, every=2, model="local"), ANN, BEN)
    talk.turn("ann")
    assert talk.state.consulting == {}
    talk.turn("ben")
    asked = talk.state.consulting[1]
    assert (asked.purpose, asked.question, asked.model, asked.upto) == (Purpose.JUDGE, SOLVED, "local", 2)
    talk.turn("ann")
    judged(talk, True)
    assert (talk.ended.stop, talk.ended.evidence) == (StopReason.JUDGED, (2,))
    assert talk.ended.reason == "'Is it solved?' was judged to be so: they said thanks"


def test_it_is_not_asked_twice_at_a_time_and_asked_anew_after_a_no() -> None:
    talk = open_to_all(Judge(question=SOLVED, every=2), ANN)
    for _ in range(5):
        talk.turn("ann")
    assert list(talk.state.consulting) == [1]
    judged(talk, False)
    assert list(talk.state.consulting) == [2], "three turns were taken since what it was asked about"
    talk.apply(ConsultFailed(2, "no model", talk.now))
    talk.turn("ann")
    assert talk.state.consulting == {}
    talk.turn("ann")
    assert list(talk.state.consulting) == [3]


def test_nothing_is_judged_where_the_budget_is_used_up() -> None:
    talk = open_to_all(Judge(question=SOLVED, every=1), ANN)
    talk.state.muted = True
    talk.turn("ann")
    assert not any(isinstance(effect, Consult) for effect in talk.effects)


# What doesn't suit


@pytest.mark.parametrize(
    ("condition", "fault"),
    [
        ({"kind": "quorum"}, "emergence.0: give either 'count' or 'share'"),
        ({"kind": "quorum", "count": 1, "share": 0.5}, "emergence.0: give either 'count' or 'share'"),
        ({"kind": "quorum", "share": 0}, "emergence.0.share: Input should be greater than 0"),
        ({"kind": "quorum", "count": 2}, "input: emergence.0.count: 2 are more than the 1 who may vote"),
        (
            {"kind": "quorum", "count": 1, "refusals": 2},
            "input: emergence.0.refusals: 2 are more than the 1 who may vote",
        ),
        (
            {"kind": "quorum", "count": 1, "roles": ["lead"]},
            "input: emergence.0.roles: nobody has the role 'lead'",
        ),
        ({"kind": "fact", "name": ""}, "emergence.0.name: String should have at least 1 character"),
        ({"kind": "everyone_left", "role": "lead"}, "input: emergence.0.role: nobody has the role 'lead'"),
        ({"kind": "judge", "question": " "}, "emergence.0.question: String should have at least 1 character"),
        ({"kind": "judge", "question": "?", "every": 0}, "emergence.0.every: Input should be greater than or equal"),
        ({"kind": "all", "of": []}, "emergence.0.of: Tuple should have at least 1 item"),
        (
            {"kind": "all", "of": [{"kind": "silence", "seconds": 9}, {"kind": "quorum", "count": 2}]},
            "input: emergence.0.of.1.count: 2 are more than the 1 who may vote",
        ),
        (
            {"kind": "any", "of": [{"kind": "all", "of": [{"kind": "decision", "roles": ["lead"]}]}]},
            "input: emergence.0.of.0.of.0.roles: nobody has the role 'lead'",
        ),
    ],
)
def test_a_condition_that_does_not_suit_is_told_with_its_place(condition: dict[str, object], fault: str) -> None:
    assert told(emergence=[condition], participants=[HOST]).startswith(fault)


def test_there_are_not_more_conditions_than_can_be_looked_at_each_time() -> None:
    turns = [{"kind": "turns", "count": 9}] * 10
    assert told(emergence=[{"kind": "any", "of": turns}] * 5).startswith("input: emergence: 55 conditions in all")
    judges = [{"kind": "judge", "question": f"Is it {number}?"} for number in range(11)]
    assert told(emergence=judges).startswith("input: emergence: 11 questions to judge in all, at most 10")
