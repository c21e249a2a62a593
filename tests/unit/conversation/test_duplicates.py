from signals.errors import ErrorType
from signals.messages import Disposition
from signals.participants import Permission
from tests.unit.conversation.talk import Talk, person
from workflows.conversation.coordination import FreeForm
from workflows.conversation.state import REMEMBERED_IDS

ALICE, BOB = person("alice", Permission.SPEAK, Permission.MODERATE), person("bob")


def test_a_turn_with_an_id_that_was_sent_before_is_a_duplicate_and_answers_the_first_ones_number() -> None:
    talk = Talk(ALICE, BOB, coordination=FreeForm())
    talk.turn("bob", "hm")
    talk.turn("alice", "hello", mark="m-1")
    assert talk.turn("alice", "hello", mark="m-1") is Disposition.DUPLICATE
    assert talk.answer.seq == 2
    assert talk.turns == ["bob: hm", "alice: hello"]


def test_a_duplicate_is_told_by_its_id_not_by_its_text() -> None:
    talk = Talk(ALICE, BOB, coordination=FreeForm())
    talk.turn("alice", "hello", mark="m-1")
    assert talk.turn("alice", "something else", mark="m-1") is Disposition.DUPLICATE
    assert talk.turn("alice", "hello", mark="m-2") is Disposition.RECORDED


def test_turns_without_an_id_are_never_duplicates() -> None:
    talk = Talk(ALICE, BOB, coordination=FreeForm())
    assert [talk.turn("alice", "hello"), talk.turn("alice", "hello")] == [Disposition.RECORDED] * 2


def test_two_speakers_may_use_the_same_id() -> None:
    talk = Talk(ALICE, BOB, coordination=FreeForm())
    talk.turn("alice", mark="1")
    assert talk.turn("bob", mark="1") is Disposition.RECORDED


def test_a_speaker_and_an_id_are_not_mistaken_for_another_speaker_and_id() -> None:
    talk = Talk(person("a"), person("a1"), coordination=FreeForm())
    talk.turn("a", mark="1m")
    assert talk.turn("a1", mark="m") is Disposition.RECORDED


def test_a_duplicate_of_a_held_turn_is_a_duplicate_without_a_number() -> None:
    talk = Talk(ALICE, BOB)
    talk.turn("bob", "wait", mark="m-1")
    assert talk.turn("bob", "wait", mark="m-1") is Disposition.DUPLICATE
    assert talk.answer.seq is None
    assert len(talk.state.held) == 1


def test_a_duplicate_of_a_turn_that_was_held_answers_its_number() -> None:
    talk = Talk(ALICE, BOB)
    talk.turn("bob", "wait", mark="m-1")
    talk.turn("alice", "go")
    assert talk.turn("bob", "wait", mark="m-1") is Disposition.DUPLICATE
    assert talk.answer.seq == 2


def test_a_rejected_turn_may_be_sent_again_under_its_id() -> None:
    talk = Talk(ALICE, BOB, out_of_turn="refuse")
    assert talk.turn("bob", mark="m-1") is ErrorType.NOT_YOUR_TURN
    talk.turn("alice")
    assert talk.turn("bob", mark="m-1") is Disposition.RECORDED


def test_a_duplicate_is_one_even_after_the_end() -> None:
    talk = Talk(ALICE, BOB)
    talk.turn("alice", "bye", mark="m-1")
    talk.close("alice")
    assert talk.turn("alice", "bye", mark="m-1") is Disposition.DUPLICATE
    assert talk.answer.seq == 1
    assert talk.state.rejections.total == 0


def test_a_duplicate_is_one_even_from_who_has_left() -> None:
    talk = Talk(ALICE, BOB)
    talk.turn("alice", "bye", mark="m-1")
    talk.leave("alice")
    assert talk.turn("alice", "bye", mark="m-1") is Disposition.DUPLICATE


def test_a_stranger_has_no_duplicates() -> None:
    talk = Talk(ALICE, BOB)
    talk.turn("alice", mark="m-1")
    assert talk.turn("mallory", mark="m-1") is ErrorType.NOT_A_PARTICIPANT


def test_duplicates_are_remembered_beyond_the_window() -> None:
    talk = Talk(ALICE, BOB, coordination=FreeForm(), window=5)
    talk.turn("alice", mark="m-1")
    for _ in range(20):
        talk.turn("bob")
    assert talk.turn("alice", mark="m-1") is Disposition.DUPLICATE


def test_the_latest_ids_are_remembered_by_a_continued_run() -> None:
    talk = Talk(ALICE, BOB, coordination=FreeForm())
    for number in range(REMEMBERED_IDS + 1):
        talk.turn("alice", mark=f"m-{number}")
    talk.state = talk.state.carried()
    assert talk.turn("alice", mark="m-1") is Disposition.DUPLICATE
    assert talk.turn("alice", mark="m-0") is Disposition.RECORDED


def test_the_ids_of_held_turns_are_remembered_however_many_came_after_them() -> None:
    talk = Talk(ALICE, BOB)
    talk.turn("bob", "wait", mark="held")
    talk.state.seen |= {f"{number:016x}": 1 for number in range(2 * REMEMBERED_IDS)}
    talk.state = talk.state.carried()
    assert talk.turn("bob", "wait", mark="held") is Disposition.DUPLICATE


def test_the_id_of_a_turn_that_was_held_is_remembered_from_when_it_was_recorded() -> None:
    talk = Talk(ALICE, BOB)
    talk.turn("bob", "wait", mark="held")
    talk.state.seen |= {f"{number:016x}": 1 for number in range(REMEMBERED_IDS)}
    talk.turn("alice", "go")
    talk.state = talk.state.carried()
    assert talk.turn("bob", "wait", mark="held") is Disposition.DUPLICATE
