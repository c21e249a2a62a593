"""Task queues of their own for what asks models and for business, on the real server."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from infra.config import Config, Duty, QueueSettings, WorkerSettings
from infra.replay import replayer
from signals.names import WorkflowType
from signals.support import OrderQuestion
from tests.flows import shop
from tests.flows.talkers import Manner, Talkers, talker
from tests.workflows.rooms import ANN, FREE_FORM, Room, Rooms
from worker import create_worker
from workflows.library import WORKFLOWS

SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED


def settings(queue: str, *serves: Duty, ai_at_a_time: int = 100) -> Config:
    """What processes of one deployment have in common, and what one of them does."""
    return Config(
        worker=WorkerSettings(
            task_queue=queue,
            serves=serves,
            max_cached_workflows=100,
            ai=QueueSettings(task_queue=f"{queue}-ai", max_concurrent=ai_at_a_time),
            business=QueueSettings(task_queue=f"{queue}-business"),
        )
    )


@pytest.fixture
async def talkers() -> AsyncIterator[Talkers]:
    talkers = Talkers()
    yield talkers
    talkers.let_all_go()


@pytest.fixture
def queue() -> str:
    return f"test-{uuid4()}"


async def queues_of(room: Room) -> set[str]:
    """The task queues that a run's activities were sent to."""
    scheduled = [event.activity_task_scheduled_event_attributes for event in await room.events(SCHEDULED)]
    return {attributes.task_queue.name for attributes in scheduled}


async def test_processes_that_share_the_work_do_it_together(client: Client, talkers: Talkers, queue: str) -> None:
    runs = create_worker(client, settings(queue, Duty.WORKFLOWS), workflows=WORKFLOWS, activities=[])
    models = create_worker(client, settings(queue, Duty.AI), workflows=[], activities=[talkers.reply])
    books = create_worker(client, settings(queue, Duty.BUSINESS), workflows=[], activities=shop.activities())
    async with runs, models, books:
        room = await Rooms(client, queue).open(ANN, talker(Manner.ECHO), coordination=FREE_FORM)
        await room.say("ann", "bot?")
        assert await room.said(2) == [("ann", "bot?"), ("bot", "I heard: bot?")]
        assert await queues_of(room) == {f"{queue}-ai"}
        question = OrderQuestion(order_id="A-1001", customer_id="C-1")
        name = f"test-{uuid4()}"
        await client.execute_workflow(WorkflowType.ORDER_STATUS, question, id=name, task_queue=queue)
        assert await queues_of(Room(client, name)) == {f"{queue}-business"}


async def test_a_queue_s_limit_holds_others_back(client: Client, talkers: Talkers, queue: str) -> None:
    config = settings(queue, Duty.WORKFLOWS, Duty.AI, ai_at_a_time=1)
    async with create_worker(client, config, workflows=WORKFLOWS, activities=[talkers.reply]):
        first, second = [
            await Rooms(client, queue).open(ANN, talker(Manner.PATIENT), coordination=FREE_FORM) for _ in range(2)
        ]
        await first.say("ann", "bot?")
        await first.until(lambda status: talkers.requests[first.id])
        await second.say("ann", "bot?")
        await second.until(lambda status: status.replying)
        assert not talkers.requests[second.id]
        for room in (first, second):
            talkers.let_go(room.id)
            assert len(await room.said(2)) == 2


async def test_runs_go_on_when_queues_are_moved(client: Client, talkers: Talkers, queue: str) -> None:
    room = await Rooms(client, queue).open(ANN, talker(Manner.ECHO), coordination=FREE_FORM)
    together = Config(worker=WorkerSettings(task_queue=queue, max_cached_workflows=100))
    apart = settings(queue, Duty.WORKFLOWS, Duty.AI)
    for number, config in enumerate((together, apart), 1):
        async with create_worker(client, config, workflows=WORKFLOWS, activities=[talkers.reply]):
            await room.say("ann", f"{number}")
            await room.taken(2 * number)
    assert await queues_of(room) == {queue, f"{queue}-ai"}
    await replayer(WORKFLOWS).replay_workflow(await room.handle.fetch_history())
