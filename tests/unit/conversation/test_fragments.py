"""People and AI participants ask for fragments, and the conversation runs them and waits, within bounds."""

import html
import re

import pytest
from pydantic import JsonValue

from signals.errors import ErrorType
from signals.fragments import Bound
from signals.messages import Disposition, Invoke, Turn
from tests.unit.conversation.offered import (
    ANN,
    ASYNC,
    BEN,
    BOOK,
    BOT,
    COUNT,
    DETACHED,
    DUPLICATE,
    NOT_AVAILABLE,
    PING,
    RECORDED,
    SPEAK_AND_INVOKE,
    TEXT,
    talk,
)
from tests.unit.conversation.talk import ANYTHING, ai, offer, person
from workflows.conversation import views
from workflows.conversation.events import AwaitFragment, RunFragment
from workflows.conversation.invoked import MAX_SETTLED, MAX_UNDER_WAY
from workflows.conversation.machine import awaiting, resume
from workflows.conversation.page import page

# Who may ask for what


def test_what_is_all_given_is_run_with_it() -> None:
    one = talk()
    assert one.invoke("ann", "Book", place="Rome", nights=2) is RECORDED
    assert one.started == [("Book", {"place": "Rome", "nights": 2})]
    assert one.told == ['ann: asks for Book {"place": "Rome", "nights": 2}']
    [run] = [effect for effect in one.effects if isinstance(effect, RunFragment)]
    assert run.invocation.workflow_id == "talk-1/Book-1"
    assert run.offer == BOOK


def test_an_unknown_fragment_is_a_rejection_and_told_and_the_conversation_goes_on() -> None:
    one = talk()
    assert one.invoke("ann", "Bok") is NOT_AVAILABLE
    assert one.reason == "there is no fragment 'Bok' here; there are: Book, Ping"
    assert one.told == [f"ann asked for Bok (WorkflowNotAvailable): {one.reason}"]
    assert one.turn("ben") is RECORDED


def test_a_fragment_of_other_roles_is_not_available() -> None:
    one = talk(ANN, person("lea", *ANYTHING, role="lead"), fragments=(offer("Pay", roles=["lead"]),))
    assert one.invoke("ann", "Pay") is NOT_AVAILABLE
    assert one.reason == "Pay is for the roles lead; 'ann' has the role guest"
    assert one.invoke("ann", "Bok") is NOT_AVAILABLE
    assert one.reason.endswith("there are: none")
    assert one.invoke("lea", "Pay") is RECORDED


def test_without_the_permission_nothing_can_be_run_and_nobody_is_told() -> None:
    one = talk()
    assert one.invoke("ben", "Ping") is ErrorType.NOT_PERMITTED
    assert one.told == []


def test_a_mode_that_a_fragment_has_not_is_refused() -> None:
    one = talk(fragments=(offer("Ping", modes=["synchronous", "asynchronous"]),))
    assert one.invoke("ann", "Ping", mode=DETACHED) is ErrorType.INVALID_INPUT
    assert one.reason == "mode: Ping can be run synchronous or asynchronous"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"place": 5, "nights": 1}, 'arguments: place: 5 is not of type "string"'),
        ({"nights": 0}, "arguments: nights: 0 is less than the minimum of 1"),
        ({"colour": "red"}, "arguments: Additional properties are not allowed ('colour' was unexpected)"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments: dict[str, JsonValue], reason: str) -> None:
    one = talk()
    assert one.send(Invoke(speaker="ann", fragment="Book", arguments=arguments)) is ErrorType.INVALID_INPUT
    assert one.reason == reason
    assert one.state.invocations == []


