"""What things cost in history, counted on the real server: nothing grows with the length of a conversation."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle

from signals.messages import Turn
from tests.flows import points
from tests.flows.aged import COORDINATIONS, FirstChoice
from tests.flows.points import Wish
from tests.flows.talkers import Manner, Talkers, talker
from tests.harness import eventually, running_worker
from tests.workflows.counting import Cost, cost, going_on
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Room, Rooms
from tests.workflows.talks import Talks
from workflows.conversation.workflow import Conversation

TEXT = "x" * 200


@pytest.fixture(scope="module")
async def task_queue(client: Client) -> AsyncIterator[str]:
    async with running_worker(client, [*points.FLOWS, Conversation], [Talkers().reply, FirstChoice().consult]) as name:
        yield name


async def taking(room: Room, speakers: list[str], recorded_each: int = 1) -> Cost:
    """Take turns one by one; gives what they cost together."""
    await eventually(lambda: room.events(EventType.EVENT_TYPE_TIMER_STARTED))  # it has begun
    await room.begun()
    turns = (await room.until(lambda status: not status.replying)).turns
    before = await cost(room)
    for number, speaker in enumerate(speakers, 1):
        await room.say(speaker, TEXT)
        await room.taken(turns + number * recorded_each)
    await room.until(lambda status: not status.replying)
    return await cost(room) - before


async def kinds(run: WorkflowHandle[object, object]) -> Counter[str]:
    """How many events of each kind a history has."""
    return Counter(EventType.Name(event.event_type) for event in (await run.fetch_history()).events)


async def test_a_turn_between_people_is_4_events(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM)
    assert (await taking(room, ["ann", "ben"] * 5)).events == 4 * 10
    await room.close()


async def test_a_turn_that_changes_who_is_waited_for_is_5_events(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN)
    assert (await taking(room, ["ann", "ben"] * 5)).events == 5 * 10
    await room.close()


@pytest.mark.parametrize("coordination", ["turn_based", "free_form"])
async def test_a_turn_that_an_ai_participant_answers_is_10_events(rooms: Rooms, coordination: str) -> None:
    room = await rooms.open(ANN, talker(Manner.ECHO), coordination={"kind": coordination})
    assert (await taking(room, ["ann"] * 10, recorded_each=2)).events == 10 * 10
    await room.close()


async def test_a_turn_sent_as_an_update_is_5_events(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM)
    await room.submit(Turn(speaker="ben", text=TEXT))
    before = await cost(room)
    for _ in range(10):
        await room.submit(Turn(speaker="ann", text=TEXT))
    assert (await cost(room) - before).events == 5 * 10
    await room.close()


@pytest.mark.parametrize("kind", COORDINATIONS)
async def test_a_turn_costs_the_same_at_turn_100_and_at_turn_10_000(rooms: Rooms, kind: str) -> None:
    early, late = [await going_on(rooms, kind, turns) for turns in (100, 10_000)]
    assert late.events == early.events
    assert abs(late.size - early.size) < early.size / 10


async def test_no_timer_is_started_or_cancelled_and_no_search_attribute_written_for_a_turn(rooms: Rooms) -> None:
    room = await rooms.open(
        ANN, talker(Manner.ECHO), BEN, coordination=FREE_FORM, emergence=[{"kind": "silence", "seconds": 60}]
    )
    await taking(room, ["ann"] * 10, recorded_each=2)
    counted = await kinds(room.handle)
    assert counted["EVENT_TYPE_TIMER_STARTED"] == 1
    assert counted["EVENT_TYPE_TIMER_CANCELED"] == 0
    assert counted["EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES"] == 1
    await room.handle.terminate()


async def test_a_breakout_costs_its_run_9_events_and_2_for_its_changes_of_mode(client: Client, task_queue: str) -> None:
    talks = Talks(client, task_queue)
    plain = await talks.start("Replace", Wish())
    await plain.result()
    broken_out = await talks.start("Replace", Wish(refused=("Rome",)))
    # A question that comes while a run's first task waits for a local activity would cost a task more.
    await eventually(lambda: kinds(broken_out), lambda now: now["EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED"])
    [opened] = await talks.opened(broken_out)
    await talks.decide(opened.id, {"place": "Oslo"})
    await broken_out.result()
    assert await kinds(broken_out) - await kinds(plain) == {
        "EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED": 1,
        "EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED": 1,
        "EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED": 1,
        "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED": 2,
        "EVENT_TYPE_WORKFLOW_TASK_STARTED": 2,
        "EVENT_TYPE_WORKFLOW_TASK_COMPLETED": 2,
        "EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES": 2,
    }
