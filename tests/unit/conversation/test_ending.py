from datetime import timedelta

import pytest

from signals.conversation import StopReason
from signals.messages import Disposition
from signals.participants import Permission
from tests.unit.conversation.talk import START, Talk, ai, person
from workflows.conversation.bounds import Constraints
from workflows.conversation.coordination import FreeForm
from workflows.conversation.emergence import Consensus, Deadline, Decision, Silence, Turns
from workflows.conversation.machine import next_due

HOST = person("alice", Permission.SPEAK, Permission.MODERATE)
BOB = person("bob")
JUDGE = person("judge", Permission.SPEAK, Permission.DECIDE)


def due_after(talk: Talk) -> float:
    """In how many seconds from the opening the conversation ends by itself."""
    return (next_due(talk.setup, talk.state, talk.now) - START).total_seconds()


# Closing


def test_who_may_moderate_closes_the_conversation_without_an_outcome() -> None:
    talk = Talk(HOST, BOB)
    assert talk.close("alice", "solved on the phone") is Disposition.RECORDED
    end = talk.ended
    assert (end.stop, end.reason, end.outcome) == (StopReason.CLOSED, "solved on the phone", None)
    assert (end.decided_by, end.evidence, end.at) == (("alice",), (1,), START)
    assert talk.said == [
        "alice closed the conversation: solved on the phone",
        "The conversation ended: solved on the phone",
    ]


def test_a_close_without_a_reason_says_who_closed() -> None:
    talk = Talk(HOST, BOB)
    talk.close("alice")
    assert talk.ended.reason == "closed by alice"


def test_the_floor_is_nobodys_after_the_end() -> None:
    talk = Talk(HOST, BOB)
    talk.close("alice")
    assert talk.state.floor is None


# Turns


def test_a_conversation_ends_after_so_many_turns() -> None:
    talk = Talk(HOST, BOB, emergence=(Turns(count=2),))
    talk.turn("alice")
    assert talk.state.ended is None
    talk.turn("bob")
    assert (talk.ended.stop, talk.ended.reason, talk.ended.evidence) == (StopReason.TURNS, "2 turns were taken", (2,))


def test_only_turns_count_as_turns() -> None:
    talk = Talk(HOST, BOB, emergence=(Turns(count=1),))
    talk.propose("alice", "pizza")
    talk.vote("bob", 1)
    talk.leave("bob")
    assert talk.state.ended is None


def test_held_turns_count_once_they_are_recorded() -> None:
    talk = Talk(HOST, BOB, emergence=(Turns(count=2),))
    talk.turn("bob")
    talk.turn("bob")
    assert talk.state.ended is None
    talk.turn("alice")
    assert talk.ended.stop is StopReason.TURNS


def test_no_more_turns_are_taken_than_the_constraints_allow() -> None:
    talk = Talk(HOST, BOB, constraints=Constraints(max_turns=1))
    talk.turn("alice")
    assert (talk.ended.stop, talk.ended.reason) == (StopReason.TURNS, "1 turn, the most allowed")
    assert talk.ended.evidence == (1,)


# Time


@pytest.mark.parametrize(
    ("emergence", "stop", "reason"),
    [
        (Silence(seconds=60), StopReason.SILENCE, "nobody said anything for 60 s"),
        (Deadline(seconds=60), StopReason.DEADLINE, "60 s have passed since it was opened"),
    ],
    ids=["silence", "deadline"],
)
def test_a_conversation_ends_by_time(emergence: Silence | Deadline, stop: StopReason, reason: str) -> None:
    talk = Talk(HOST, BOB, emergence=(emergence,))
    talk.wait(59.999)
    assert talk.state.ended is None
    talk.wait(0.001)
    assert (talk.ended.stop, talk.ended.reason, talk.ended.at) == (stop, reason, START + timedelta(seconds=60))


def test_a_conversation_ends_at_its_timeout_whatever_else_may_end_it() -> None:
    talk = Talk(HOST, BOB, constraints=Constraints(timeout_seconds=60))
    talk.wait(60)
    assert (talk.ended.stop, talk.ended.reason) == (StopReason.TIMEOUT, "the time (60 s) is up")
    assert talk.ended.evidence == ()


