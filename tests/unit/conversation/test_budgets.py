"""Budgets of language models, how long they talk among themselves, when they speak, and handing over."""

import pytest
from pydantic import ValidationError

from signals.conversation import Tokens
from signals.participants import Participant, Permission, Speaks
from tests.unit.conversation.talk import Talk, ai, person

ALICE = person("alice")
BOSS = person("boss", Permission.SPEAK, Permission.MODERATE)
ROBOT = ai("robot")
GOLEM = ai("golem")
MUCH = Tokens(input=90, output=10)


def limited(at_exhaustion: str, *people: Participant) -> Talk:
    return Talk(
        *people,
        coordination={"kind": "free_form"},
        constraints={"budget": {"tokens": 100, "at_exhaustion": at_exhaustion}},
    )


def test_a_budget_that_is_not_used_up_changes_nothing() -> None:
    talk = limited("stop", ALICE, ROBOT)
    talk.turn("alice")
    talk.reply("robot", "hi", tokens=Tokens(input=70, output=9))
    assert talk.said == ["alice: hello", "robot: hi"]


def test_a_budget_that_is_used_up_ends_the_conversation_and_keeps_what_was_said() -> None:
    talk = limited("stop", ALICE, ROBOT)
    talk.turn("alice")
    talk.reply("robot", "hi", tokens=MUCH)
    assert talk.ended.stop == "budget"
    assert "robot: hi" in talk.said


def test_people_go_on_without_language_models_that_have_used_up_their_budget() -> None:
    talk = limited("hand_off", ALICE, ROBOT, GOLEM)
    talk.turn("alice")
    assert talk.asked == ["robot", "golem"]
    talk.reply("robot", "hi", tokens=MUCH)
    assert talk.state.replying == {}, "the other reply is stopped"
    talk.turn("alice")
    assert talk.asked == ["robot", "golem"]
    assert talk.state.ended is None


def test_whoever_moderates_may_grant_the_same_again() -> None:
    talk = limited("ask", ALICE, BOSS, ROBOT)
    talk.turn("alice")
    talk.reply("robot", "hi", tokens=Tokens(input=250, output=0))
    talk.turn("alice")
    assert talk.state.replying == {}
    assert talk.grant("boss", "robot") == "recorded"
    assert talk.asked == ["robot", "robot"]
    talk.reply("robot", "again", tokens=Tokens(input=49, output=0))
    talk.turn("alice")
    assert talk.asked == ["robot", "robot", "robot"]
    talk.reply("robot", "enough", tokens=Tokens(input=1, output=0))
    talk.turn("alice")
    assert len(talk.asked) == 3


