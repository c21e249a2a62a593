"""What is done about what is seen of a conversation, and how it is kept from being too much."""

import pytest

from signals.assistant import Purpose
from signals.conversation import StopReason
from signals.messages import Disposition, Leave
from signals.participants import Participant, Permission
from tests.unit.conversation.talk import ANYTHING, START, Talk, ai, person
from tests.unit.conversation.test_setup import HOST, told
from tests.unit.conversation.watched import ANN, BEN, BORING, CAT, EVE, OTHERWISE, ROBOT, system, take_turns, watched
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
from workflows.conversation.bounds import Constraints
from workflows.conversation.coordination import FreeForm, TurnBased
from workflows.conversation.events import CancelReply
from workflows.conversation.machine import next_due
from workflows.conversation.observations import Disagreement, Dominates, Stalled

# What is done


def test_turns_may_be_taken_otherwise_from_then_on() -> None:
    then = SwitchCoordination(to=TurnBased())
    talk = watched(Dominates(turns=3), ANN, BEN, CAT, then=then)
    take_turns(talk, "ben", "ben", "ben")
    assert system(talk) == [
        "ben took 3 of the last 3 turns (messages 1, 2, 3): turns are taken otherwise from now on (turn_based)"
    ]
    assert (talk.state.floor, talk.state.everybody) == ("cat", False)
    assert talk.turn("ben") is Disposition.HELD
    assert talk.turn("cat") is Disposition.RECORDED


def test_who_gets_the_floor_otherwise_is_chosen_anew_and_other_replies_stop() -> None:
    then = SwitchCoordination(to=TurnBased())
    talk = watched(Stalled(turns=1), ANN, BEN, ROBOT, then=then)
    take_turns(talk, "ann")
    assert talk.state.floor == "ben"
    assert talk.state.replying == {}
    assert not any(isinstance(effect, CancelReply) for effect in talk.effects), "the robot was not asked yet"


def test_anybody_may_speak_where_the_floor_was_somebodys() -> None:
    then = SwitchCoordination(to=FreeForm())
    talk = watched(Stalled(seconds=60), ANN, BEN, then=then, coordination=TurnBased())
    talk.turn("ben")
    talk.wait(60)
    assert (talk.state.floor, talk.state.everybody, talk.state.held) == (None, True, [])
    assert talk.turns == ["ben: hello"]


def test_a_nudge_has_ai_participants_asked_that_should_say_something() -> None:
    talk = watched(Stalled(seconds=60), ANN, ROBOT, then=Nudge(text="Anything else?"))
    talk.turn("ann")
    talk.reply("robot", "")
    assert talk.asked == ["robot"]
    talk.wait(60)
    assert system(talk) == ["Nobody said anything for 60 s (message 1): Anything else?"]
    assert talk.asked == ["robot", "robot"]


def test_a_nudge_gives_ai_participants_that_all_have_passed_the_floor_again() -> None:
    talk = watched(Stalled(seconds=60), ROBOT, ai("bot"), then=Nudge(), coordination=TurnBased())
    talk.reply("robot", "")
    talk.reply("bot", "")
    assert talk.state.replying == {}
    talk.wait(60)
    assert talk.state.replying == {"robot": 2}


def test_somebody_is_brought_in() -> None:
    talk = watched(Stalled(turns=1), ANN, then=AddParticipant(participant=EVE))
    take_turns(talk, "ann")
    assert system(talk) == ["Nobody proposed anything in 1 turn (message 1): eve (mediator) joins"]
    assert talk.turn("eve") is Disposition.RECORDED


def test_nobody_is_brought_in_where_there_is_no_room() -> None:
    limit = Constraints(participant_limit=1)
    talk = watched(Stalled(turns=1), ANN, then=AddParticipant(participant=EVE), constraints=limit)
    take_turns(talk, "ann")
    assert system(talk)[0].endswith(": eve can't be brought in, for there are too many here already")
    assert "eve" not in talk.state.members


