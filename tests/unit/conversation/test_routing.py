"""Who is given what: whoever isn't finds it neither in a transcript nor in a prompt."""

from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from signals.errors import ErrorType
from signals.messages import Subscribe, Turn
from signals.participants import Participant
from tests.unit.conversation.talk import Talk, ai, person
from workflows.conversation import views

ALICE = person("alice", role="customer")
BOB = person("bob", role="agent")
CAROL = person("carol", role="expert")
ROBOT = ai("robot")


def routed(routing: Mapping[str, object], *people: Participant) -> Talk:
    return Talk(*(people or (ALICE, BOB, CAROL, ROBOT)), coordination={"kind": "free_form"}, routing=routing)


def given(talk: Talk, name: str) -> list[str]:
    """What somebody was given, in transcript and prompt alike."""
    transcript = [m.text for m in views.transcript(talk.state, name).messages if m.speaker]
    prompt = [m.text for m in views.reply_request(talk.setup, talk.state, name).messages if m.speaker]
    assert transcript == prompt
    return transcript


# By role


HEARS = {"kind": "by_role", "hears": {"customer": ["agent"], "expert": ["agent", "customer"]}}


def test_a_role_is_given_what_it_hears() -> None:
    talk = routed(HEARS)
    for name in ("alice", "bob", "carol"):
        talk.turn(name, f"by {name}")
    assert given(talk, "alice") == ["by alice", "by bob"]
    assert given(talk, "carol") == ["by alice", "by bob", "by carol"]
    assert given(talk, "bob") == ["by alice", "by bob", "by carol"], "who isn't named hears everybody"


def test_naming_somebody_narrows_it_and_never_widens_it() -> None:
    talk = routed(HEARS)
    talk.turn("carol", "between us", to=["bob", "alice"])
    assert [given(talk, name) for name in ("alice", "bob", "robot")] == [[], ["between us"], []]


def test_who_hears_it_all_is_given_it_when_they_join_later() -> None:
    talk = routed(HEARS)
    talk.turn("bob", "by bob")
    talk.turn("carol", "by carol")
    talk.join(person("dave", role="customer"))
    assert given(talk, "dave") == ["by bob"]


def test_a_role_that_nobody_has_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"routing.hears.customer: nobody has the role 'agnet'"):
        routed({"kind": "by_role", "hears": {"customer": ["agnet"]}})


# By topic


TOPICS = {"kind": "by_topic", "subscriptions": {"alice": ["food"], "bob": ["drink"]}}


def say(talk: Talk, speaker: str, text: str, topic: str | None, *to: str) -> None:
    talk.send(Turn(speaker=speaker, text=text, topic=topic, to=to))


def test_a_turn_about_a_topic_is_given_to_those_who_follow_it_or_follow_nothing() -> None:
    talk = routed(TOPICS)
    say(talk, "carol", "pizza", "food")
    say(talk, "carol", "beer", "drink")
    say(talk, "carol", "hello", None)
    say(talk, "carol", "Bob should know of the pizza", "food", "bob")
    assert given(talk, "alice") == ["pizza", "hello", "Bob should know of the pizza"]
    assert given(talk, "bob") == ["beer", "hello", "Bob should know of the pizza"]
    assert len(given(talk, "robot")) == 4


def test_topics_may_be_changed_and_hold_from_then_on() -> None:
    talk = routed(TOPICS)
    assert talk.send(Subscribe(speaker="alice", topics=("drink",))) == "recorded"
    assert talk.send(Subscribe(speaker="alice", topics=("drink",))) == "duplicate"
    say(talk, "carol", "pizza", "food")
    say(talk, "carol", "beer", "drink")
    assert given(talk, "alice") == ["beer"]


def test_a_turn_that_nobody_follows_is_its_speakers_alone() -> None:
    talk = routed({"kind": "by_topic", "subscriptions": {"alice": [], "bob": []}}, ALICE, BOB)
    say(talk, "alice", "to myself", "nothing")
    assert (given(talk, "alice"), given(talk, "bob")) == (["to myself"], [])


def test_topics_are_followed_only_where_turns_go_by_them() -> None:
    talk = routed({"kind": "broadcast"})
    assert talk.send(Subscribe(speaker="alice", topics=("food",))) is ErrorType.INVALID_INPUT
    assert talk.reason == "turns don't go by topic here, but by 'broadcast'"


def test_somebody_who_is_not_there_follows_nothing() -> None:
    with pytest.raises(ValidationError, match=r"routing.subscriptions.nobody: there is no such participant"):
        routed({"kind": "by_topic", "subscriptions": {"nobody": ["food"]}})


# Side talk


def test_an_answer_in_private_stays_private() -> None:
    talk = routed({"kind": "addressed"})
    talk.turn("alice", "a secret", to=["bob"])
    talk.turn("bob", "I keep it", in_reply_to=1)
    assert [given(talk, name) for name in ("carol", "robot")] == [[], []]
    assert given(talk, "alice") == ["a secret", "I keep it"]


def test_an_answer_in_public_is_public() -> None:
    talk = routed({"kind": "addressed"})
    talk.turn("alice", "hello")
    talk.turn("bob", "hello too", in_reply_to=1)
    assert given(talk, "carol") == ["hello", "hello too"]


def test_what_was_said_in_private_is_in_no_summary_and_before_no_judge() -> None:
    talk = Talk(
        ALICE,
        BOB,
        coordination={"kind": "free_form"},
        routing={"kind": "addressed"},
        emergence=[{"kind": "judge", "question": "Do they agree?", "every": 2}],
    )
    talk.turn("alice", "a secret", to=["bob"])
    talk.turn("bob", "hello")
    [asked] = talk.state.consulting.values()
    asked_with = views.consultation(talk.setup, talk.state, asked)
    assert [message.text for message in asked_with.messages] == ["hello"]
