from signals.conversation import StopReason, Tokens
from signals.messages import Disposition
from signals.participants import Kind, Permission
from signals.wire import MAX_TEXT_BYTES
from tests.unit.conversation.talk import Talk, ai, person
from workflows.conversation.bounds import Constraints, Guests, OutOfTurn
from workflows.conversation.coordination import FreeForm
from workflows.conversation.events import Ask, CancelReply
from workflows.conversation.machine import resume
from workflows.conversation.roster import MAX_FAILURES
from workflows.conversation.routing import Addressed

ALICE, BOB = person("alice", Permission.SPEAK, Permission.MODERATE), person("bob")
ROBOT, GOLEM = ai("robot"), ai("golem")


# Turn based: who is asked, and when


def test_an_ai_participant_is_asked_when_it_has_the_floor() -> None:
    talk = Talk(ALICE, ROBOT)
    assert talk.asked == []
    talk.turn("alice")
    assert talk.effects == [Ask("robot", 1)]
    assert talk.state.replying == {"robot": 1}


def test_an_ai_participant_that_is_named_first_is_asked_at_once() -> None:
    assert Talk(ROBOT, ALICE).effects == [Ask("robot", 1)]


def test_a_reply_is_recorded_as_a_turn_and_passes_the_floor_on() -> None:
    talk = Talk(ALICE, ROBOT, BOB)
    talk.turn("alice", "hello")
    talk.reply("robot", " hello, Alice \n")
    assert talk.turns == ["alice: hello", "robot: hello, Alice"]
    assert talk.state.floor == "bob"
    assert talk.state.replying == {}


def test_ai_participants_answer_one_another_where_the_round_has_it_so() -> None:
    talk = Talk(ALICE, ROBOT, GOLEM)
    talk.turn("alice", "hello")
    talk.reply("robot", "one")
    talk.reply("golem", "two")
    assert talk.asked == ["robot", "golem"]
    assert talk.state.floor == "alice"


def test_an_ai_participant_that_may_not_speak_is_never_asked() -> None:
    talk = Talk(ALICE, ai("robot", Permission.INVOKE))
    talk.turn("alice")
    assert talk.asked == []


def test_a_held_turn_is_recorded_after_the_reply_that_it_waited_for() -> None:
    talk = Talk(ALICE, ROBOT)
    talk.turn("alice", "hello")
    assert talk.turn("alice", "are you there?") is Disposition.HELD
    talk.reply("robot", "hello")
    assert talk.turns == ["alice: hello", "robot: hello", "alice: are you there?"]
    assert talk.state.floor == "robot"


def test_the_tokens_of_replies_are_added_up() -> None:
    talk = Talk(ALICE, ROBOT)
    for _ in range(2):
        talk.turn("alice")
        talk.reply("robot", "hello", tokens=Tokens(input=100, output=7))
    assert talk.state.tokens == Tokens(input=200, output=14)


