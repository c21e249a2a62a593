"""How much work an event and a query are, counted in calls of functions: a busy machine doesn't change that."""

import cProfile
from collections.abc import Callable

import pytest

from tests.flows.aged import COORDINATIONS, aged, next_event, setup_of
from tests.unit.conversation.talk import START
from workflows.conversation import views
from workflows.conversation.machine import apply, open_conversation

EVENTS = 200

MOST = 250
"""Calls that an event may take with 50 participants: about 25,000 events a second of a processor of 2020."""


def calls(work: Callable[[], object]) -> int:
    """How many calls of functions some work takes."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.parametrize("kind", COORDINATIONS)
def test_an_event_is_little_work_with_fifty_participants(kind: str) -> None:
    setup = setup_of(kind, people=50)
    state, _ = open_conversation(setup, "talk-1", START)

    def go_on() -> None:
        for _ in range(EVENTS):
            apply(setup, state, next_event(setup, state, START))

    go_on()
    assert calls(go_on) / EVENTS < MOST


def test_a_query_for_the_transcript_is_as_much_work_at_turn_10_000_as_at_turn_100() -> None:
    setup = setup_of("turn_based")
    early, late = [aged(setup, turns) for turns in (100, 10_000)]
    assert late.omitted > 9_000
    assert calls(lambda: views.transcript(late, "chair")) == calls(lambda: views.transcript(early, "chair"))