def test_whoever_may_run_nothing_that_is_offered_has_no_tools_and_others_have_theirs() -> None:
    pay = offer("Pay", {"by": TEXT, "sum": COUNT}, roles=["lead"], bound={"by": Bound.PERSON})
    one = talk(ANN, BOT, ai("lead", *SPEAK_AND_INVOKE), ai("dumb"), fragments=(PING, pay))
    one.state.members["lead"].participant = one.state.members["lead"].participant.model_copy(update={"role": "lead"})
    tools = {name: views.reply_request(one.setup, one.state, name).tools for name in ("bot", "lead", "dumb")}
    assert {name: [tool.name for tool in some] for name, some in tools.items()} == {
        "bot": ["Ping"],
        "lead": ["Ping", "Pay"],
        "dumb": [],
    }
    context = tools["lead"][1].context
    assert context["properties"] == {"sum": COUNT, "note": {"type": "string", "default": ""}}
    assert "required" not in context


def test_the_page_shows_what_is_offered_and_asked_for_and_how_to_do_it() -> None:
    pay = offer("Pay", {"sum": COUNT, "by": TEXT}, about="Pay *it*", roles=["lead"], bound={"by": Bound.PERSON})
    one = talk(ANN, BEN, fragments=(BOOK, pay))
    one.invoke("ann", "Book", mode=ASYNC, nights=1)
    shown = page(one.setup, one.state, one.now)
    assert re.search(r"Book.*whoever may invoke.*place, nights.*synchronous, asynchronous, detached", shown)
    assert re.search(r"Pay.*Pay &#42;it&#42;.*lead.*sum.*synchronous", shown)
    assert re.search(r"1.*Book.*ann \(guest\).*asynchronous.*asking: place", html.unescape(shown))
    assert """--input '{"speaker": "ann", "text": "...", "in_reply_to": 2}'""" in shown
    assert """--name invoke --input '{"speaker": "ann", "fragment": "Book", "arguments": {}}'""" in shown
    one.turn("ben", "Rome", in_reply_to=2)
    assert re.search(r"running.*talk-1/Book-1", html.unescape(page(one.setup, one.state, one.now)))


# How it is run


def test_while_a_synchronous_one_runs_turns_are_held_and_nobody_is_waited_for() -> None:
    one = talk()
    one.invoke("ann", "Ping")
    assert one.turn("ann", "one") is Disposition.HELD
    assert one.turn("ben", "two") is Disposition.HELD
    assert awaiting(one.state) == ()
    one.done(1, "pong")
    assert one.said[1:] == ['Ping gave "pong"', "ann: one", "ben: two"]
    assert awaiting(one.state) == ("ann", "ben")


def test_several_synchronous_ones_are_all_waited_for() -> None:
    one = talk(fragments=(PING, offer("Pong")))
    one.invoke("ann", "Ping")
    one.invoke("ann", "Pong")
    one.done(1)
    assert one.turn("ben") is Disposition.HELD
    one.done(2)
    assert one.turns == ["ben: hello"]


def test_who_was_replying_is_asked_again_when_a_synchronous_one_is_done() -> None:
    one = talk(ANN, BOT)
    one.turn("ann", "bot?")
    one.invoke("ann", "Ping")
    assert one.state.replying == {}
    one.done(1, "pong")
    assert one.asked == ["bot", "bot"]


def test_an_interrupt_goes_on_without_the_one_that_is_waited_for() -> None:
    one = talk()
    one.invoke("ann", "Ping")
    one.turn("ben", "still there?")
    assert one.interrupt("ann") is RECORDED
    assert one.said[1:] == ["ann goes on without waiting for Ping", "ben: still there?"]
    one.done(1, "pong")
    assert one.said[-1] == 'Ping gave "pong"'


def test_while_an_asynchronous_one_runs_the_conversation_goes_on() -> None:
    one = talk()
    one.invoke("ann", "Ping", mode=ASYNC)
    assert one.told == ["ann: asks for Ping (asynchronous)"]
    assert one.turn("ben") is RECORDED
    one.done(1)
    assert one.told[-1] == "Ping is done"