def test_a_reply_that_is_too_long_is_cut_between_characters() -> None:
    talk = Talk(ALICE, ROBOT)
    talk.turn("alice")
    talk.reply("robot", "a" + "ä" * MAX_TEXT_BYTES)
    text = talk.state.messages[-1].text
    assert text == "a" + "ä" * ((MAX_TEXT_BYTES - 1) // 2)


# Having nothing to say


def test_a_blank_reply_is_a_pass_records_nothing_and_passes_the_floor_on() -> None:
    talk = Talk(ALICE, ROBOT)
    talk.turn("alice", "hello")
    talk.reply("robot", " \n")
    assert talk.turns == ["alice: hello"]
    assert talk.state.floor == "alice"


def test_ai_participants_that_only_pass_do_not_go_round_for_ever() -> None:
    talk = Talk(ROBOT, GOLEM)
    talk.reply("robot", "")
    talk.reply("golem", "")
    assert talk.state.floor is None
    assert talk.state.replying == {}
    assert len(talk.asked) == 2


def test_ai_participants_go_on_as_long_as_one_of_them_has_something_to_say() -> None:
    talk = Talk(ROBOT, GOLEM)
    for _ in range(3):
        talk.reply("robot", "")
        talk.reply("golem", "what I meant to say is ...")
    assert talk.state.replying == {"robot": 4}


def test_ai_participants_that_passed_are_asked_again_once_a_person_has_spoken() -> None:
    talk = Talk(ALICE, ROBOT)
    talk.turn("alice", "hello")
    talk.reply("robot", "")
    talk.turn("alice", "are you there?")
    assert talk.asked == ["robot", "robot"]


def test_an_ai_participant_that_has_passed_still_gives_way_to_who_joins() -> None:
    talk = Talk(ROBOT, ai("mute", Permission.INVOKE))
    talk.reply("robot", "")
    assert talk.state.floor is None
    talk.join(BOB)
    assert talk.state.floor == "bob"


# Failing


def test_a_reply_that_fails_is_told_and_passes_the_floor_on() -> None:
    talk = Talk(ALICE, ROBOT)
    talk.turn("alice", "hello")
    talk.fail("robot", "no such model")
    assert talk.said == ["alice: hello", "robot can't reply: no such model"]
    assert talk.state.floor == "alice"


def test_an_ai_participant_that_keeps_failing_is_asked_no_more() -> None:
    talk = Talk(ALICE, ROBOT)
    for _ in range(MAX_FAILURES):
        talk.turn("alice")
        talk.fail("robot", "no model")
    talk.turn("alice")
    assert len(talk.asked) == MAX_FAILURES
    assert [told for told in talk.said if not told.startswith("alice")] == [
        "robot can't reply: no model",
        "robot can't reply: no model; after 3 failures in a row it is asked no more",
    ]
    assert talk.state.floor == "alice"


def test_a_reply_that_comes_makes_up_for_those_that_failed() -> None:
    talk = Talk(ALICE, ROBOT)
    for _ in range(MAX_FAILURES - 1):
        talk.turn("alice")
        talk.fail("robot")
    talk.turn("alice")
    talk.reply("robot", "sorry")
    talk.turn("alice")
    talk.fail("robot")
    talk.turn("alice")
    assert talk.state.replying == {"robot": MAX_FAILURES + 2}


def test_in_free_form_a_reply_that_fails_is_not_asked_for_again_until_a_person_speaks() -> None:
    talk = Talk(ALICE, ROBOT, coordination=FreeForm())
    talk.turn("alice")
    talk.fail("robot")
    assert talk.asked == ["robot"]
    talk.turn("alice")
    assert talk.asked == ["robot", "robot"]


# Being stopped


def test_an_interrupt_cancels_the_reply_and_passes_the_floor_on() -> None:
    talk = Talk(ALICE, ROBOT, BOB)
    talk.turn("alice", "hello")
    assert talk.interrupt("alice") is Disposition.RECORDED
    assert talk.effects == [Ask("robot", 1), CancelReply("robot", 1)]
    assert talk.said == ["alice: hello", "alice interrupted robot"]
    assert talk.state.floor == "bob"


def test_an_interrupt_cancels_all_the_replies_under_way() -> None:
    talk = Talk(ALICE, ROBOT, GOLEM, coordination=FreeForm())
    talk.turn("alice")
    talk.interrupt("alice")
    assert talk.state.replying == {}
    assert talk.said[-1] == "alice interrupted robot, golem"


def test_an_interrupted_ai_participant_is_asked_again_about_what_was_said_meanwhile() -> None:
    talk = Talk(ALICE, ROBOT, coordination=FreeForm())
    talk.turn("alice", "tell me everything")
    talk.turn("alice", "no, only the end")
    talk.interrupt("alice")
    assert talk.effects == [Ask("robot", 1), CancelReply("robot", 1), Ask("robot", 2)]


def test_a_reply_that_comes_after_it_was_cancelled_changes_nothing() -> None:
    talk = Talk(ALICE, ROBOT)
    talk.turn("alice")
    talk.interrupt("alice")
    before = talk.state.model_copy(deep=True)
    talk.reply("robot", "too late", ask=1)
    assert talk.state == before


def test_a_late_reply_is_not_taken_for_the_one_that_was_asked_for_since() -> None:
    talk = Talk(ALICE, ROBOT)
    talk.turn("alice")
    talk.interrupt("alice")
    talk.turn("alice")
    talk.reply("robot", "too late", ask=1)
    assert talk.state.replying == {"robot": 2}
    talk.reply("robot", "in time", ask=2)
    assert talk.turns[-1] == "robot: in time"


def test_a_late_failure_changes_nothing() -> None:
    talk = Talk(ALICE, ROBOT)
    talk.turn("alice")
    talk.interrupt("alice")
    before = talk.state.model_copy(deep=True)
    talk.fail("robot")
    assert talk.state == before


def test_the_reply_of_an_ai_participant_that_leaves_is_cancelled() -> None:
    talk = Talk(ALICE, ROBOT)
    talk.turn("alice")
    talk.leave("robot")
    assert talk.effects[-1] == CancelReply("robot", 1)
    assert talk.state.floor == "alice"


def test_replies_under_way_are_cancelled_at_the_end_and_count_no_more() -> None:
    talk = Talk(ALICE, ROBOT)
    talk.turn("alice")
    talk.close("alice")
    assert talk.effects[-1] == CancelReply("robot", 1)
    before = talk.state.model_copy(deep=True)
    talk.reply("robot", "too late")
    assert talk.state == before


def test_who_speaks_for_an_ai_participant_spares_it_the_reply() -> None:
    talk = Talk(ALICE, ROBOT, GOLEM)
    talk.turn("alice")
    assert talk.turn("robot", "from elsewhere") is Disposition.RECORDED
    assert talk.effects == [Ask("robot", 1), CancelReply("robot", 1), Ask("golem", 1)]
    assert talk.state.floor == "golem"


def test_a_held_turn_for_an_ai_participant_spares_it_the_reply_when_it_has_the_floor() -> None:
    talk = Talk(ALICE, ROBOT)
    talk.turn("robot", "from elsewhere")
    talk.turn("alice", "hello")
    assert talk.turns == ["alice: hello", "robot: from elsewhere"]
    assert talk.state.replying == {}
    assert talk.state.floor == "alice"


def test_an_interrupt_after_speaking_for_an_ai_participant_stops_whoever_is_at_work() -> None:
    talk = Talk(ALICE, ROBOT, GOLEM)
    talk.turn("alice")
    talk.turn("robot", "from elsewhere")
    talk.interrupt("alice")
    assert talk.said[-1] == "alice interrupted golem"
    assert talk.state.floor == "alice"


# Free form: who is asked, and when


def test_in_free_form_an_ai_participant_is_asked_when_a_person_speaks() -> None:
    talk = Talk(ALICE, ROBOT, GOLEM, coordination=FreeForm())
    assert talk.asked == []
    talk.turn("alice")
    assert talk.asked == ["robot", "golem"]


def test_in_free_form_replies_may_come_in_any_order() -> None:
    talk = Talk(ALICE, ROBOT, GOLEM, coordination=FreeForm())
    talk.turn("alice", "hello")
    talk.reply("golem", "second named, first to answer")
    talk.reply("robot", "hello")
    assert talk.turns[1:] == ["golem: second named, first to answer", "robot: hello"]


def test_in_free_form_ai_participants_do_not_answer_one_another() -> None:
    talk = Talk(ALICE, ROBOT, GOLEM, coordination=FreeForm())
    talk.turn("alice")
    talk.reply("robot", "hello")
    talk.reply("golem", "hello")
    assert len(talk.asked) == 2


def test_in_free_form_all_that_people_say_during_a_reply_is_answered_by_one_more() -> None:
    talk = Talk(ALICE, ROBOT, coordination=FreeForm())
    for text in ("one", "two", "three"):
        talk.turn("alice", text)
    assert talk.asked == ["robot"]
    talk.reply("robot", "to one")
    assert talk.asked == ["robot", "robot"]
    talk.reply("robot", "to two and three")
    assert talk.asked == ["robot", "robot"]


def test_in_free_form_a_proposal_by_a_person_is_answered() -> None:
    talk = Talk(ALICE, BOB, ROBOT, coordination=FreeForm())
    talk.propose("alice", "pizza")
    assert talk.asked == ["robot"]


def test_in_free_form_who_joins_or_leaves_is_not_answered() -> None:
    talk = Talk(ALICE, BOB, ROBOT, coordination=FreeForm())
    talk.leave("bob")
    talk.join(BOB)
    assert talk.asked == []


def test_in_free_form_an_ai_participant_is_not_asked_about_what_it_is_not_given() -> None:
    talk = Talk(ALICE, BOB, ROBOT, coordination=FreeForm(), routing=Addressed())
    talk.turn("alice", "between us", to=["bob"])
    assert talk.asked == []
    talk.turn("alice", "and you?", to=["robot"])
    assert talk.asked == ["robot"]


def test_in_free_form_an_ai_participant_that_joins_is_asked_about_what_is_said_from_then_on() -> None:
    talk = Talk(ALICE, coordination=FreeForm(), guests=Guests(kinds=(Kind.AI,)))
    talk.turn("alice")
    talk.join(ROBOT)
    assert talk.asked == []
    talk.turn("alice")
    assert talk.asked == ["robot"]


# A continued run


def test_a_continued_run_asks_again_for_the_replies_that_were_under_way() -> None:
    talk = Talk(ALICE, ROBOT, GOLEM, coordination=FreeForm())
    talk.turn("alice")
    assert resume(talk.state.carried()).effects == (Ask("robot", 1), Ask("golem", 1))


def test_a_continued_run_takes_the_reply_that_it_asked_for() -> None:
    talk = Talk(ALICE, ROBOT)
    talk.turn("alice")
    talk.state = talk.state.carried()
    talk.reply("robot", "hello")
    assert talk.turns[-1] == "robot: hello"


# With other bounds


def test_a_reply_may_be_the_last_turn_that_is_allowed() -> None:
    talk = Talk(ALICE, ROBOT, constraints=Constraints(max_turns=2))
    talk.turn("alice")
    talk.reply("robot", "bye")
    assert talk.ended.stop is StopReason.TURNS


def test_an_ai_participant_is_not_disturbed_by_turns_out_of_turn() -> None:
    talk = Talk(ROBOT, ALICE, out_of_turn=OutOfTurn.ACCEPT)
    talk.turn("alice", "hurry")
    assert talk.effects == [Ask("robot", 1)]
    assert talk.state.floor == "robot"
