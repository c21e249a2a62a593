"""What is seen of a conversation, what is done about it, and how it is kept from being too much."""

import pytest

from signals.assistant import Finding, Purpose
from signals.conversation import StopReason, Tokens
from signals.messages import Disposition, Leave
from signals.participants import Participant, Permission
from tests.unit.conversation.talk import ANYTHING, START, Talk, ai, person
from tests.unit.conversation.test_setup import HOST, told
from workflows.conversation.adaptation import (
    Action,
    AddParticipant,
    AskForSwitch,
    CallVote,
    DropParticipant,
    Nudge,
    Rule,
    Summarise,
    SwitchCoordination,
)
from workflows.conversation.bounds import Budget, Constraints, Summaries
from workflows.conversation.coordination import FreeForm, TurnBased
from workflows.conversation.events import CancelReply, Consulted
from workflows.conversation.machine import next_due
from workflows.conversation.observations import (
    BudgetSpent,
    Circling,
    Disagreement,
    Dominates,
    Observation,
    Silent,
    Stalled,
)

ANN, BEN, CAT = (person(name) for name in ("ann", "ben", "cat"))
HOST_ANN = person("ann", *ANYTHING)
ROBOT = ai("robot")
EVE = person("eve", role="mediator")

BORING = "we should have pizza for lunch"
OTHERWISE = "we should have soup and salad for dinner"


def watched(when: Observation, *people: Participant, then: Action | None = None, **options: object) -> Talk:
    """A conversation without a floor and with one rule: by default it says what is seen, and nothing else."""
    rule = Rule(when=when, then=then or Nudge())
    return Talk(*people, **{"adaptation": (rule,), "coordination": FreeForm(), **options})


def system(talk: Talk) -> list[str]:
    """What the conversation itself said."""
    return [message.text for message in talk.state.messages if message.speaker is None]


def take_turns(talk: Talk, *speakers: str) -> None:
    """Have some people say something, each time something new."""
    for speaker in speakers:
        talk.turn(speaker, f"{speaker} says number {talk.state.turns}")


# What is seen


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
    assert system(talk) == ["Nobody proposed anything in 1 turns (message 1): eve (mediator) joins"]
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
    assert system(talk) == [f"Nobody proposed anything in 1 turns (message 1): ann stays, for {why}"]
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


# The rolling summary


def test_a_summary_is_kept_of_what_is_older() -> None:
    talk = Talk(ANN, coordination=FreeForm(), summary=Summaries(every=10, model="local"))
    take_turns(talk, *["ann"] * 9)
    assert talk.state.consulting == {}
    take_turns(talk, *["ann"] * 5)
    assert [(one.purpose, one.upto, one.model) for one in talk.state.consulting.values()] == [
        (Purpose.SUMMARISE, 10, "local")
    ]
    talk.apply(Consulted(1, Finding(text="ann counts", model="script"), talk.now))
    assert (talk.state.summary, talk.state.summarised, talk.state.consulting) == ("ann counts", 10, {})
    take_turns(talk, *["ann"] * 6)
    assert list(talk.state.consulting) == [2]
    talk.apply(Consulted(2, Finding(text="", model="script"), talk.now))
    assert (talk.state.summary, talk.state.summarised) == ("ann counts", 20), "an empty answer is none"


def test_a_summary_has_a_longest() -> None:
    talk = Talk(ANN, coordination=FreeForm(), summary=Summaries(every=10))
    take_turns(talk, *["ann"] * 10)
    talk.apply(Consulted(1, Finding(text="x" * 10_000, model="script"), talk.now))
    assert talk.state.summary == "x" * 8000


def test_private_talk_alone_is_not_summed_up() -> None:
    options = {"coordination": FreeForm(), "routing": {"kind": "addressed"}, "summary": Summaries(every=10)}
    talk = Talk(ANN, BEN, **options)
    for _ in range(12):
        talk.turn("ann", to=["ben"])
    assert (talk.state.consulting, talk.state.summarised) == ({}, 10)


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


def test_a_summary_is_made_before_messages_are_out_of_reach() -> None:
    assert told(summary={"every": 31}) == "input: summary.every: 31 messages are more than window (30) keeps"
