"""What became of a fragment: it is known and told, and who asked for it goes on."""

import pytest
from pydantic import JsonValue

from signals.messages import Disposition, Invoke
from signals.participants import Speaks
from tests.unit.conversation.offered import ANN, ASYNC, BEN, BOT, PING, RECORDED, SPEAK_AND_INVOKE, talk
from tests.unit.conversation.talk import ANYTHING, ai, offer, person
from workflows.conversation import views
from workflows.conversation.fragment_ends import MAX_TOLD
from workflows.conversation.machine import awaiting
from workflows.conversation.offers import known_to


def test_a_result_is_known_from_then_on_by_the_fragment_s_name_or_its_own() -> None:
    one = talk(fragments=(PING, offer("Find", fact="place")))
    one.invoke("ann", "Ping")
    one.done(1, {"n": 1})
    one.invoke("ann", "Find")
    one.done(2, "Rome")
    assert one.state.facts == {"Ping": {"n": 1}, "place": "Rome"}


def test_a_fact_that_a_fragment_gives_may_end_the_conversation() -> None:
    one = talk(emergence=[{"kind": "fact", "name": "Ping"}])
    one.invoke("ann", "Ping")
    one.done(1, "pong")
    assert (one.ended.stop, one.ended.evidence) == ("fact", (2,))


def test_a_long_result_is_told_in_part_and_known_whole() -> None:
    one = talk()
    one.invoke("ann", "Ping")
    one.done(1, "x" * 10_000)
    assert len(one.told[-1]) < MAX_TOLD + 50
    assert one.state.facts == {"Ping": "x" * 10_000}


@pytest.mark.parametrize(
    "result", ["x" * 70_000, float("nan"), [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
)
def test_a_result_that_can_not_be_kept_is_not_known_nor_is_an_earlier_one(result: JsonValue) -> None:
    one = talk()
    for number, given in enumerate(("pong", result), 1):
        one.invoke("ann", "Ping")
        one.done(number, given)
    assert one.state.facts == {}
    assert one.told[-1].endswith(" (it is too large to be kept; the history of talk-1/Ping-2 has it)")


def test_a_failure_is_told_and_it_can_be_asked_for_again() -> None:
    one = talk()
    one.invoke("ann", "Ping")
    one.broken(1)
    assert one.told[-1] == "Ping failed (SoldOut): no room; it can be asked for again"
    assert one.invoke("ann", "Ping") is RECORDED
    one.done(2, "pong")
    assert one.invocations == [(1, "failed"), (2, "succeeded")]


def test_an_ai_participant_is_asked_again_with_what_became_of_it() -> None:
    one = talk(ANN, BOT)
    one.turn("ann", "ping, please")
    one.reply("bot", "", actions=[Invoke(speaker="bot", fragment="Ping")])
    assert one.asked == ["bot"]
    one.done(1, "pong")
    assert one.asked == ["bot", "bot"]
    assert views.reply_request(one.setup, one.state, "bot").facts == {"Ping": "pong"}
    one.reply("bot", "It says pong.")
    assert one.turns[-1] == "bot: It says pong."
    assert one.state.replying == {}


def test_an_ai_participant_that_is_only_asked_is_asked_again_too() -> None:
    one = talk(ANN, ai("bot", *SPEAK_AND_INVOKE, speaks=Speaks.ASKED))
    one.grant("ann", "bot")
    one.reply("bot", "Let me see.", actions=[Invoke(speaker="bot", fragment="Ping", mode=ASYNC)])
    one.broken(1)
    assert one.asked == ["bot", "bot"]


def test_one_that_is_only_asked_keeps_the_floor_while_its_fragment_runs() -> None:
    one = talk(ANN, ai("bot", *SPEAK_AND_INVOKE, speaks=Speaks.ASKED), coordination={"kind": "moderated"})
    one.grant("ann", "bot")
    one.reply("bot", "", actions=[Invoke(speaker="bot", fragment="Ping")])
    assert one.state.floor == "bot"
    one.done(1)
    assert one.asked == ["bot", "bot"]


def test_who_leaves_while_a_fragment_runs_leaves_the_floor_and_what_they_said() -> None:
    one = talk(ANN, BEN, coordination={"kind": "turn_based"})
    one.invoke("ann", "Ping")
    assert one.turn("ann", "I must go.") is Disposition.HELD
    one.leave("ann")
    assert one.turns == ["ann: I must go."]
    assert one.state.floor == "ben"
    one.done(1)
    assert awaiting(one.state) == ("ben",)


def test_in_turn_an_ai_participant_keeps_the_floor_while_its_fragment_runs() -> None:
    one = talk(ANN, BOT, BEN, coordination={"kind": "turn_based"})
    one.turn("ann")
    one.reply("bot", "", actions=[Invoke(speaker="bot", fragment="Ping")])
    assert one.turn("ben", "me!") is Disposition.HELD
    one.done(1, "pong")
    assert (one.state.floor, one.asked) == ("bot", ["bot", "bot"])
    one.reply("bot", "pong")
    assert one.turns == ["ann: hello", "bot: pong", "ben: me!"]


def test_an_ai_participant_whose_request_is_refused_may_try_again_a_few_times() -> None:
    one = talk(ANN, BOT)
    one.turn("ann")
    while one.state.replying:
        one.reply("bot", "", actions=[Invoke(speaker="bot", fragment="Bok")])
    assert one.asked == ["bot"] * 4
    assert one.told[-1].startswith("bot asked for Bok (WorkflowNotAvailable): there is no fragment 'Bok' here")


def test_messages_about_it_go_to_whom_a_turn_of_who_asked_would_go() -> None:
    people = (person("ann", *ANYTHING, role="agent"), person("lea", role="lead"), person("cus", role="customer"), BOT)
    one = talk(*people, routing={"kind": "by_role", "hears": {"customer": ["lead"], "assistant": ["customer"]}})
    one.invoke("ann", "Book", place="Rome")
    one.turn("lea", "2", in_reply_to=2)
    one.done(1, "booked")
    one.invoke("ann", "Bok")
    for name, total in (("ann", 6), ("lea", 6), ("cus", 1), ("bot", 0)):
        assert len(views.transcript(one.state, name).messages) == total, name
    assert views.reply_request(one.setup, one.state, "bot").facts == {}
    assert known_to(one.setup, one.state, None) == {}
    assert known_to(one.setup, one.state, "lea") == {"Book": "booked"}
