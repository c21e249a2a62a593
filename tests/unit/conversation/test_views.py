import pytest

from signals.assistant import Finding
from signals.conversation import MessageKind, StopReason, Tokens
from signals.participants import Permission
from signals.wire import MAX_TEXT_BYTES
from tests.unit.conversation.talk import START, Talk, ai, person
from workflows.conversation import views
from workflows.conversation.coordination import FreeForm
from workflows.conversation.emergence import Deadline
from workflows.conversation.events import Consulted
from workflows.conversation.routing import Addressed
from workflows.conversation.views import MAX_QUERIED_BYTES, MAX_SHOWN_BYTES, PROMPT_MESSAGES

ALICE, BOB, CAROL = person("alice", Permission.SPEAK, Permission.MODERATE), person("bob"), person("carol")
ROBOT = ai("robot")


def open_talk(**options: object) -> Talk:
    """A conversation in which anybody may speak, and a turn that names people goes to them alone."""
    return Talk(ALICE, BOB, CAROL, ROBOT, **{"coordination": FreeForm(), "routing": Addressed(), **options})


def seen(talk: Talk, participant: str | None) -> list[str]:
    """The texts in a participant's transcript."""
    return [message.text for message in views.transcript(talk.state, participant).messages]


def prompted(talk: Talk, speaker: str = "robot") -> list[str]:
    """The texts that an AI participant replies to."""
    return [message.text for message in views.reply_request(talk.setup, talk.state, speaker).messages]


# Who is given what


def test_a_turn_to_nobody_in_particular_is_given_to_everybody() -> None:
    talk = open_talk()
    talk.turn("alice", "hello all")
    assert [seen(talk, name) for name in ("alice", "bob", "carol")] == [["hello all"]] * 3


def test_an_addressed_turn_is_given_to_its_speaker_and_whom_it_names() -> None:
    talk = open_talk()
    talk.turn("alice", "between us", to=["bob"])
    assert [seen(talk, name) for name in ("alice", "bob", "carol")] == [["between us"], ["between us"], []]


def test_an_addressed_turn_says_whom_it_is_for() -> None:
    talk = open_talk()
    talk.turn("alice", "between us", to=["bob", "carol"])
    assert talk.state.messages[-1].to == ("bob", "carol")


def test_an_operator_is_given_everything() -> None:
    talk = open_talk()
    talk.turn("alice", "between us", to=["bob"])
    talk.turn("bob", "and us", to=["carol"])
    assert seen(talk, None) == ["between us", "and us"]


def test_with_broadcast_everybody_is_given_everything_whomever_it_names() -> None:
    talk = open_talk(routing={"kind": "broadcast"})
    talk.turn("alice", "hello", to=["bob"])
    assert seen(talk, "carol") == ["hello"]


def test_who_joins_is_given_what_was_said_to_everybody_before() -> None:
    talk = open_talk()
    talk.turn("alice", "hello all")
    talk.turn("alice", "between us", to=["bob"])
    talk.join(person("zoe"))
    assert seen(talk, "zoe") == ["hello all", "zoe (guest) joined"]


def test_proposals_votes_and_what_the_conversation_says_are_given_to_everybody() -> None:
    talk = open_talk()
    talk.propose("alice", "pizza")
    talk.vote("bob", 1, approve=False)
    talk.leave("bob")
    kinds = [message.kind for message in views.transcript(talk.state, "carol").messages]
    assert kinds == [MessageKind.PROPOSAL, MessageKind.VOTE, MessageKind.SYSTEM]


def test_an_ai_participants_reply_is_given_to_everybody() -> None:
    talk = open_talk()
    talk.turn("alice", "between us", to=["robot"])
    talk.reply("robot", "hello all")
    assert seen(talk, "carol") == ["hello all"]


# The transcript


def test_messages_are_numbered_from_one_and_dated() -> None:
    talk = open_talk()
    talk.turn("alice")
    talk.wait(5)
    talk.turn("bob")
    messages = views.transcript(talk.state, None).messages
    assert [(message.seq, message.at) for message in messages] == [(1, START), (2, talk.now)]


def test_a_transcript_has_the_window_and_counts_what_is_older() -> None:
    talk = open_talk(window=5)
    for number in range(8):
        talk.turn("alice", f"{number}")
    shown = views.transcript(talk.state, None)
    assert ([message.text for message in shown.messages], shown.omitted) == (["3", "4", "5", "6", "7"], 3)


def test_a_transcript_leaves_out_older_messages_that_a_query_could_not_carry() -> None:
    talk = open_talk(window=100)
    for _ in range(100):
        talk.turn("alice", "\x01" * MAX_TEXT_BYTES)
    shown = views.transcript(talk.state, None)
    assert MAX_QUERIED_BYTES / 2 < len(shown.model_dump_json()) < MAX_QUERIED_BYTES + 1000
    assert shown.omitted == 100 - len(shown.messages)
    assert shown.messages[-1].seq == 100


# The prompt


def test_a_prompt_has_what_a_reply_is_grounded_in() -> None:
    talk = open_talk(facts={"order": "A-1001"}, guidance="support")
    talk.turn("alice", "Where is it?")
    talk.leave("carol")
    request = views.reply_request(talk.setup, talk.state, "robot")
    assert (request.conversation, request.topic, request.guidance) == ("talk-1", "Lunch", "support")
    assert request.facts == {"order": "A-1001"}
    assert request.speaker == ROBOT
    assert request.others == (ALICE, BOB)


def test_a_prompt_has_only_what_the_speaker_is_given() -> None:
    talk = open_talk()
    talk.turn("alice", "between us", to=["bob"])
    talk.turn("alice", "hello all")
    assert prompted(talk) == ["hello all"]


