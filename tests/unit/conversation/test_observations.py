"""What is seen of a conversation."""

import pytest

from signals.conversation import Tokens
from tests.unit.conversation.talk import START
from tests.unit.conversation.watched import ANN, BEN, BORING, CAT, EVE, OTHERWISE, ROBOT, system, take_turns, watched
from workflows.conversation.bounds import Budget, Constraints
from workflows.conversation.machine import next_due
from workflows.conversation.observations import BudgetSpent, Circling, Disagreement, Dominates, Silent, Stalled


def test_it_is_seen_that_nobody_says_anything() -> None:
    talk = watched(Stalled(seconds=60), ANN, BEN)
    take_turns(talk, "ann")
    talk.wait(59)
    assert system(talk) == []
    talk.wait(1)
    assert system(talk) == ["Nobody said anything for 60 s (message 1)"]


def test_a_conversation_is_not_stalled_while_a_reply_is_under_way() -> None:
    talk = watched(Stalled(seconds=60), ANN, ROBOT)
    take_turns(talk, "ann")
    talk.wait(60)
    assert system(talk) == []
    assert (next_due(talk.setup, talk.state, talk.now) - START).total_seconds() == 1800, "the timer would spin"
    talk.reply("robot", "")
    assert system(talk) == ["Nobody said anything for 60 s (message 1)"]


def test_it_is_seen_that_nobody_proposes_anything() -> None:
    talk = watched(Stalled(turns=3), ANN, BEN)
    talk.propose("ann", "pizza")
    take_turns(talk, "ann", "ben")
    talk.propose("ann", "soup")
    take_turns(talk, "ann", "ben")
    assert system(talk) == []
    take_turns(talk, "ann")
    assert system(talk) == ["Nobody proposed anything in 3 turns (message 7)"]


def test_it_is_seen_that_one_of_three_has_most_of_the_turns() -> None:
    talk = watched(Dominates(share=0.6, turns=5), ANN, BEN, CAT)
    take_turns(talk, "ben", "ann", "ann", "cat", "ann")
    assert system(talk) == ["ann took 3 of the last 5 turns (messages 2, 3, 5)"]


def test_one_of_two_may_talk_more_than_the_other() -> None:
    talk = watched(Dominates(share=0.6, turns=5), ANN, BEN)
    take_turns(talk, *["ann"] * 5)
    assert system(talk) == []


def test_it_is_seen_that_somebody_says_nothing() -> None:
    talk = watched(Silent(turns=4), ANN, BEN, CAT)
    take_turns(talk, "ann", "ben", "ann")
    assert system(talk) == []
    take_turns(talk, "ann")
    assert system(talk) == ["cat said nothing in 4 turns (message 4)"]


def test_whoever_has_just_come_is_not_silent_yet() -> None:
    talk = watched(Silent(turns=4), ANN, BEN)
    take_turns(talk, "ann", "ben", "ann")
    talk.join(CAT)
    take_turns(talk, "ben", "ann")
    assert system(talk) == ["cat (guest) joined"]


def test_whoever_has_just_come_back_is_not_silent_yet() -> None:
    talk = watched(Silent(turns=4), ANN, BEN)
    talk.leave("ben")
    take_turns(talk, "ann", "ann", "ann")
    talk.join(BEN)
    take_turns(talk, "ann", "ann")
    assert system(talk) == ["ben left", "ben (guest) joined"]


def test_only_the_silence_of_some_roles_is_looked_for() -> None:
    talk = watched(Silent(turns=2, roles=("mediator",)), ANN, BEN, EVE)
    take_turns(talk, "ann", "ann")
    assert system(talk) == ["eve said nothing in 2 turns (message 2)"]


def test_it_is_seen_that_the_same_is_said_again_and_again() -> None:
    talk = watched(Circling(turns=2), ANN, BEN)
    for _ in range(10):
        talk.turn("ann", BORING)
        talk.turn("ben", OTHERWISE)
    assert system(talk) == ["The last 2 turns say again what was said before (messages 15, 16, 19, 20)"]


@pytest.mark.parametrize(
    "texts",
    [
        ["yes", "no", "yes indeed"],
        ["I can offer you 10 pounds for it", "I can offer you 11 pounds for it", "I can offer you 12 pounds for it"],
        ["one two three four", "five six seven eight", "nine ten eleven twelve"],
    ],
    ids=["short answers", "haggling", "something new"],
)
def test_not_all_that_is_alike_goes_round_in_circles(texts: list[str]) -> None:
    talk = watched(Circling(turns=2), ANN)
    for number in range(20):
        text = texts[number % 3] if len(texts[0]) < 5 else f"{texts[number % 3]} {number}"
        talk.turn("ann", text)
    assert system(talk) == []


def test_it_is_seen_that_there_is_no_agreement_on_a_proposal() -> None:
    talk = watched(Disagreement(votes=1), ANN, BEN, CAT)
    talk.propose("ann", "pizza")
    assert system(talk) == []
    talk.vote("ben", 1, approve=False)
    assert system(talk) == ["Proposal 1 is approved by 1 and refused by 1 (messages 1, 2)"]


def test_it_is_seen_that_no_proposal_is_accepted() -> None:
    talk = watched(Disagreement(proposals=2), ANN, BEN)
    talk.propose("ann", "pizza")
    talk.propose("ben", "soup")
    assert system(talk) == ["2 proposals were put forward, and none was accepted (messages 1, 2)"]


def test_it_is_seen_that_most_of_the_budget_is_used() -> None:
    budget = Constraints(budget=Budget(tokens=100))
    talk = watched(BudgetSpent(share=0.5), ANN, ROBOT, constraints=budget)
    talk.turn("ann")
    talk.reply("robot", "hello", tokens=Tokens(input=49))
    assert system(talk) == []
    talk.turn("ann")
    talk.reply("robot", "hello", tokens=Tokens(output=2))
    assert system(talk) == ["Language models have used 51% of their budget (message 4)"]
