"""Conditions that are made of others."""

from datetime import datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.conversation import Ended, StopReason
from signals.participants import Permission
from tests.unit.conversation.talk import START, Talk, person
from tests.unit.conversation.test_setup import HOST, told
from workflows.conversation.combining import AllOf, AnyOf
from workflows.conversation.coordination import FreeForm
from workflows.conversation.emergence import Condition, Consensus, Deadline, Decision, Judge, Quorum, Silence, Turns
from workflows.conversation.machine import next_due
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import ConversationState

ANN, BEN, CAT = (person(name) for name in ("ann", "ben", "cat"))
BOSS = person("boss", Permission.SPEAK, Permission.DECIDE, role="boss")


def ending_by(condition: Condition) -> Talk:
    """A conversation without a floor that ends by this condition."""
    return Talk(ANN, BEN, CAT, BOSS, emergence=(condition,), coordination=FreeForm())


def due_after(talk: Talk) -> float:
    """In how many seconds from the opening something happens by time alone."""
    return (next_due(talk.setup, talk.state, talk.now) - START).total_seconds()


def test_all_of_some_conditions_have_to_be_met() -> None:
    talk = ending_by(AllOf(of=(Turns(count=2), Quorum(count=2))))
    talk.turn("ann")
    talk.propose("ann", "pizza")
    talk.vote("ben", 1)
    assert talk.state.ended is None
    talk.turn("ben")
    end = talk.ended
    assert (end.stop, end.outcome, end.decided_by) == (StopReason.QUORUM, "pizza", ("ann", "ben"))
    assert end.evidence == (2, 3, 4)
    assert end.reason == "2 turns were taken; proposal 1 was approved by 2 of 4 (ann, ben)"


def test_what_several_decide_is_about_the_same_proposal() -> None:
    talk = ending_by(AllOf(of=(Quorum(count=2), Decision())))
    talk.propose("ann", "pizza")
    talk.vote("ben", 1)
    talk.propose("boss", "soup")
    assert talk.state.ended is None, "the quorum is for pizza, and the boss wants soup"
    talk.vote("cat", 2)
    assert (talk.ended.outcome, talk.ended.decided_by) == ("soup", ("boss", "cat"))


def test_any_one_of_some_conditions_says_how_it_ended() -> None:
    talk = ending_by(AnyOf(of=(Consensus(), AllOf(of=(Turns(count=1), AnyOf(of=(Decision(), Turns(count=9))))))))
    talk.turn("ann")
    assert talk.state.ended is None
    talk.propose("boss", "soup")
    assert (talk.ended.stop, talk.ended.outcome, talk.ended.decided_by) == (StopReason.DECISION, "soup", ("boss",))


def test_what_is_nested_is_judged_too() -> None:
    talk = ending_by(AllOf(of=(Turns(count=9), AnyOf(of=(Judge(question="Is it so?", every=1),)))))
    talk.turn("ann")
    assert [one.question for one in talk.state.consulting.values()] == ["Is it so?"]


def test_time_is_waited_for_only_where_nothing_else_is_missing() -> None:
    talk = ending_by(AllOf(of=(Silence(seconds=60), Deadline(seconds=100), Turns(count=1))))
    assert due_after(talk) == 1800, "a turn is missing: only the conversation's own time is left"
    talk.turn("ann")
    assert due_after(talk) == 100
    talk.wait(100)
    assert (talk.ended.stop, talk.ended.at) == (StopReason.SILENCE, START + timedelta(seconds=100))


def test_a_time_that_has_passed_is_not_waited_for_again() -> None:
    talk = ending_by(AllOf(of=(AnyOf(of=(Silence(seconds=5), Deadline(seconds=50))), Turns(count=1))))
    talk.wait(10)
    assert due_after(talk) == 1800


class Yesterday(Condition):
    """Waits for a time that has passed, and isn't met by it."""

    kind: Literal["yesterday"] = "yesterday"

    def met(self, state: ConversationState, now: datetime) -> Ended | None:
        return None

    def due(self, state: ConversationState, now: datetime) -> datetime:
        return START - timedelta(days=1)


@pytest.mark.parametrize("kind", [AllOf, AnyOf])
def test_a_time_that_brought_nothing_is_not_waited_for_again(kind: type[AllOf | AnyOf]) -> None:
    condition = kind.model_construct(of=(Yesterday(),))
    assert condition.due(ending_by(Turns(count=9)).state, START) is None


def test_the_first_of_some_times_is_waited_for() -> None:
    talk = ending_by(AnyOf(of=(Silence(seconds=60), Deadline(seconds=40), Turns(count=5))))
    assert due_after(talk) == 40


def test_conditions_are_nested_to_a_limit() -> None:
    condition: dict[str, object] = {"kind": "turns", "count": 1}
    for _ in range(4):
        condition = {"kind": "all", "of": [condition]}
    ConversationSetup.model_validate({"topic": "Lunch", "participants": [HOST], "emergence": [condition]})
    assert "nested too deep, at most 5 levels are allowed" in told(emergence=[{"kind": "all", "of": [condition]}])


SIMPLE = (Turns(count=2), Turns(count=4), Silence(seconds=30), Silence(seconds=70), Deadline(seconds=50), Consensus())

conditions = st.recursive(
    st.sampled_from(SIMPLE),
    lambda inner: st.builds(
        lambda kind, of: kind(of=tuple(of)), st.sampled_from([AllOf, AnyOf]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=4,
)


def holds(condition: Condition, talk: Talk) -> bool:
    """Whether a condition is met, worked out anew; there is at most one proposal."""
    if isinstance(condition, AllOf):
        return all(holds(part, talk) for part in condition.of)
    if isinstance(condition, AnyOf):
        return any(holds(part, talk) for part in condition.of)
    return condition.met(talk.state, talk.now) is not None


@settings(max_examples=150)
@given(condition=conditions, happenings=st.lists(st.sampled_from(["turn", "propose", "vote", "time"]), max_size=8))
def test_it_ends_exactly_when_it_should_and_every_timer_comes_to_something(
    condition: Condition, happenings: list[str]
) -> None:
    talk = ending_by(condition)
    for happening in happenings:
        if talk.state.ended is not None:
            return
        match happening:
            case "turn":
                talk.turn("ann")
            case "propose" if not talk.state.proposals:
                talk.propose("ann", "pizza")
            case "vote" if talk.state.proposals:
                for name in ("ben", "cat", "boss"):
                    talk.vote(name, 1)
            case _:
                talk.wait(20)
        assert (talk.state.ended is not None) == holds(condition, talk)
    if talk.state.ended is None:
        due = next_due(talk.setup, talk.state, talk.now)
        assert due > talk.now, "the timer would spin"
        talk.wait((due - talk.now).total_seconds())
        assert talk.state.ended is not None