def test_a_prompt_has_the_latest_messages_and_counts_the_older_ones() -> None:
    talk = open_talk(window=PROMPT_MESSAGES + 3)
    for number in range(PROMPT_MESSAGES + 5):
        talk.turn("alice", f"{number}")
    assert prompted(talk) == [f"{number}" for number in range(5, PROMPT_MESSAGES + 5)]
    assert views.reply_request(talk.setup, talk.state, "robot").omitted == 5


def test_a_prompt_counts_the_replies_that_were_given_blank_ones_too() -> None:
    talk = open_talk(coordination=FreeForm())
    for answer in (
        lambda: talk.reply("robot", ""),
        lambda: talk.interrupt("alice"),
        lambda: talk.reply("robot", "yes"),
    ):
        talk.turn("alice")
        answer()
    talk.turn("alice")
    talk.fail("robot")
    assert views.reply_request(talk.setup, talk.state, "robot").replies == 2


def test_a_question_has_its_number_among_those_of_its_purpose() -> None:
    judge = {"kind": "judge", "question": "Is it solved?", "every": 2}
    talk = open_talk(coordination={"kind": "ai_selected"}, emergence=[judge])
    asked: list[str] = []
    for _ in range(3):
        while talk.state.consulting:
            number, one = next(iter(talk.state.consulting.items()))
            request = views.consultation(talk.setup, talk.state, one)
            asked.append(f"{request.purpose} {request.number}")
            choice = request.candidates[0].id if request.candidates else None
            talk.apply(Consulted(number, Finding(choice=choice, verdict=False, model="script"), talk.now))
        talk.turn(talk.state.floor or "")
    assert asked == ["choose 1", "choose 2", "choose 3", "judge 1"]


def test_a_model_that_chooses_who_is_next_is_given_the_latest_messages() -> None:
    talk = Talk(
        person("alice"), person("bob"), person("carol"), coordination={"kind": "ai_selected"}, out_of_turn="accept"
    )
    for number in range(20):
        talk.turn("alice", f"{number}")
    [asking] = talk.state.consulting.values()
    asked = views.consultation(talk.setup, talk.state, asking)
    assert [message.text for message in asked.messages][-1] == "19"
    assert len(asked.messages) == PROMPT_MESSAGES
    assert asked.omitted == talk.state.seq - PROMPT_MESSAGES


def test_a_prompt_is_bounded_however_long_the_messages_are() -> None:
    talk = open_talk()
    for _ in range(PROMPT_MESSAGES):
        talk.turn("alice", "x" * MAX_TEXT_BYTES)
    request = views.reply_request(talk.setup, talk.state, "robot")
    assert len(request.model_dump_json()) < MAX_SHOWN_BYTES + 2000
    assert request.omitted == PROMPT_MESSAGES - len(request.messages)


@pytest.mark.parametrize("character", ["x", '"', "\x01", "👩"])
def test_the_longest_turn_is_in_the_prompt_for_its_answer(character: str) -> None:
    talk = open_talk()
    longest = character * (MAX_TEXT_BYTES // len(character.encode()))
    talk.turn("alice", longest, to=["bob", "carol", "robot"])
    assert prompted(talk) == [longest]


# The status


def test_the_status_tells_where_an_open_conversation_stands() -> None:
    talk = Talk(ALICE, BOB, ROBOT, emergence=(Deadline(seconds=60),))
    talk.turn("alice")
    talk.turn("alice", "more")
    talk.turn("mallory")
    talk.propose("bob", "pizza")
    talk.turn("bob")
    status = views.status(talk.setup, talk.state, talk.now)
    assert (status.conversation, status.topic, status.open) == ("talk-1", "Lunch", True)
    assert (status.floor, status.awaiting, status.replying) == ("robot", (), ("robot",))
    assert (status.messages, status.turns, status.held, status.rejections) == (3, 2, 1, 1)
    assert [proposal.outcome for proposal in status.proposals] == ["pizza"]
    assert status.due is not None
    assert (status.due - START).total_seconds() == 60
    assert status.ended is None


def test_the_status_names_who_is_here() -> None:
    talk = Talk(ALICE, BOB)
    talk.leave("bob")
    talk.join(CAROL)
    assert views.status(talk.setup, talk.state, talk.now).participants == (ALICE, CAROL)


def test_the_status_tells_how_a_conversation_ended() -> None:
    talk = Talk(ALICE, BOB)
    talk.close("alice")
    status = views.status(talk.setup, talk.state, talk.now)
    assert (status.open, status.due, status.awaiting) == (False, None, ())
    assert status.ended == talk.ended


# The result


def test_an_open_conversation_has_no_result() -> None:
    with pytest.raises(ValueError, match="has not ended"):
        views.result(Talk(ALICE, BOB).state)


def test_the_result_tells_what_the_conversation_came_to() -> None:
    talk = Talk(ALICE, ROBOT)
    talk.turn("alice", "hello")
    talk.reply("robot", "hello", tokens=Tokens(input=5, output=1))
    talk.wait(60)
    talk.propose("alice", "pizza")
    result = views.result(talk.state)
    assert (result.conversation, result.stop, result.outcome) == ("talk-1", StopReason.CONSENSUS, "pizza")
    assert (result.decided_by, result.evidence) == (("alice",), (3,))
    assert (result.turns, result.messages, result.tokens) == (2, 4, Tokens(input=5, output=1))
    assert (result.started, result.ended) == (START, talk.now)
    assert [message.text for message in result.last_messages][:2] == ["hello", "hello"]


def test_the_result_is_bounded_however_long_the_messages_are() -> None:
    talk = open_talk()
    for _ in range(30):
        talk.turn("alice", "x" * MAX_TEXT_BYTES)
    talk.close("alice")
    assert len(views.result(talk.state).model_dump_json()) < MAX_SHOWN_BYTES + 2000
