import pytest

from signals.errors import ErrorType
from signals.messages import Disposition
from signals.participants import Permission
from signals.wire import MAX_TEXT_BYTES
from tests.unit.conversation.talk import Talk, ai, person
from workflows.conversation.bounds import OutOfTurn
from workflows.conversation.coordination import FreeForm
from workflows.conversation.machine import awaiting
from workflows.conversation.state import MAX_HELD

ALICE, BOB, CAROL = person("alice"), person("bob"), person("carol")
WATCHER = person("walter", Permission.MODERATE)


# Turn based: who has the floor


def test_the_floor_is_first_with_who_is_named_first() -> None:
    assert Talk(ALICE, BOB).state.floor == "alice"


def test_the_floor_goes_round_in_the_order_of_joining() -> None:
    talk = Talk(ALICE, BOB, CAROL)
    floors = []
    for _ in range(4):
        floors.append(talk.state.floor)
        talk.turn(str(talk.state.floor))
    assert floors == ["alice", "bob", "carol", "alice"]


def test_the_floor_passes_over_who_may_not_speak() -> None:
    talk = Talk(ALICE, WATCHER, CAROL)
    talk.turn("alice")
    assert talk.state.floor == "carol"


def test_the_floor_stays_with_the_only_one_who_may_speak() -> None:
    talk = Talk(ALICE, WATCHER)
    talk.turn("alice", "one")
    assert talk.turn("alice", "two") is Disposition.RECORDED


def test_the_floor_goes_on_when_who_has_it_leaves() -> None:
    talk = Talk(ALICE, BOB, CAROL)
    talk.leave("alice")
    assert talk.state.floor == "bob"


def test_the_floor_stays_when_somebody_else_leaves() -> None:
    talk = Talk(ALICE, BOB, CAROL)
    talk.leave("bob")
    assert talk.state.floor == "alice"
    talk.turn("alice")
    assert talk.state.floor == "carol"


def test_who_joins_has_the_floor_after_all_the_others() -> None:
    talk = Talk(ALICE, BOB)
    talk.join(CAROL)
    talk.turn("alice")
    talk.turn("bob")
    assert talk.state.floor == "carol"


def test_who_comes_back_has_their_old_place_in_the_round() -> None:
    talk = Talk(ALICE, BOB, CAROL)
    talk.leave("bob")
    talk.join(BOB)
    talk.turn("alice")
    assert talk.state.floor == "bob"


def test_the_floor_is_nobodys_until_somebody_comes_who_may_speak() -> None:
    talk = Talk(ALICE, WATCHER)
    talk.leave("alice")
    assert talk.state.floor is None
    talk.join(BOB)
    assert talk.state.floor == "bob"


def test_proposing_and_voting_need_no_floor_and_pass_none_on() -> None:
    talk = Talk(ALICE, BOB)
    assert talk.propose("bob", "pizza") is Disposition.RECORDED
    assert talk.vote("bob", 1, approve=False) is Disposition.RECORDED
    assert talk.state.floor == "alice"


def test_who_has_the_floor_is_waited_for() -> None:
    assert awaiting(Talk(ALICE, BOB).state) == ("alice",)


def test_nobody_is_waited_for_while_an_ai_participant_has_the_floor() -> None:
    assert awaiting(Talk(ai("robot"), BOB).state) == ()


def test_nobody_is_waited_for_after_the_end() -> None:
    talk = Talk(person("alice", Permission.SPEAK, Permission.MODERATE), BOB)
    talk.close("alice")
    assert awaiting(talk.state) == ()


# Turn based: out of turn


def test_a_turn_out_of_turn_is_held_and_has_no_number() -> None:
    talk = Talk(ALICE, BOB)
    assert talk.turn("bob", "me first") is Disposition.HELD
    assert talk.answer.seq is None
    assert talk.said == []


def test_a_held_turn_is_recorded_when_its_speaker_has_the_floor() -> None:
    talk = Talk(ALICE, BOB)
    talk.turn("bob", "me first")
    talk.turn("alice", "no, me")
    assert talk.turns == ["alice: no, me", "bob: me first"]
    assert talk.state.floor == "alice"


def test_held_turns_of_one_speaker_are_recorded_in_order_one_a_round() -> None:
    talk = Talk(ALICE, BOB)
    talk.turn("bob", "one")
    talk.turn("bob", "two")
    talk.turn("alice", "a")
    assert talk.turns == ["alice: a", "bob: one"]
    talk.turn("alice", "b")
    assert talk.turns == ["alice: a", "bob: one", "alice: b", "bob: two"]