def test_an_end_by_time_has_the_last_message_for_evidence() -> None:
    talk = Talk(HOST, BOB, emergence=(Deadline(seconds=60),))
    talk.turn("alice")
    talk.turn("bob")
    talk.wait(60)
    assert talk.ended.evidence == (2,)


def test_an_end_by_time_before_anything_was_said_has_no_evidence() -> None:
    talk = Talk(HOST, BOB, emergence=(Deadline(seconds=60),))
    talk.wait(60)
    assert talk.ended.evidence == ()


def test_silence_starts_anew_with_everything_that_is_said() -> None:
    talk = Talk(HOST, BOB, ai("robot"), emergence=(Silence(seconds=60),), coordination=FreeForm())
    dues = [due_after(talk)]
    for act in (
        lambda: talk.turn("alice"),
        lambda: talk.reply("robot", "hello"),
        lambda: talk.propose("alice", "pizza"),
        lambda: talk.vote("bob", 1),
    ):
        talk.wait(30)
        act()
        dues.append(due_after(talk))
    assert dues == [60, 90, 120, 150, 180]


def test_who_joins_or_leaves_breaks_no_silence() -> None:
    talk = Talk(HOST, BOB, emergence=(Silence(seconds=60),))
    talk.wait(30)
    talk.leave("bob")
    talk.join(BOB)
    assert due_after(talk) == 60


def test_a_rejected_turn_breaks_no_silence() -> None:
    talk = Talk(HOST, BOB, emergence=(Silence(seconds=60),))
    talk.wait(30)
    talk.turn("mallory")
    assert due_after(talk) == 60


def test_a_turn_that_comes_just_after_the_silence_but_before_anybody_noticed_still_counts() -> None:
    talk = Talk(HOST, BOB, emergence=(Silence(seconds=60),))
    talk.now += timedelta(seconds=61)
    assert talk.turn("alice", "sorry, I was away") is Disposition.RECORDED
    assert talk.state.ended is None


def test_a_turn_that_comes_after_the_deadline_but_before_anybody_noticed_is_the_last() -> None:
    talk = Talk(HOST, BOB, emergence=(Deadline(seconds=60),))
    talk.now += timedelta(seconds=61)
    assert talk.turn("alice", "one moment") is Disposition.RECORDED
    assert talk.ended.stop is StopReason.DEADLINE


def test_the_time_it_ends_by_itself_is_the_earliest_of_all() -> None:
    conditions = (Deadline(seconds=100), Silence(seconds=40), Consensus())
    talk = Talk(HOST, BOB, emergence=conditions, constraints=Constraints(timeout_seconds=80))
    assert due_after(talk) == 40
    talk.wait(30)
    talk.turn("alice")
    assert due_after(talk) == 70
    talk.wait(30)
    talk.turn("bob")
    assert due_after(talk) == 80


def test_time_that_passes_before_the_end_changes_nothing() -> None:
    talk = Talk(HOST, BOB, emergence=(Deadline(seconds=60),))
    before = talk.state.model_copy(deep=True)
    talk.wait(30)
    assert talk.state == before


# More than one way to end


def test_the_first_condition_that_is_met_ends_the_conversation() -> None:
    talk = Talk(JUDGE, BOB, emergence=(Consensus(), Decision()))
    talk.propose("judge", "pizza")
    assert talk.ended.stop is StopReason.DECISION


def test_of_conditions_that_are_met_together_the_one_named_first_counts() -> None:
    talk = Talk(JUDGE, emergence=(Consensus(), Decision()))
    talk.propose("judge", "pizza")
    assert talk.ended.stop is StopReason.CONSENSUS


def test_an_end_by_a_condition_comes_before_one_by_a_constraint() -> None:
    constraints = Constraints(timeout_seconds=60)
    talk = Talk(HOST, BOB, emergence=(Deadline(seconds=60),), constraints=constraints)
    talk.wait(60)
    assert talk.ended.stop is StopReason.DEADLINE


def test_the_end_is_told_in_the_transcript_last() -> None:
    talk = Talk(JUDGE, BOB, emergence=(Decision(),))
    talk.propose("judge", "pizza")
    assert talk.said[-1] == "The conversation ended: proposal 1 was decided (judge)"


def test_time_that_passes_after_the_end_changes_nothing() -> None:
    talk = Talk(HOST, BOB)
    talk.close("alice")
    before = talk.state.model_copy(deep=True)
    talk.wait(10_000)
    assert talk.state == before