def test_a_detached_one_is_run_and_nobody_waits() -> None:
    one = talk()
    one.invoke("ann", "Ping", mode=DETACHED)
    assert one.started == [("Ping", {})]
    assert one.invocations == [(1, "detached")]
    assert views.status(one.setup, one.state, one.now).invocations == ()
    assert resume(one.state).effects == ()


def test_a_detached_one_that_cannot_be_started_is_told() -> None:
    one = talk()
    one.invoke("ann", "Ping", mode=DETACHED)
    one.broken(1, "it is running already")
    assert one.told[-1] == "Ping failed (SoldOut): it is running already; it can be asked for again"
    assert one.invocations == [(1, "failed")]


def test_without_a_mode_the_fragment_s_first_is_taken() -> None:
    one = talk(fragments=(offer("Ping", modes=["asynchronous"]),))
    one.invoke("ann", "Ping")
    assert one.turn("ben") is RECORDED


def test_silence_does_not_end_a_conversation_that_waits_for_a_fragment() -> None:
    one = talk(emergence=[{"kind": "silence", "seconds": 60}])
    one.invoke("ann", "Ping")
    one.wait(300)
    one.done(1)
    assert one.state.ended is None
    one.wait(61)
    assert one.ended.stop == "silence"


def test_people_are_not_reminded_while_a_fragment_is_waited_for() -> None:
    one = talk(constraints={"ladder": [{"do": "give_up", "after_seconds": 60}]})
    one.invoke("ann", "Ping")
    one.wait(300)
    one.done(1)
    assert one.state.ended is None
    one.wait(61)
    assert one.ended.stop == "fallback"


def test_at_the_end_what_is_running_is_listed_as_running() -> None:
    one = talk()
    one.invoke("ann", "Ping", mode=ASYNC)
    one.close("ann")
    one.done(1, "too late")
    [left] = views.result(one.state).invocations
    assert (left.status, left.workflow_id) == ("running", "talk-1/Ping-1")
    assert one.said[-1] == "The conversation ended: closed by ann"


def test_a_continued_run_waits_for_what_is_running() -> None:
    one = talk(fragments=(BOOK, PING, offer("Pong"), offer("Pang")))
    one.invoke("ann", "Book")
    one.invoke("ann", "Ping")
    one.invoke("ann", "Pong", mode=ASYNC)
    one.invoke("ann", "Pang", mode=DETACHED)
    waited = [effect for effect in resume(one.state).effects if isinstance(effect, AwaitFragment)]
    assert [effect.invocation.workflow_id for effect in waited] == ["talk-1/Ping-2", "talk-1/Pong-3"]


# The same again


def test_the_same_id_is_one_request() -> None:
    one = talk()
    one.invoke("ann", "Ping", mark="i-1", mode=ASYNC)
    assert one.invoke("ann", "Ping", mark="i-1") is DUPLICATE
    assert one.answer.seq == 1
    one.done(1)
    assert one.invoke("ann", "Ping", mark="i-1") is DUPLICATE
    assert len(one.started) == 1
    assert one.turn("ann", mark="i-1") is RECORDED


def test_the_same_request_while_it_is_under_way_is_the_same_run() -> None:
    one = talk()
    one.invoke("ann", "Book", nights=1)
    assert one.invoke("ann", "Book", nights=1) is DUPLICATE
    one.turn("ann", "Rome", in_reply_to=2)
    assert one.invoke("ann", "Book", nights=1) is DUPLICATE
    assert one.invoke("ann", "Book", nights=1, place="Rome") is RECORDED
    assert len(one.started) == 2


def test_who_asks_for_the_same_is_told_too() -> None:
    one = talk(ANN, BOT)
    one.invoke("ann", "Ping", mode=ASYNC)
    one.turn("ann", "ping, please")
    one.reply("bot", "", actions=[Invoke(speaker="bot", fragment="Ping")])
    one.done(1)
    assert one.asked == ["bot", "bot"]