def test_held_turns_of_several_speakers_follow_the_round_not_the_order_of_arrival() -> None:
    talk = Talk(ALICE, BOB, CAROL)
    talk.turn("carol", "third")
    talk.turn("bob", "second")
    talk.turn("alice", "first")
    assert talk.turns == ["alice: first", "bob: second", "carol: third"]


def test_the_held_turns_of_who_leaves_are_recorded_as_they_leave() -> None:
    talk = Talk(ALICE, BOB)
    talk.turn("bob", "one")
    talk.turn("bob", "two")
    talk.leave("bob")
    assert talk.said == ["bob: one", "bob: two", "bob left"]
    assert talk.state.held == []


def test_turns_that_are_still_held_are_recorded_at_the_end() -> None:
    talk = Talk(person("alice", Permission.SPEAK, Permission.MODERATE), BOB)
    talk.turn("bob", "wait")
    talk.close("alice")
    assert talk.said == ["alice closed the conversation", "bob: wait", "The conversation ended: closed by alice"]


def test_a_held_turn_keeps_what_it_was_sent_with() -> None:
    talk = Talk(ALICE, BOB)
    talk.turn("alice", "hello")
    talk.turn("alice", "again", to=["bob"], mark="m-1", in_reply_to=1)
    talk.turn("bob", "hi")
    message = talk.state.messages[-1]
    assert (message.text, message.id, message.in_reply_to) == ("again", "m-1", 1)


def test_no_more_turns_are_held_than_there_is_room_for() -> None:
    talk = Talk(ALICE, BOB)
    for number in range(MAX_HELD):
        assert talk.turn("bob", f"{number}") is Disposition.HELD
    assert talk.turn("bob", "one more") is ErrorType.NOT_YOUR_TURN
    assert talk.reason == "it is 'alice''s turn, and too many turns are held already; send it again later"


@pytest.mark.parametrize("character", ["x", "\x01"], ids=["plain", "escaped"])
def test_no_more_text_is_held_than_there_is_room_for(character: str) -> None:
    talk = Talk(ALICE, BOB)
    answers = [talk.turn("bob", f"{number}{character * (MAX_TEXT_BYTES - 2)}") for number in range(10)]
    assert answers[0] is Disposition.HELD
    assert answers[-1] is ErrorType.NOT_YOUR_TURN
    assert len(talk.state.model_dump_json()) < 150_000


def test_there_is_room_again_once_a_held_turn_is_recorded() -> None:
    talk = Talk(ALICE, BOB)
    for number in range(MAX_HELD):
        talk.turn("bob", f"{number}")
    talk.turn("alice")
    assert talk.turn("bob", "one more") is Disposition.HELD


def test_a_turn_out_of_turn_may_be_refused() -> None:
    talk = Talk(ALICE, BOB, out_of_turn=OutOfTurn.REFUSE)
    assert talk.turn("bob") is ErrorType.NOT_YOUR_TURN
    assert talk.reason == "it is 'alice''s turn; wait for yours"


def test_a_turn_out_of_turn_may_be_accepted_and_passes_no_floor_on() -> None:
    talk = Talk(ALICE, BOB, out_of_turn=OutOfTurn.ACCEPT)
    assert talk.turn("bob", "by the way") is Disposition.RECORDED
    assert talk.turns == ["bob: by the way"]
    assert talk.state.floor == "alice"


# Free form


def test_in_free_form_the_floor_is_nobodys_and_everybody_may_speak() -> None:
    talk = Talk(ALICE, BOB, coordination=FreeForm())
    assert talk.state.floor is None
    assert [talk.turn(name) for name in ("bob", "bob", "alice")] == [Disposition.RECORDED] * 3


def test_in_free_form_all_the_people_who_may_speak_are_waited_for() -> None:
    talk = Talk(ALICE, WATCHER, ai("robot"), BOB, coordination=FreeForm())
    assert awaiting(talk.state) == ("alice", "bob")


def test_in_free_form_who_left_is_not_waited_for() -> None:
    talk = Talk(ALICE, BOB, coordination=FreeForm())
    talk.leave("alice")
    assert awaiting(talk.state) == ("bob",)