def test_nobody_is_brought_in_for_somebody_else_of_the_same_id() -> None:
    talk = watched(Stalled(turns=2), ANN, then=AddParticipant(participant=person("eve", *ANYTHING)))
    talk.join(person("eve"))
    talk.send(Leave(speaker="eve"))
    take_turns(talk, "ann", "ann")
    assert system(talk)[-1].endswith(": eve can't be brought in, for somebody else with that id was here before")
    assert not talk.state.members["eve"].present


def test_whoever_it_was_seen_of_leaves() -> None:
    talk = watched(Dominates(turns=3), ANN, BEN, CAT, ROBOT, then=DropParticipant())
    take_turns(talk, "ben", "ben", "ben")
    assert system(talk) == ["ben took 3 of the last 3 turns (messages 1, 2, 3): ben leaves"]
    assert not talk.state.members["ben"].present


@pytest.mark.parametrize(
    ("people", "why"),
    [
        ((person("ann", Permission.SPEAK, Permission.DECIDE), BEN), "nobody else may decide"),
        ((person("ann", Permission.SPEAK, Permission.MODERATE), BEN), "nobody else may moderate"),
        ((ANN, person("ben", Permission.MODERATE)), "nobody else may speak"),
        ((ANN, ROBOT), "there is no other person"),
    ],
)
def test_nobody_leaves_whom_it_does_not_do_without(people: tuple[Participant, ...], why: str) -> None:
    talk = watched(Stalled(turns=1), *people, then=DropParticipant(id="ann"))
    take_turns(talk, "ann")
    assert system(talk) == [f"Nobody proposed anything in 1 turn (message 1): ann stays, for {why}"]
    assert talk.state.members["ann"].present


def test_the_reply_of_whoever_leaves_is_stopped() -> None:
    talk = watched(Stalled(turns=2), ANN, ROBOT, then=DropParticipant(id="robot"))
    take_turns(talk, "ann", "ann")
    assert [effect.speaker for effect in talk.effects if isinstance(effect, CancelReply)] == ["robot"]
    assert talk.state.replying == {}


def test_those_who_have_not_voted_are_asked_to() -> None:
    talk = watched(Disagreement(votes=1), ANN, BEN, CAT, ROBOT, then=CallVote())
    talk.propose("ann", "pizza")
    talk.reply("robot", "")
    talk.vote("ben", 1, approve=False)
    assert system(talk)[-1].endswith(": please vote on proposal 1 (cat, robot)")
    assert talk.state.replying == {"robot": 2}


def test_without_a_proposal_one_is_asked_for() -> None:
    talk = watched(Stalled(turns=1), ANN, then=CallVote())
    take_turns(talk, "ann")
    assert system(talk)[0].endswith(": there is nothing to vote on; please propose an outcome")


def test_a_summary_is_made() -> None:
    talk = watched(Stalled(turns=1), ANN, then=Summarise(model="local"))
    take_turns(talk, "ann")
    assert [(one.purpose, one.model) for one in talk.state.consulting.values()] == [(Purpose.SUMMARISE, "local")]


def test_another_mode_may_be_asked_for() -> None:
    talk = watched(Stalled(turns=1), ANN, then=AskForSwitch.model_validate({"to": "workflow"}))
    take_turns(talk, "ann")
    end = talk.ended
    assert (end.stop, end.switch_to, end.evidence) == (StopReason.SWITCH, "workflow", (1, 2))
    assert system(talk)[0].endswith(": it asks for the mode 'workflow'")


# Not too much of it


def test_a_rule_is_followed_as_often_as_it_says_with_pauses_between() -> None:
    rule = Rule(when=Stalled(turns=1), then=Nudge(), most=2, pause=3)
    talk = Talk(ANN, adaptation=(rule,), coordination=FreeForm())
    followed = []
    for _ in range(12):
        before = len(system(talk))
        take_turns(talk, "ann")
        if len(system(talk)) > before:
            followed.append(talk.state.turns)
    assert followed == [1, 4]


