import pytest

from signals.errors import ErrorType
from signals.messages import Close, Disposition, Interrupt, Join, Leave, Message, Propose, Turn, Vote
from signals.participants import Permission
from tests.unit.conversation.talk import START, Talk, ai, person
from workflows.conversation.admission import check
from workflows.conversation.coordination import FreeForm
from workflows.conversation.events import Misfit

ALICE = person("alice", Permission.SPEAK, Permission.MODERATE)
BOB = person("bob")
WATCHER = person("walter", Permission.DECIDE)

FROM_MALLORY: tuple[Message, ...] = (
    Turn(speaker="mallory", text="hello"),
    Leave(speaker="mallory"),
    Propose(speaker="mallory", outcome=1),
    Vote(speaker="mallory", proposal=1, approve=True),
    Interrupt(speaker="mallory"),
    Close(speaker="mallory"),
)


def by_signal(message: Message) -> str:
    return message.signal


# Who


@pytest.mark.parametrize("message", FROM_MALLORY, ids=by_signal)
def test_nothing_is_accepted_from_a_stranger(message: Message) -> None:
    talk = Talk(ALICE, BOB)
    assert talk.send(message) is ErrorType.NOT_A_PARTICIPANT
    assert talk.reason == "'mallory' is not a participant; send 'join' first"


@pytest.mark.parametrize("message", FROM_MALLORY, ids=by_signal)
def test_nothing_is_accepted_from_who_has_left(message: Message) -> None:
    talk = Talk(ALICE, BOB, person("mallory", *Permission))
    talk.leave("mallory")
    assert talk.send(message) is ErrorType.NOT_A_PARTICIPANT
    assert talk.reason == "'mallory' has left; send 'join' first"


@pytest.mark.parametrize(
    ("message", "needed"),
    [
        (Turn(speaker="walter", text="hello"), "speak"),
        (Propose(speaker="walter", outcome=1), "speak"),
        (Vote(speaker="walter", proposal=1, approve=True), "speak"),
        (Interrupt(speaker="bob"), "moderate"),
        (Close(speaker="bob"), "moderate"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.signal,
)
def test_nothing_is_accepted_without_the_permission_for_it(message: Message, needed: str) -> None:
    talk = Talk(ALICE, BOB, WATCHER)
    talk.propose("alice", 1)
    assert talk.send(message) is ErrorType.NOT_PERMITTED
    assert talk.reason == f"{message.sender!r} needs the permission '{needed}' to send '{message.signal}'"


def test_everybody_may_leave() -> None:
    assert Talk(ALICE, WATCHER).leave("walter") is Disposition.RECORDED


# What


def test_a_turn_is_not_accepted_to_a_stranger() -> None:
    talk = Talk(ALICE, BOB)
    assert talk.turn("alice", to=["bob", "mallory"]) is ErrorType.INVALID_INPUT
    assert talk.reason == "to: 'mallory' is not a participant"


def test_a_turn_is_accepted_to_who_has_left() -> None:
    talk = Talk(ALICE, BOB)
    talk.leave("bob")
    assert talk.turn("alice", to=["bob"]) is Disposition.RECORDED


def test_a_turn_is_not_accepted_in_reply_to_a_message_that_is_not_there_yet() -> None:
    talk = Talk(ALICE, BOB)
    talk.turn("alice")
    assert talk.turn("bob", in_reply_to=2) is ErrorType.INVALID_INPUT
    assert talk.reason == "in_reply_to: there is no message 2 yet"
    assert talk.turn("bob", in_reply_to=1) is Disposition.RECORDED


def test_a_vote_is_not_accepted_on_a_proposal_that_is_not_there() -> None:
    talk = Talk(ALICE, BOB)
    assert talk.vote("alice", 1) is ErrorType.INVALID_INPUT
    assert talk.reason == "there is no proposal 1; open are: none"
    talk.propose("alice", "pizza")
    talk.propose("bob", "soup")
    assert talk.vote("alice", 3) is ErrorType.INVALID_INPUT
    assert talk.reason == "there is no proposal 3; open are: 1, 2"


def test_an_interrupt_is_not_accepted_while_nobody_replies() -> None:
    talk = Talk(ALICE, BOB, ai("robot"))
    assert talk.interrupt("alice") is ErrorType.INVALID_INPUT
    assert talk.reason == "no AI participant is replying now"


def test_a_proposal_that_does_not_fit_is_not_accepted() -> None:
    talk = Talk(ALICE, BOB, outcome={"type": "object", "properties": {"amount": {"type": "number"}}})
    assert talk.propose("alice", {"amount": "a lot"}) is ErrorType.OUTCOME_INVALID
    assert talk.reason == 'amount: "a lot" is not of type "number"; mend it and propose again'
    assert talk.propose("alice", {"amount": 3}) is Disposition.RECORDED


@pytest.mark.parametrize(
    "message", [*FROM_MALLORY, Join(participant=person("zoe")), Join(participant=BOB)], ids=by_signal
)
def test_nothing_is_accepted_after_the_end(message: Message) -> None:
    talk = Talk(ALICE, BOB, person("mallory", *Permission))
    talk.close("alice", "solved on the phone")
    assert talk.send(message) is ErrorType.CONVERSATION_CLOSED
    assert talk.reason == "the conversation has ended: solved on the phone"


# What becomes of it


def test_a_rejection_says_when_what_from_whom_and_why() -> None:
    talk = Talk(ALICE, BOB)
    talk.wait(60)
    talk.turn("mallory")
    rejection = talk.state.rejections.recent[-1]
    assert rejection == talk.reaction.rejection
    assert (rejection.at, rejection.signal, rejection.speaker) == (talk.now, "turn", "mallory")


def test_a_rejected_message_changes_nothing_but_the_rejections() -> None:
    talk = Talk(ALICE, BOB)
    before = talk.state.model_dump(exclude={"rejections"})
    talk.turn("mallory")
    assert talk.state.model_dump(exclude={"rejections"}) == before


def test_what_is_no_message_becomes_a_rejection_of_who_it_claims_to_be_from() -> None:
    talk = Talk(ALICE, BOB)
    talk.apply(Misfit("turn", "alice", "text: Field required", START))
    rejection = talk.state.rejections.recent[-1]
    assert (rejection.type, rejection.speaker, rejection.reason) == (
        ErrorType.INVALID_INPUT,
        "alice",
        "text: Field required",
    )


def test_rejections_are_counted_and_the_latest_fifty_are_kept() -> None:
    talk = Talk(ALICE, BOB)
    for number in range(60):
        talk.apply(Misfit(f"signal-{number}", None, "there is no signal of this name", START))
    assert talk.state.rejections.total == 60
    assert [rejection.signal for rejection in talk.state.rejections.recent] == [f"signal-{n}" for n in range(10, 60)]


def test_a_reason_is_cut_where_it_is_kept() -> None:
    talk = Talk(ALICE, BOB)
    talk.close("alice", "x" * 10_000)
    talk.turn("bob")
    assert len(talk.reason) == 500


def test_checking_a_message_changes_nothing() -> None:
    talk = Talk(ALICE, BOB, coordination=FreeForm())
    before = talk.state.model_copy(deep=True)
    assert check(talk.setup, talk.state, Turn(speaker="bob", text="hello", id="m-1")) is None
    assert check(talk.setup, talk.state, Turn(speaker="mallory", text="hello")) is not None
    assert talk.state == before
