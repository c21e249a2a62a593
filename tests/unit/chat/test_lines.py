"""What somebody types, as the message that it means."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import JsonValue

from infra.chat.lines import COMMANDS, Author, LineError, Look, help_lines, parse
from signals.messages import (
    Close,
    Grant,
    Interrupt,
    InvocationMode,
    Invoke,
    Leave,
    Message,
    Propose,
    Subscribe,
    Turn,
    Vote,
)

ME = Author("ann", "m-1")


def turn(text: str, **more: object) -> Turn:
    return Turn.model_validate({"speaker": "ann", "id": "m-1", "text": text, **more})


def invoke(mode: InvocationMode | None = None, **arguments: JsonValue) -> Invoke:
    return Invoke(speaker="ann", fragment="Refund", arguments=arguments, mode=mode, id="m-1")


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("  hello there \n", turn("hello there")),
        ("//etc/hosts is it", turn("/etc/hosts is it")),
        ("/to ben,cat  psst", turn("psst", to=("ben", "cat"))),
        ("/reply 7 yes", turn("yes", in_reply_to=7)),
        ("/reply #7 yes", turn("yes", in_reply_to=7)),
        ("/topic delivery it is late", turn("it is late", topic="delivery")),
        ('/propose {"granted": true}', Propose(speaker="ann", outcome={"granted": True})),
        ('/propose "tea -- hot" -- with milk', Propose(speaker="ann", outcome="tea -- hot", comment="with milk")),
        ("/propose 5 --", Propose(speaker="ann", outcome=5)),
        ("/vote 1 yes", Vote(speaker="ann", proposal=1, approve=True)),
        ("/vote 2 NO too late", Vote(speaker="ann", proposal=2, approve=False, comment="too late")),
        ("/vote 2 no -- too late", Vote(speaker="ann", proposal=2, approve=False, comment="too late")),
        ("/invoke Refund", invoke()),
        ("/invoke Refund order=A-1 amount=20.5 all=true", invoke(order="A-1", amount=20.5, all=True)),
        ('/invoke Refund to={"city": "Rome"} why="it broke"', invoke(to={"city": "Rome"}, why="it broke")),
        ("/invoke Refund why='it broke' code=0123 size=10cm", invoke(why="it broke", code="0123", size="10cm")),
        ("/invoke Refund nothing= bad=NaN", invoke(nothing="", bad="NaN")),
        ("/invoke Refund --mode detached a=1", invoke(InvocationMode.DETACHED, a=1)),
        ("/invoke Refund a=1 --mode=asynchronous", invoke(InvocationMode.ASYNCHRONOUS, a=1)),
        ("/grant ben", Grant(speaker="ann", to="ben")),
        ("/subscribe delivery, price", Subscribe(speaker="ann", topics=("delivery", "price"))),
        ("/subscribe", Subscribe(speaker="ann", topics=())),
        ("/interrupt", Interrupt(speaker="ann")),
        ("/leave", Leave(speaker="ann")),
        ("/leave my shift is over", Leave(speaker="ann", reason="my shift is over")),
        ("/close solved", Close(speaker="ann", reason="solved")),
        ("/who", Look.WHO),
        ("/quit", Look.QUIT),
        ("   ", None),
    ],
)
def test_a_line_means_a_message(line: str, meant: Message | Look | None) -> None:
    assert parse(line, ME) == meant


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/pay", "there is no /pay; /help shows what there is, // begins a turn with a slash"),
        ("/to ben", "type: /to ID[,ID] TEXT"),
        ("/to a/b hello", "to.0: String should match pattern '^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$'"),
        ("/reply first yes", "type: /reply NUMBER TEXT"),
        ("/reply 0 yes", "in_reply_to: Input should be greater than or equal to 1"),
        ("/topic delivery", "type: /topic NAME TEXT"),
        ("/propose", "type: /propose JSON [-- COMMENT]"),
        (
            "/propose tea",
            'that is not JSON (Expecting value: line 1 column 1 (char 0)); text stands in quotes: /propose "tea"',
        ),
        ("/propose NaN", 'that is not JSON (NaN is no JSON); text stands in quotes: /propose "tea"'),
        ('/propose "tea" please', "the JSON ends before 'please'; a comment follows after --"),
        ("/vote 1", "type: /vote NUMBER yes|no [-- COMMENT]"),
        ("/vote 1 perhaps", "type: /vote NUMBER yes|no [-- COMMENT]"),
        ("/invoke", "type: /invoke FRAGMENT [NAME=VALUE ...] [--mode MODE]"),
        ("/invoke Refund now", "'now' is no argument; type: /invoke FRAGMENT [NAME=VALUE ...] [--mode MODE]"),
        ("/invoke Refund a=1 a=2", "the argument 'a' is given twice"),
        ("/invoke Refund --mode fast", "--mode is one of synchronous, asynchronous, detached"),
        ("/grant", "type: /grant ID"),
        ("x" * 20_000, "text: text has 20,000 bytes, at most 16,384 are allowed"),
    ],
)
def test_a_line_that_means_nothing_says_what_to_type(line: str, told: str) -> None:
    with pytest.raises(LineError) as error:
        parse(line, ME)
    assert str(error.value) == told


@given(st.text() | st.sampled_from(list(COMMANDS)).flatmap(lambda name: st.text().map(lambda rest: f"/{name} {rest}")))
@example("/invoke Refund a='")
@example("/propose " + "[" * 10_000)
@example("/propose " + "[" * 600 + "]" * 600)
@example("/propose " + "9" * 5_000)
def test_any_line_means_something_or_is_told_of(line: str) -> None:
    try:
        parse(line, ME)
    except LineError as error:
        assert str(error)


def test_the_help_names_every_command() -> None:
    assert [line.split()[0] for line in help_lines()] == [f"/{name}" for name in COMMANDS]
