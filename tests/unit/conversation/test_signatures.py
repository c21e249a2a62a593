"""Who speaks: who has a key signs, nobody else can speak as them, and nothing that was signed counts twice."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from infra.errors import SetupError
from infra.signing import Signer, make_key, read_signer
from signals.errors import ErrorType
from signals.messages import Close, Disposition, Invoke, Join, Leave, Message, Propose, Signature, Turn, Vote
from signals.participants import Participant, Permission
from tests.unit.conversation.talk import ANYTHING, Talk, offer, person
from workflows.conversation.roster import MAX_ABSENT
from workflows.conversation.signatures import LAG, signed_bytes

RECORDED, DUPLICATE, FORGED = Disposition.RECORDED, Disposition.DUPLICATE, ErrorType.SIGNATURE_INVALID
FREE = {"kind": "free_form"}
CROWDED = {"participant_limit": 2, "timeout_seconds": 315_360_000}


@pytest.fixture
def ann(tmp_path: Path) -> Signer:
    return make_key(tmp_path / "ann.pem")


@pytest.fixture
def eve(tmp_path: Path) -> Signer:
    return make_key(tmp_path / "eve.pem")


def with_key(signer: Signer, name: str = "ann", *can: Permission) -> Participant:
    return person(name, *(can or ANYTHING)).model_copy(update={"key": signer.public_key})


@pytest.fixture
def talk(ann: Signer) -> Talk:
    """A conversation of Ann, who has a key, and Ben, who has none."""
    return Talk(with_key(ann), person("ben"), coordination=FREE)


def hello(text: str = "hello", mark: str | None = None) -> Turn:
    return Turn(speaker="ann", text=text, id=mark)


def signed(signer: Signer, talk: Talk, message: Message) -> Message:
    return signer.sign(talk.state.conversation, message)


def test_what_is_signed_is_accepted_of_every_kind(talk: Talk, ann: Signer) -> None:
    talk.propose("ben", "tea")
    for message in (
        hello(),
        Propose(speaker="ann", outcome={"amount": 12.5}),
        Vote(speaker="ann", proposal=1, approve=True),
    ):
        assert talk.send(signed(ann, talk, message)) is RECORDED
    assert talk.ended.outcome == "tea"


@pytest.mark.parametrize(
    "message",
    [
        hello(),
        Propose(speaker="ann", outcome="tea"),
        Vote(speaker="ann", proposal=1, approve=True),
        Leave(speaker="ann"),
        Close(speaker="ann"),
    ],
)
def test_what_is_not_signed_by_who_has_a_key_is_rejected(talk: Talk, eve: Signer, message: Message) -> None:
    assert talk.send(message) is FORGED
    assert "has a key: sign the message" in talk.reason
    assert talk.send(signed(eve, talk, message)) is FORGED
    assert talk.reason == "the signature is not that of 'ann' for this message in 'talk-1'"
    assert talk.state.rejections.total == 2


@pytest.mark.parametrize(
    "change", [{"text": "hullo"}, {"to": ("ben",)}, {"topic": "tea"}, {"in_reply_to": 1}, {"id": "m-1"}]
)
def test_what_was_changed_after_it_was_signed_is_rejected(talk: Talk, ann: Signer, change: dict[str, object]) -> None:
    assert talk.send(signed(ann, talk, hello())) is RECORDED
    message = signed(ann, talk, hello("again"))
    assert talk.send(message.model_copy(update=change)) is FORGED


def test_a_number_can_t_be_put_forward(talk: Talk, ann: Signer) -> None:
    message = signed(ann, talk, hello())
    assert message.signature is not None
    later = Signature(number=message.signature.number + 1, value=message.signature.value)
    assert talk.send(message.model_copy(update={"signature": later})) is FORGED


def test_what_was_signed_for_another_conversation_is_rejected(talk: Talk, ann: Signer) -> None:
    assert talk.send(ann.sign("another", hello())) is FORGED


def test_what_was_signed_for_an_earlier_conversation_of_the_same_id_is_rejected(talk: Talk, ann: Signer) -> None:
    message = signed(ann, talk, hello())
    talk.state.started = datetime.now(UTC) + 2 * LAG
    assert talk.send(message) is FORGED
    assert "from before the conversation" in talk.reason
    talk.state.started = datetime.now(UTC) + LAG / 2  # the signer's clock may be behind
    assert talk.send(message) is RECORDED


def test_what_was_signed_counts_once(talk: Talk, ann: Signer) -> None:
    first, second = signed(ann, talk, hello()), signed(ann, talk, hello())
    assert talk.send(second) is RECORDED
    assert talk.send(second) is FORGED
    assert talk.send(first) is FORGED  # it is older
    assert talk.turns == ["ann: hello"]


def test_a_turn_that_is_sent_again_with_its_id_is_a_duplicate(talk: Talk, ann: Signer) -> None:
    message = signed(ann, talk, hello(mark="m-1"))
    assert [talk.send(message), talk.send(message)] == [RECORDED, DUPLICATE]


def test_a_forged_duplicate_is_rejected_and_uses_up_no_numbers(talk: Talk, ann: Signer) -> None:
    message = signed(ann, talk, hello(mark="m-1"))
    assert message.signature is not None
    assert talk.send(message) is RECORDED
    assert talk.send(hello(mark="m-1")) is FORGED
    forged = Signature(number=2**53 - 1, value=message.signature.value)
    assert talk.send(message.model_copy(update={"signature": forged})) is FORGED
    assert talk.send(signed(ann, talk, hello())) is RECORDED


def test_what_is_sent_again_with_its_id_is_a_duplicate_also_when_it_is_signed_anew(talk: Talk, ann: Signer) -> None:
    again = [signed(ann, talk, hello(mark="m-1")) for _ in range(2)]
    assert [talk.send(message) for message in again] == [RECORDED, DUPLICATE]


def test_a_request_that_was_under_way_already_does_not_count_when_that_is_done(ann: Signer) -> None:
    talk = Talk(with_key(ann), coordination=FREE, fragments=(offer("Ping"),))
    first, second = (signed(ann, talk, Invoke(speaker="ann", fragment="Ping")) for _ in range(2))
    assert [talk.send(first), talk.send(second)] == [RECORDED, DUPLICATE]
    talk.done(1)
    assert talk.send(second) is FORGED
    assert talk.started == [("Ping", {})]


def test_what_was_rejected_for_another_reason_can_t_be_sent_later(talk: Talk, ann: Signer) -> None:
    vote = signed(ann, talk, Vote(speaker="ann", proposal=1, approve=True))
    assert talk.send(vote) not in (RECORDED, FORGED)
    talk.propose("ben", "tea")
    assert talk.send(vote) is FORGED


def test_a_signature_that_nobody_can_check_is_rejected(talk: Talk, ann: Signer) -> None:
    assert talk.send(signed(ann, talk, Turn(speaker="ben", text="hi"))) is FORGED
    assert "has no key here" in talk.reason
    assert talk.turn("ben", "hi") is RECORDED


def test_who_joins_with_a_key_shows_that_it_is_theirs(talk: Talk, eve: Signer, ann: Signer) -> None:
    joining = Join(participant=person("eve").model_copy(update={"key": eve.public_key}))
    assert talk.send(joining) is FORGED
    assert talk.send(signed(ann, talk, joining)) is FORGED
    again = signed(eve, talk, joining)
    assert talk.send(again) is RECORDED
    assert talk.send(signed(eve, talk, Leave(speaker="eve"))) is RECORDED
    assert talk.send(again) is FORGED
    assert talk.send(signed(eve, talk, joining)) is RECORDED


def test_nobody_joins_again_with_another_key(talk: Talk, ann: Signer, eve: Signer) -> None:
    assert talk.send(signed(ann, talk, Leave(speaker="ann"))) is RECORDED
    assert talk.send(signed(eve, talk, Join(participant=with_key(eve)))) is FORGED


def test_a_name_that_the_setup_gives_a_key_is_not_for_whoever_joins_first(ann: Signer, eve: Signer) -> None:
    rung = {"do": "bring_in", "after_seconds": 60, "participant": with_key(ann)}
    talk = Talk(person("ben"), coordination=FREE, constraints={"ladder": [rung]})
    for key in (None, eve.public_key):
        joining = Join(participant=person("ann").model_copy(update={"key": key}))
        assert talk.send(signed(eve, talk, joining)) is FORGED
        assert talk.reason == "the setup has another key for 'ann'"
    theirs = Join(participant=person("ann").model_copy(update={"key": ann.public_key}))
    assert talk.send(signed(eve, talk, theirs)) is FORGED
    assert talk.send(signed(ann, talk, theirs)) is RECORDED


def forgotten(talk: Talk, signer: Signer) -> list[Message]:
    """Have Eve come, speak and leave, and so many others after her that she is forgotten; gives what she signed."""
    joining = Join(participant=person("eve").model_copy(update={"key": signer.public_key}))
    said = [
        signed(signer, talk, message)
        for message in (joining, Turn(speaker="eve", text="pay me"), Leave(speaker="eve", reason="done"))
    ]
    talk.now = datetime.now(UTC)
    assert [talk.send(message) for message in said] == [RECORDED] * 3
    for number in range(MAX_ABSENT + 1):
        assert talk.join(person(f"guest-{number}")) is RECORDED
        assert talk.leave(f"guest-{number}") is RECORDED
    assert "eve" not in talk.state.members
    return said


def test_nothing_counts_again_that_somebody_signed_who_is_forgotten(eve: Signer) -> None:
    talk = Talk(person("ben"), coordination=FREE, constraints=CROWDED)
    said = forgotten(talk, eve)
    assert [talk.send(message) for message in said] == [
        FORGED,
        ErrorType.NOT_A_PARTICIPANT,
        ErrorType.NOT_A_PARTICIPANT,
    ]
    assert talk.send(signed(eve, talk, Join(participant=with_key(eve, "eve", Permission.SPEAK)))) is RECORDED
    assert talk.send(said[1]) is FORGED


def test_who_signs_with_numbers_ahead_of_the_time_shuts_nobody_out(ann: Signer, eve: Signer) -> None:
    talk = Talk(person("ben"), coordination=FREE, constraints=CROWDED)
    eve.last = 2**53 - 10
    forgotten(talk, eve)
    assert talk.send(signed(ann, talk, Join(participant=with_key(ann, "ann", Permission.SPEAK)))) is RECORDED


def test_where_messages_must_be_signed_all_people_need_a_key(ann: Signer) -> None:
    with pytest.raises(ValidationError, match="'ben' has no key, and people must sign here"):
        Talk(with_key(ann), person("ben"), signed=True)
    talk = Talk(with_key(ann), signed=True, coordination=FREE)
    assert talk.send(signed(ann, talk, hello())) is RECORDED
    assert talk.join(person("carol")) is FORGED
    assert "has no key, and messages must be signed here" in talk.reason


def test_a_number_that_has_no_one_form_can_t_be_signed(talk: Talk, ann: Signer) -> None:
    with pytest.raises(ValueError, match="exceeds safe integer"):
        signed(ann, talk, Propose(speaker="ann", outcome=2**60))
    forged = Propose(speaker="ann", outcome=2**60, signature=signed(ann, talk, hello()).signature)
    assert talk.send(forged) is FORGED


@given(st.text(min_size=1).filter(str.strip), st.text(), st.text(min_size=1).filter(str.strip), st.text())
def test_two_messages_are_never_signed_alike(text: str, conversation: str, other: str, elsewhere: str) -> None:
    one, two = Turn(speaker="ann", text=text), Turn(speaker="ann", text=other)
    same = (one, conversation) == (two, elsewhere)
    assert (signed_bytes(conversation, one, 1) == signed_bytes(elsewhere, two, 1)) is same


def test_what_is_signed_is_written_as_the_documentation_says() -> None:
    turn = Turn(speaker="ann", text=" Grüße ", to=("ben",), conversation="left out")
    assert signed_bytes("talk", turn, 7).decode() == (
        '{"message":{"speaker":"ann","text":"Grüße","to":["ben"]},"number":7,"signal":"turn","workflow_id":"talk"}'
    )


def test_a_key_file_is_for_its_owner_alone_and_openssl_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    made = make_key(path)
    assert read_signer(path).public_key == made.public_key
    assert subprocess.run(["openssl", "pkey", "-in", path, "-noout"], timeout=20).returncode == 0
    with pytest.raises(SetupError, match="File exists"):
        make_key(path)
    path.chmod(0o644)
    with pytest.raises(SetupError, match="others may read this key: chmod 600"):
        read_signer(path)


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_file_without_such_a_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.pem"
    path.touch(0o600)
    path.write_text(text)
    with pytest.raises(SetupError, match="no Ed25519 key in PEM"):
        read_signer(path)


def test_state_with_a_signature_survives_being_carried_on(talk: Talk, ann: Signer) -> None:
    message = signed(ann, talk, hello())
    talk.send(message)
    carried = type(talk.state).model_validate_json(talk.state.carried().model_dump_json())
    assert message.signature is not None
    assert carried.members["ann"].signed == message.signature.number
    assert json.loads(carried.model_dump_json())["members"]["ann"]["participant"]["key"] == ann.public_key