def test_in_different_names_it_is_not_the_same() -> None:
    lea = person("lea", *ANYTHING)
    one = talk(ANN, lea, fragments=(offer("Pay", bound={"note": Bound.PERSON}),))
    one.invoke("ann", "Pay")
    one.invoke("lea", "Pay")
    assert one.started == [("Pay", {"note": "ann"}), ("Pay", {"note": "lea"})]


def test_the_same_request_after_its_end_is_another_one() -> None:
    one = talk()
    for number in (1, 2):
        assert one.invoke("ann", "Ping") is RECORDED
        one.done(number)
    assert len(one.started) == 2


# Bounds


def test_so_many_may_run_at_a_time_and_no_more() -> None:
    one = talk(fragments=(BOOK,))
    for number in range(MAX_UNDER_WAY):
        assert one.invoke("ann", "Book", mode=ASYNC, place="Rome", nights=number + 1) is RECORDED
    assert one.invoke("ann", "Book", place="Oslo", nights=1) is NOT_AVAILABLE
    assert one.reason == "8 fragments are running already; ask again when one of them is done"
    one.done(1)
    assert one.invoke("ann", "Book", place="Oslo", nights=1) is RECORDED


def test_what_is_not_answered_makes_room_for_what_is_asked_for_now() -> None:
    one = talk(*(person(f"p{n}", *ANYTHING) for n in range(MAX_UNDER_WAY + 1)))
    for number in range(MAX_UNDER_WAY + 1):
        assert one.invoke(f"p{number}", "Book", nights=number + 1) is RECORDED
    assert one.invocations[0] == (1, "failed")
    assert "Book is not run (MissingContext): it was not answered, and others are asked for now" in one.told


def test_only_the_latest_that_are_done_are_kept() -> None:
    one = talk()
    for number in range(1, MAX_SETTLED + 6):
        one.invoke("ann", "Ping", mode=DETACHED if number % 2 else ASYNC)
        one.done(number)
    assert [one.number for one in one.state.invocations] == list(range(6, MAX_SETTLED + 6))
    assert one.state.requests == {}


def test_what_all_are_given_together_is_bounded() -> None:
    one = talk(fragments=(BOOK,))
    big = "x" * 8_000
    for number in range(4):
        assert one.invoke("ann", "Book", place=f"{big}{number}", nights=1, mode=ASYNC) is RECORDED
    assert one.invoke("ann", "Book", place=f"{big}4", nights=1) is NOT_AVAILABLE
    assert one.reason == "what Book would be given is too large, with what is under way already"


def test_a_workflow_id_that_would_be_too_long_is_refused() -> None:
    one = talk()
    one.state.conversation = "c" * 995
    assert one.invoke("ann", "Ping") is NOT_AVAILABLE
    assert one.reason == "the workflow id of Ping would have more than 1,000 bytes"


def test_who_asked_is_not_forgotten_while_it_runs() -> None:
    one = talk(ANN, BEN, constraints={"participant_limit": 3})
    one.join(person("p0"))
    one.invoke("ann", "Ping", mode=ASYNC)
    one.leave("ann")
    for number in range(60):
        one.leave(f"p{number}")
        one.join(person(f"p{number + 1}"))
    one.done(1)
    assert "ann" in one.state.members
    assert one.told[-1] == "Ping is done"


def test_what_comes_for_no_fragment_under_way_changes_nothing() -> None:
    one = talk()
    one.invoke("ann", "Ping")
    one.done(1)
    before = one.state.model_copy(deep=True)
    one.done(1, "again")
    one.broken(7)
    assert one.state == before


def test_a_turn_in_reply_to_something_else_answers_nothing() -> None:
    one = talk()
    one.turn("ben")
    one.invoke("ann", "Book", nights=1)
    one.send(Turn(speaker="ben", text="Rome", in_reply_to=1))
    assert one.started == []
