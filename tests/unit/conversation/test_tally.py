"""What is counted of a conversation."""

from collections.abc import Callable
from datetime import timedelta

from signals.assistant import Reply
from signals.conversation import Tokens
from tests.unit.conversation.talk import ANYTHING, Talk, ai, person
from workflows.conversation.tally import Standing, answered, changes
from workflows.counts import ANSWERS, COST, ENDED, PERSON_WAITS, REJECTIONS, TOKENS, TURNS, Count

ANN, BEN = person("ann", *ANYTHING), person("ben")
FREE_FORM = {"kind": "free_form"}


def counted(talk: Talk, act: Callable[[], object]) -> list[Count]:
    """What is counted when something happens."""
    before = Standing.of(talk.state)
    act()
    return list(changes(before, talk.setup, talk.state, talk.reaction.recorded))


def test_a_turn_is_counted_with_how_long_its_speaker_was_waited_for() -> None:
    talk = Talk(ANN, BEN, ai("bot"), coordination=FREE_FORM)
    talk.wait(90)
    turn = Count(TURNS, labels={"kind": "human"})
    assert counted(talk, lambda: talk.turn("ann")) == [turn, Count(PERSON_WAITS, 90.0)]
    assert counted(talk, lambda: talk.reply("bot", "well")) == [Count(TURNS, labels={"kind": "ai"})]


def test_a_turn_of_who_was_not_waited_for_is_no_wait() -> None:
    talk = Talk(ANN, BEN, out_of_turn="accept")
    talk.wait(90)
    assert counted(talk, lambda: talk.turn("ben")) == [Count(TURNS, labels={"kind": "human"})]


def test_what_a_reply_may_not_do_is_counted_as_what_people_may_not() -> None:
    talk = Talk(ANN, ai("bot"), coordination=FREE_FORM)
    refused = Count(REJECTIONS, labels={"type": "NotAParticipant"})
    assert counted(talk, lambda: talk.turn("zoe")) == [refused]
    talk.turn("ann")
    vote = {"speaker": "bot", "proposal": 7, "approve": True}
    types = [
        one.labels for one in counted(talk, lambda: talk.reply("bot", "", actions=[vote])) if one.metric is REJECTIONS
    ]
    assert len(types) == 1


def test_an_end_is_counted_once() -> None:
    talk = Talk(ANN, BEN)
    assert counted(talk, lambda: talk.close("ann")) == [Count(ENDED, labels={"stop": "closed"})]
    assert Count(ENDED, labels={"stop": "closed"}) not in counted(talk, lambda: talk.close("ann"))


def test_what_a_model_took_for_an_answer_is_counted_by_model_and_purpose() -> None:
    by = {"model": "m", "purpose": "reply"}
    reply = Reply(text="well", model="m", tokens=Tokens(input=10, output=3), cost=0.0015)
    assert list(answered("reply", reply, timedelta(seconds=2))) == [
        Count(ANSWERS, 2.0, by),
        Count(TOKENS, 10, {**by, "direction": "input"}),
        Count(TOKENS, 3, {**by, "direction": "output"}),
        Count(COST, 1500, by),
    ]
    assert list(answered("reply", Reply(text="well", model="m"), timedelta(0))) == [Count(ANSWERS, 0.0, by)]
