import pytest

from signals.conversation import StopReason
from signals.errors import ErrorType
from signals.messages import Disposition
from signals.participants import Kind, Participant, Permission
from tests.unit.conversation.talk import Talk, ai, person
from workflows.conversation.bounds import Constraints, Guests
from workflows.conversation.coordination import FreeForm
from workflows.conversation.roster import MAX_ABSENT

ALICE, BOB, CAROL = person("alice"), person("bob"), person("carol")


# Joining


def test_a_guest_who_joins_may_speak() -> None:
    talk = Talk(ALICE, BOB, coordination=FreeForm())
    assert talk.join(CAROL) is Disposition.RECORDED
    assert talk.turn("carol") is Disposition.RECORDED


def test_everybody_is_told_who_joined_by_name_and_role() -> None:
    talk = Talk(ALICE, BOB)
    talk.join(Participant(id="carol", kind=Kind.HUMAN, role="expert", name="Carol C."))
    assert talk.said == ["Carol C. (expert) joined"]
    assert talk.answer.seq == 1


def test_joining_again_is_a_duplicate() -> None:
    talk = Talk(ALICE, BOB)
    assert talk.join(BOB) is Disposition.DUPLICATE
    assert talk.said == []


def test_nobody_joins_under_the_id_of_somebody_who_is_here() -> None:
    talk = Talk(ALICE, BOB)
    assert talk.join(person("bob", role="expert")) is ErrorType.INVALID_INPUT
    assert talk.reason == "'bob' takes part already; choose another id"


def test_a_guest_may_have_no_permission_that_guests_do_not_have() -> None:
    talk = Talk(ALICE, BOB)
    assert talk.join(person("carol", Permission.SPEAK, Permission.DECIDE)) is ErrorType.NOT_PERMITTED
    assert talk.reason == "a guest may not have the permission 'decide'"


def test_an_ai_participant_may_not_join_uninvited() -> None:
    talk = Talk(ALICE, BOB)
    assert talk.join(ai("robot")) is ErrorType.NOT_PERMITTED
    assert talk.reason == "guests of kind 'ai' may not join"


def test_the_setup_may_allow_guests_more() -> None:
    guests = Guests(kinds=(Kind.AI,), can=(Permission.SPEAK, Permission.MODERATE))
    talk = Talk(ALICE, BOB, guests=guests)
    assert talk.join(ai("robot", Permission.SPEAK, Permission.MODERATE)) is Disposition.RECORDED
    assert talk.join(CAROL) is ErrorType.NOT_PERMITTED


def test_the_setup_may_allow_no_guests() -> None:
    talk = Talk(ALICE, BOB, guests=None)
    assert talk.join(CAROL) is ErrorType.NOT_PERMITTED
    assert talk.reason == "nobody may join uninvited (the setup's 'guests' is null)"


def test_no_more_join_than_there_may_be_at_a_time() -> None:
    talk = Talk(ALICE, BOB, constraints=Constraints(participant_limit=2))
    assert talk.join(CAROL) is ErrorType.PARTICIPANT_LIMIT
    assert talk.reason == "2 participants, the most allowed, are here already"
    talk.leave("bob")
    assert talk.join(CAROL) is Disposition.RECORDED


# Leaving and coming back


@pytest.mark.parametrize(
    ("reason", "said"), [(None, "bob left"), ("my shift is over", "bob left: my shift is over")], ids=["no", "a"]
)
def test_everybody_is_told_who_left_and_why(reason: str | None, said: str) -> None:
    talk = Talk(ALICE, BOB)
    talk.leave("bob", reason)
    assert talk.said == [said]


def test_who_left_is_no_longer_present() -> None:
    talk = Talk(ALICE, BOB)
    talk.leave("bob")
    assert [member.participant.id for member in talk.state.present] == ["alice"]


def test_who_comes_back_may_do_what_they_could_before_even_where_no_guests_are_allowed() -> None:
    host = person("alice", Permission.SPEAK, Permission.MODERATE)
    talk = Talk(host, BOB, guests=None)
    talk.leave("alice")
    assert talk.join(host) is Disposition.RECORDED
    assert talk.close("alice") is Disposition.RECORDED


def test_nobody_comes_back_as_somebody_else() -> None:
    talk = Talk(ALICE, BOB)
    talk.leave("bob")
    assert talk.join(person("bob", Permission.SPEAK, Permission.DECIDE)) is ErrorType.NOT_PERMITTED
    assert talk.reason == "'bob' was here before, as somebody else"


def test_who_comes_back_needs_room() -> None:
    talk = Talk(ALICE, BOB, constraints=Constraints(participant_limit=2))
    talk.leave("bob")
    talk.join(CAROL)
    assert talk.join(BOB) is ErrorType.PARTICIPANT_LIMIT


def crowd(talk: Talk, number: int) -> None:
    """Have so many guests come and go."""
    for index in range(number):
        assert talk.join(person(f"guest-{index}")) is Disposition.RECORDED
        assert talk.leave(f"guest-{index}") is Disposition.RECORDED


def test_of_those_who_left_only_some_are_remembered() -> None:
    talk = Talk(ALICE, constraints=Constraints(participant_limit=2))
    crowd(talk, 3 * MAX_ABSENT)
    assert len(talk.state.members) == 2 + MAX_ABSENT
    assert "guest-0" not in talk.state.members


def test_the_votes_of_somebody_forgotten_do_not_count_for_a_namesake() -> None:
    guests = Guests(can=(Permission.SPEAK, Permission.DECIDE))
    host = person("alice", Permission.SPEAK, Permission.DECIDE)
    decision = {"kind": "decision"}
    talk = Talk(host, guests=guests, emergence=(decision,), constraints=Constraints(participant_limit=2))
    talk.join(person("carol"))
    talk.propose("carol", "pizza")
    talk.leave("carol")
    crowd(talk, MAX_ABSENT + 1)
    assert talk.join(person("carol", Permission.SPEAK, Permission.DECIDE)) is Disposition.RECORDED
    assert talk.state.ended is None


# When nobody is left


def test_a_conversation_ends_when_everyone_has_left() -> None:
    talk = Talk(ALICE, BOB)
    talk.leave("alice")
    assert talk.state.ended is None
    talk.leave("bob")
    assert (talk.ended.stop, talk.ended.reason) == (StopReason.EVERYONE_LEFT, "everyone has left")


def test_nobody_left_is_no_consensus() -> None:
    talk = Talk(ALICE, BOB)
    talk.propose("alice", "pizza")
    talk.leave("alice")
    assert talk.state.ended is None
    talk.leave("bob")
    assert (talk.ended.stop, talk.ended.outcome) == (StopReason.EVERYONE_LEFT, None)


def test_ai_participants_do_not_go_on_without_people() -> None:
    talk = Talk(ALICE, ai("robot"))
    talk.leave("alice")
    assert talk.ended.stop is StopReason.EVERYONE_LEFT


def test_ai_participants_may_be_among_themselves_from_the_start() -> None:
    talk = Talk(ai("robot"), ai("golem"))
    talk.leave("robot")
    assert talk.state.ended is None
    talk.leave("golem")
    assert talk.ended.stop is StopReason.EVERYONE_LEFT
