"""How a conversation looks in a terminal."""

from datetime import timedelta

import pytest

from infra.chat.view import answered, ending, entry, heading, missed, proposals, standing
from infra.printable import flat, printable
from signals.conversation import Ended, MessageKind, Proposal, Recorded, Status, StopReason, Transcript
from signals.messages import Answer, Disposition, Turn
from signals.participants import Participant
from tests.unit.conversation.talk import ANYTHING, START, Talk, ai, person
from workflows.conversation import views

CLOCK = f"{START.astimezone():%H:%M}"


def said(text: str, **more: object) -> Recorded:
    return Recorded.model_validate(
        {"seq": 7, "at": START, "kind": MessageKind.TURN, "speaker": "ann", "text": text, **more}
    )


def status_of(*participants: Participant, **changes: object) -> Status:
    talk = Talk(*(participants or (person("ann", *ANYTHING), person("ben"))))
    return views.status(talk.setup, talk.state, talk.now).model_copy(update=changes)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (said("hello"), f"#7 {CLOCK} ann: hello"),
        (said("psst", to=("ben", "cat")), f"#7 {CLOCK} ann (to ben, cat): psst"),
        (said("yes", in_reply_to=3, topic="tea"), f"#7 {CLOCK} ann (answers #3, about tea): yes"),
        (said("carol joined", kind=MessageKind.SYSTEM, speaker=None), f"#7 {CLOCK} * carol joined"),
        (said("one\ntwo"), f"#7 {CLOCK} ann: one\n    | two"),
    ],
)
def test_a_message_is_shown_with_who_says_it_to_whom(message: Recorded, shown: str) -> None:
    assert str(entry(message)) == shown


def test_a_proposal_is_shown_with_its_outcome() -> None:
    proposal = Proposal(number=2, seq=7, speaker="ann", outcome={"tea": True})
    message = said("proposes outcome 2: with milk", kind=MessageKind.PROPOSAL, proposal=2)
    line = f"#7 {CLOCK} ann: proposes outcome 2: with milk"
    assert str(entry(message, {2: proposal})) == f'{line}\n    | {{"tea": true}}'
    assert str(entry(message)) == line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("\x9b2J\x07\x00\r", "\\x9b2J\\x07\\x00\\r"),
        ("safe\u202eevil", "safe\\u202eevil"),
        ("a\tb\u00a0c\u2028d", "a    b c\nd"),
        ("naïve 👩\u200d🚀 日本", "naïve 👩\u200d🚀 日本"),
    ],
)
def test_what_a_terminal_might_act_on_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_no_text_looks_like_somebody_else_s_message() -> None:
    lines = str(entry(said("hi\n#8 10:00 ben: I agree\r\n#9"))).splitlines()
    assert [line[:6] for line in lines[1:]] == ["    | "] * 2


def test_a_line_is_cut() -> None:
    assert flat(" a\n b ") == "a b"
    assert flat("x" * 100, 10) == "xxxxxxxxx…"


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"floor": None, "awaiting": ()}, "anybody may speak"),
        ({"floor": "ann", "awaiting": ("ann",)}, "it is your turn"),
        ({"floor": None, "awaiting": ("ann", "ben")}, "you are waited for · waits for ben"),
        ({"floor": "ben", "awaiting": ("ben",), "held": 2}, "waits for ben · 2 turns held"),
        ({"floor": "bot", "awaiting": (), "replying": ("bot",)}, "bot is replying"),
        ({"floor": "bot", "awaiting": ()}, "bot has the floor"),
        ({"floor": None, "awaiting": (), "replying": ("bot",)}, "bot is replying"),
    ],
)
def test_it_says_who_is_waited_for(changes: dict[str, object], shown: str) -> None:
    assert standing(status_of(**changes), "ann") == shown


def test_the_heading_says_what_it_is_about_and_who_is_there() -> None:
    status = status_of(person("ann", role="host"), ai("bot"), floor="ann", awaiting=("ann",))
    assert list(heading(status)) == [
        "Lunch (talk-1)",
        "   ann: host, human, has the floor, is waited for",
        "   bot: assistant, ai",
    ]


def test_what_is_left_out_is_counted_and_summed_up() -> None:
    told = "-- 1,200 messages left out here; all of them: temporal parley transcript c"
    assert list(missed(Transcript(conversation="c", messages=()), 1200)) == [told]
    transcript = Transcript(conversation="c", messages=(), summary="They want tea.")
    assert list(missed(transcript, 1200)) == [told, "-- in short: They want tea."]


def test_proposals_are_listed_with_their_votes() -> None:
    proposal = Proposal(number=1, seq=2, speaker="ann", outcome="tea", approved_by={"ann": 2}, refused_by={"ben": 3})
    assert list(proposals(status_of(proposals=(proposal,)))) == ['   1. ann: "tea" (approved by ann; refused by ben)']
    assert list(proposals(status_of())) == ["   nothing is proposed"]


def test_the_end_says_why_and_what_came_of_it() -> None:
    ended = Ended(
        stop=StopReason.DECISION, at=START + timedelta(1), reason="ann decided", outcome=1, decided_by=("ann",)
    )
    assert list(ending(ended)) == ["-- ended (decision): ann decided", "-- outcome, by ann: 1"]
    closed = Ended(stop=StopReason.CLOSED, at=START, reason="solved", decided_by=("ann",))
    assert list(ending(closed)) == ["-- ended (closed): solved"]


def test_what_became_of_a_message_is_said_where_the_transcript_doesn_t_show_it() -> None:
    talk = Talk(person("ann"), person("ben"))
    talk.send(Turn(speaker="ann", text="hello"))
    assert answered(talk.answer) is None
    talk.send(Turn(speaker="ann", text="and"))
    assert answered(talk.answer) == "held: it is recorded when you have the floor"
    assert answered(Answer(disposition=Disposition.DUPLICATE, seq=1)) == "that was already said; nothing has changed"
    assert answered(Answer(disposition=Disposition.RECORDED)) == "done"
