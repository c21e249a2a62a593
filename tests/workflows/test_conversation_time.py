"""Conversations that end by time, on the real server with a clock that runs ahead; and their one timer."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.testing import TimeSkipper, TimeSkippingConfig

from infra.connection import connect
from infra.devserver import DevServer
from signals.conversation import StopReason
from tests.harness import running_worker
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Room, Rooms
from workflows.conversation import machine
from workflows.conversation.machine import next_due
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import ConversationState
from workflows.conversation.workflow import Conversation

STARTED = EventType.EVENT_TYPE_TIMER_STARTED
CANCELLED = EventType.EVENT_TYPE_TIMER_CANCELED
FIRED = EventType.EVENT_TYPE_TIMER_FIRED
LONG = 1200.0
"""Seconds."""


@pytest.fixture(scope="module")
async def clock() -> AsyncIterator[TimeSkipper]:
    """A server whose runs have clocks of their own, which stand by until they are moved on."""
    async with DevServer(extra=("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true")) as server:
        yield TimeSkipper(await connect(server.address), config=TimeSkippingConfig(enabled=False))


@pytest.fixture(scope="module")
async def rooms(clock: TimeSkipper) -> AsyncIterator[Rooms]:
    async with running_worker(clock.client, [Conversation]) as task_queue:
        yield Rooms(clock.client, task_queue)


async def counted(room: Room) -> tuple[int, int, int]:
    """How many timers were started, fired and cancelled."""
    kinds = [event.event_type for event in await room.events()]
    return kinds.count(STARTED), kinds.count(FIRED), kinds.count(CANCELLED)


@pytest.mark.parametrize(
    ("bound", "stop"),
    [
        ({"emergence": [{"kind": "deadline", "seconds": LONG}]}, StopReason.DEADLINE),
        ({"emergence": [{"kind": "silence", "seconds": LONG}]}, StopReason.SILENCE),
        ({"constraints": {"timeout_seconds": LONG}}, StopReason.TIMEOUT),
    ],
)
async def test_it_ends_when_the_time_is_up(
    rooms: Rooms, clock: TimeSkipper, bound: dict[str, object], stop: StopReason
) -> None:
    room = await rooms.open(ANN, BEN, **bound)
    await clock.fast_forward(room.handle, LONG / 2)
    assert (await room.status()).open
    await clock.fast_forward(room.handle, LONG)
    result = await room.result()
    assert result.stop is stop
    assert timedelta(0) <= result.ended - result.started - timedelta(seconds=LONG) < timedelta(minutes=1)


async def test_silence_counts_from_what_was_last_said(rooms: Rooms, clock: TimeSkipper) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM, emergence=[{"kind": "silence", "seconds": LONG}])
    await clock.fast_forward(room.handle, LONG / 2)
    await room.say("ann", "anybody?")
    await room.taken(1)
    await clock.fast_forward(room.handle, LONG * 0.75)
    assert (await room.status()).open
    assert await counted(room) == (2, 1, 0)
    await clock.fast_forward(room.handle, LONG / 2)
    result = await room.result()
    assert result.stop is StopReason.SILENCE
    assert timedelta(0) <= result.ended - result.last_messages[0].at - timedelta(seconds=LONG) < timedelta(minutes=1)


async def test_however_many_turns_one_timer_is_started_and_none_cancelled(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM, emergence=[{"kind": "silence", "seconds": LONG}])
    for number in range(1, 31):
        await room.say("ann", f"{number}")
        await room.taken(number)
    assert await counted(room) == (1, 0, 0)
    await room.handle.terminate()


async def test_a_mistake_in_telling_the_time_is_not_passed_over(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    mistakes = ["once"]

    def mistaken(setup: ConversationSetup, state: ConversationState, now: datetime) -> datetime:
        if mistakes:
            raise RuntimeError(mistakes.pop())
        return next_due(setup, state, now)

    monkeypatch.setattr(machine, "next_due", mistaken)
    room = await rooms.open(ANN, BEN)
    await room.status()
    [failed] = await room.events(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
    assert failed.workflow_task_failed_event_attributes.failure.message == "once"
    assert await counted(room) == (1, 0, 0)
    await room.close()


async def test_time_goes_on_counting_when_it_continues_as_new(rooms: Rooms, clock: TimeSkipper) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM, history_events=50, constraints={"timeout_seconds": LONG})
    await clock.fast_forward(room.handle, LONG / 2)
    for number in range(1, 16):
        await room.say("ann", f"{number}")
        await room.taken(number)
    assert len(await room.runs()) == 2
    await clock.fast_forward(room.handle, LONG * 0.6)
    result = await room.result()
    assert result.stop is StopReason.TIMEOUT
    assert timedelta(0) <= result.ended - result.started - timedelta(seconds=LONG) < timedelta(minutes=1)