def test_a_cost_is_a_budget_too() -> None:
    talk = Talk(ROBOT, ALICE, constraints={"budget": {"cost": 0.5, "at_exhaustion": "stop"}})
    talk.reply("robot", "one", cost=0.3)
    talk.turn("alice")
    talk.reply("robot", "two", cost=0.3)
    assert talk.ended.stop == "budget"
    assert talk.state.cost == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("budget", "reason"),
    [
        ({}, "give 'tokens', 'cost' or both"),
        ({"tokens": 0}, "budget.tokens"),
        ({"cost": -1}, "budget.cost"),
        ({"tokens": 1, "at_exhaustion": "ask"}, "constraints.budget.at_exhaustion"),
    ],
)
def test_a_budget_that_can_not_be_is_refused(budget: object, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Talk(ALICE, ROBOT, constraints={"budget": budget})


# Talking among themselves


def test_ai_participants_rest_after_so_many_replies_until_a_person_speaks() -> None:
    talk = Talk(ALICE, ROBOT, GOLEM, constraints={"ai_row": 2})
    talk.turn("alice")
    talk.reply("robot", "one")
    talk.reply("golem", "two")
    assert talk.state.floor == "alice"
    talk.turn("alice")
    assert talk.state.floor == "robot"


def test_an_ai_participant_that_others_address_answers_them_but_not_for_ever() -> None:
    talk = Talk(ALICE, ROBOT, GOLEM, coordination={"kind": "free_form"}, constraints={"ai_row": 4})
    talk.turn("alice")
    talk.reply("golem", "")
    for _ in range(9):
        for speaker, other in (("robot", "golem"), ("golem", "robot")):
            if speaker in talk.state.replying:
                talk.reply(speaker, "what do you think?", to=[other])
    assert talk.state.replying == {}
    assert 3 <= len(talk.turns) <= 5


# When they speak


@pytest.mark.parametrize("coordination", ["turn_based", "free_form"])
def test_one_that_speaks_when_addressed_is_passed_over_until_it_is(coordination: str) -> None:
    shy = ai("shy", speaks=Speaks.ADDRESSED)
    talk = Talk(ALICE, shy, coordination={"kind": coordination})
    talk.turn("alice", "nobody in particular")
    assert talk.asked == []
    talk.turn("alice", "what does @shy say? mail me at alice@shy.example")
    assert talk.asked == ["shy"]
    talk.reply("shy", "hello")
    talk.turn("alice", "thanks")
    assert talk.asked == ["shy"]
    talk.turn("alice", "one more thing", in_reply_to=3)
    assert talk.asked == ["shy", "shy"]


def test_one_that_speaks_when_asked_to_waits_for_the_floor() -> None:
    silent = ai("silent", speaks=Speaks.ASKED)
    talk = Talk(BOSS, ALICE, silent)
    talk.turn("boss", "@silent?")
    assert talk.state.floor == "alice"
    talk.grant("boss", "silent")
    assert (talk.state.floor, talk.asked) == ("silent", ["silent"])
    talk.reply("silent", "hm")
    assert talk.state.floor == "boss"


# Handing over


@pytest.mark.parametrize("coordination", ["turn_based", "free_form"])
def test_an_ai_participant_hands_over_to_a_person_and_is_called_back(coordination: str) -> None:
    talk = Talk(ALICE, BOSS, ROBOT, coordination={"kind": coordination})
    talk.turn("alice")
    if coordination == "turn_based":
        talk.turn("boss")
    talk.reply("robot", "this is for people", hand_off="boss")
    assert "robot hands over to boss" in talk.said
    assert talk.state.floor == ("boss" if coordination == "turn_based" else None)
    talk.turn("boss", "I take it")
    talk.turn("alice", "thanks")
    talk.turn("boss")
    assert talk.asked == ["robot"]
    talk.turn("alice", "@robot come back")
    if coordination == "turn_based":
        talk.turn("boss")
    assert talk.asked == ["robot", "robot"]


def test_an_ai_participant_can_not_hand_over_to_nobody() -> None:
    talk = Talk(ROBOT, ALICE, GOLEM)
    talk.reply("robot", "yours", hand_off="golem")
    assert "robot wanted to hand over to 'golem', who can't take over" in talk.said
    assert not talk.state.members["robot"].stood_down


# What else they may do


def test_what_an_ai_participant_does_is_held_to_its_permissions() -> None:
    talk = Talk(ROBOT, ALICE, emergence=[{"kind": "consensus", "of": "everybody"}])
    wants = [{"speaker": "robot", "outcome": 1}, {"speaker": "robot", "to": "alice"}]
    talk.reply("robot", "I propose 1", actions=wants)
    assert talk.said == ["robot: I propose 1", "robot: proposes outcome 1"]
    assert [(r.signal, r.type, r.speaker) for r in talk.state.rejections.recent] == [("grant", "NotPermitted", "robot")]


def test_an_ai_participant_votes_and_so_ends_it() -> None:
    talk = Talk(ALICE, ROBOT, emergence=[{"kind": "consensus", "of": "everybody"}])
    talk.propose("alice", "pizza")
    talk.turn("alice")
    talk.reply("robot", "", actions=[{"speaker": "robot", "proposal": 1, "approve": True}])
    assert (talk.ended.stop, talk.ended.outcome, talk.ended.decided_by) == ("consensus", "pizza", ("alice", "robot"))


def test_nobody_acts_in_another_ones_name() -> None:
    talk = Talk(ROBOT, BOSS)
    talk.reply("robot", "", actions=[{"speaker": "boss", "to": "robot"}])
    assert [r.type for r in talk.state.rejections.recent] == ["NotPermitted"]
    assert talk.said == []


# The floor


def test_the_floor_may_be_granted_out_of_turn() -> None:
    talk = Talk(ALICE, BOSS, person("carol"))
    assert talk.grant("boss", "carol") == "recorded"
    assert (talk.state.floor, talk.said) == ("carol", ["boss gives carol the floor"])


def test_the_floor_is_not_granted_to_who_can_not_have_it() -> None:
    talk = Talk(ALICE, BOSS)
    assert talk.grant("boss", "nobody") == "InvalidInput"
    assert talk.reason == "to: 'nobody' is not here"
    talk.leave("alice")
    assert talk.grant("boss", "alice") == "InvalidInput"
    assert talk.grant("alice", "boss") == "NotAParticipant"


def test_the_floor_is_not_granted_by_who_may_not() -> None:
    talk = Talk(ALICE, BOSS)
    assert talk.grant("alice", "boss") == "NotPermitted"


def test_a_reply_under_way_stops_when_the_floor_is_granted_to_somebody_else() -> None:
    talk = Talk(ROBOT, ALICE, BOSS)
    talk.grant("boss", "alice")
    assert talk.state.replying == {}
    talk.reply("robot", "too late")
    assert talk.turns == []
