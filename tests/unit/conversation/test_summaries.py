"""The rolling summary of what is older."""

from signals.assistant import Finding, Purpose
from tests.unit.conversation.talk import Talk
from tests.unit.conversation.test_setup import told
from tests.unit.conversation.watched import ANN, BEN, take_turns
from workflows.conversation.bounds import Summaries
from workflows.conversation.coordination import FreeForm
from workflows.conversation.events import Consulted


def test_a_summary_is_kept_of_what_is_older() -> None:
    talk = Talk(ANN, coordination=FreeForm(), summary=Summaries(every=10, model="local"))
    take_turns(talk, *["ann"] * 9)
    assert talk.state.consulting == {}
    take_turns(talk, *["ann"] * 5)
    assert [(one.purpose, one.upto, one.model) for one in talk.state.consulting.values()] == [
        (Purpose.SUMMARISE, 10, "local")
    ]
    talk.apply(Consulted(1, Finding(text="ann counts", model="script"), talk.now))
    assert (talk.state.summary, talk.state.summarised, talk.state.consulting) == ("ann counts", 10, {})
    take_turns(talk, *["ann"] * 6)
    assert list(talk.state.consulting) == [2]
    talk.apply(Consulted(2, Finding(text="", model="script"), talk.now))
    assert (talk.state.summary, talk.state.summarised) == ("ann counts", 20), "an empty answer is none"


def test_a_summary_has_a_longest() -> None:
    talk = Talk(ANN, coordination=FreeForm(), summary=Summaries(every=10))
    take_turns(talk, *["ann"] * 10)
    talk.apply(Consulted(1, Finding(text="x" * 10_000, model="script"), talk.now))
    assert talk.state.summary == "x" * 8000


def test_private_talk_alone_is_not_summed_up() -> None:
    options = {"coordination": FreeForm(), "routing": {"kind": "addressed"}, "summary": Summaries(every=10)}
    talk = Talk(ANN, BEN, **options)
    for _ in range(12):
        talk.turn("ann", to=["ben"])
    assert (talk.state.consulting, talk.state.summarised) == ({}, 10)


def test_a_summary_is_made_before_messages_are_out_of_reach() -> None:
    assert told(summary={"every": 31}) == "input: summary.every: 31 messages are more than window (30) keeps"
