"""How many tasks wait in the task queues that a process serves, and how long: told beside the SDK's own metrics."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, NoReturn

from temporalio.api.taskqueue.v1 import TaskQueue, TaskQueueStats
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.common import MetricMeter
from temporalio.service import RPCError

from infra.queues import Share, Tasks

WAITING: Final = "parley_backlog"
AGE: Final = "parley_backlog_age"
"""The names of what is told."""

LOOK_SECONDS: Final = 15.0
"""How often Temporal's server is asked."""


@asynccontextmanager
async def backlog_told(client: Client, shares: Sequence[Share], meter: MetricMeter) -> AsyncIterator[None]:
    """Tell of the backlogs, as long as the block lasts. All workers of a queue tell the same.

    Args:
        client: The workers' connection.
        shares: What they do.
        meter: What the backlogs are told to.
    """
    looking = asyncio.create_task(_look(client, [kind for share in shares for kind in share.asked], meter))
    try:
        yield
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


async def _look(client: Client, asked: Sequence[Tasks], meter: MetricMeter) -> NoReturn:
    waiting = meter.create_gauge(WAITING, "Tasks that wait in a task queue for a worker")
    age = meter.create_gauge_float(AGE, "How long the oldest of them has waited, in seconds")
    while True:
        for tasks in asked:
            with suppress(RPCError):  # the server is away: nothing is told, and the SDK's metrics say so
                stats = await _stats(client, tasks)
                labels = {"task_queue": tasks.task_queue, "tasks": tasks.kind}
                waiting.set(max(stats.approximate_backlog_count, 0), labels)
                age.set(max(stats.approximate_backlog_age.ToTimedelta().total_seconds(), 0), labels)
        await asyncio.sleep(LOOK_SECONDS)


async def _stats(client: Client, tasks: Tasks) -> TaskQueueStats:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=tasks.task_queue),
        task_queue_type=tasks.type,
        report_stats=True,
    )
    told = await client.workflow_service.describe_task_queue(request, retry=False)
    return told.stats