def test_two_ways_of_taking_turns_do_not_alternate_for_ever() -> None:
    rules = tuple(
        Rule(when=Stalled(turns=1), then=SwitchCoordination(to=to), most=3, pause=1) for to in (TurnBased(), FreeForm())
    )
    talk = Talk(ANN, BEN, adaptation=rules, coordination=FreeForm(), window=100)
    for _ in range(20):
        take_turns(talk, "ann", "ben")
    assert len(system(talk)) == 6
    assert talk.state.turns == 40


def test_the_time_of_a_rule_that_has_been_followed_is_not_waited_for() -> None:
    talk = watched(Stalled(seconds=60), ANN, BEN)
    take_turns(talk, "ann")
    assert (next_due(talk.setup, talk.state, talk.now) - START).total_seconds() == 60
    talk.wait(60)
    assert (next_due(talk.setup, talk.state, talk.now) - START).total_seconds() == 1800


def test_what_suits_most_conversations_says_nothing_where_all_is_well() -> None:
    talk = Talk(ANN, BEN, ROBOT, coordination=FreeForm())
    talk.propose("ann", "pizza")
    talk.vote("ben", 1, approve=False)
    take_turns(talk, *["ann", "ben"] * 20)
    assert system(talk) == []


def test_by_default_a_conversation_that_goes_round_in_circles_is_told_so_once() -> None:
    talk = Talk(ANN, BEN)
    for _ in range(40):
        talk.turn("ann", BORING)
        talk.turn("ben", OTHERWISE)
    assert talk.state.adapted[0].times == 1
    assert talk.state.seq == talk.state.turns + 1


# What doesn't suit

NUDGE = {"do": "nudge"}


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"when": {"kind": "boredom"}, "then": NUDGE}, "adaptation.0.when: 'kind' must be one of 'stalled'"),
        ({"when": {"kind": "stalled"}, "then": NUDGE}, "adaptation.0.when: give either 'seconds' or 'turns'"),
        ({"when": {"kind": "dominates", "share": 2}, "then": NUDGE}, "adaptation.0.when.share: Input should be less"),
        ({"when": {"kind": "circling"}, "then": {"do": "dance"}}, "adaptation.0.then: 'do' must be one of"),
        ({"when": {"kind": "circling"}, "then": NUDGE, "most": 21}, "adaptation.0.most: Input should be less"),
        ({"when": {"kind": "circling"}, "then": NUDGE, "pause": 0}, "adaptation.0.pause: Input should be greater"),
        (
            {"when": {"kind": "silent", "roles": ["cook"]}, "then": NUDGE},
            "input: adaptation.0.when.roles: nobody has the role 'cook'",
        ),
        (
            {"when": {"kind": "silent"}, "then": {"do": "drop_participant", "id": "bob"}},
            "input: adaptation.0.then.id: 'bob' is not a participant",
        ),
        (
            {"when": {"kind": "disagreement"}, "then": {"do": "drop_participant"}},
            "input: adaptation.0.then.id: 'disagreement' names nobody; say who is to leave",
        ),
        (
            {
                "when": {"kind": "silent"},
                "then": {"do": "add_participant", "participant": {"id": "alice", "kind": "ai", "role": "cook"}},
            },
            "input: adaptation.0.then.participant.id: 'alice' is somebody else; choose another id",
        ),
        (
            {"when": {"kind": "silent"}, "then": {"do": "ask_for_switch", "to": "conversation"}},
            "adaptation.0.then.ask_for_switch.to: Input should be",
        ),
    ],
)
def test_a_rule_that_does_not_suit_is_told_with_its_place(rule: dict[str, object], fault: str) -> None:
    assert told(adaptation=[rule], participants=[HOST]).startswith(fault)
