"""Finds the runs of a namespace and reads their histories, some at a time. No worker is asked."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from infra.errors import SetupError
from infra.printable import flat
from infra.reports.facts import Ending, Part
from infra.reports.history import UNREADABLE, HistoryReader
from signals.names import HELD_FOR, SearchAttribute, WorkflowType
from signals.run import HeldFor

AT_A_TIME: Final = 8
"""How many histories are read at the same time."""

PAGE: Final = 200
"""How many runs visibility lists in an answer."""

ANSWER_TIMEOUT: Final = timedelta(seconds=30)

_ENDINGS: Final[Mapping[WorkflowExecutionStatus, Ending]] = {
    WorkflowExecutionStatus.RUNNING: Ending.OPEN,
    WorkflowExecutionStatus.COMPLETED: Ending.COMPLETED,
    WorkflowExecutionStatus.FAILED: Ending.FAILED,
    WorkflowExecutionStatus.TIMED_OUT: Ending.FAILED,
    WorkflowExecutionStatus.CANCELED: Ending.STOPPED,
    WorkflowExecutionStatus.TERMINATED: Ending.STOPPED,
    WorkflowExecutionStatus.CONTINUED_AS_NEW: Ending.CONTINUED,
}


@dataclass(frozen=True)
class Read:
    """What was read of one history."""

    workflow: str
    """Its workflow type."""

    part: Part | None
    """None where it is another program's."""

    unread: str | None = None
    """Why something in it could not be read."""


def query_of(query: str | None, since: datetime | None) -> str:
    """The visibility query for some runs: those that somebody asks for, begun since a time."""
    asked = [f"({query})"] if query else []
    begun = [f'StartTime >= "{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"'] if since else []
    return " AND ".join([*asked, *begun])


async def number_of(client: Client, query: str) -> int:
    """How many runs a query finds.

    Raises:
        SetupError: The namespace can't be searched so.
    """
    try:
        return (await client.count_workflows(query, rpc_timeout=ANSWER_TIMEOUT)).count
    except RPCError as error:
        raise unsearchable(client, error) from error


async def histories(client: Client, query: str, limit: int) -> AsyncIterator[Read]:
    """Read the histories of the runs that a query finds, the latest runs first, as they come.

    Raises:
        SetupError: The namespace can't be searched so, or the server doesn't answer.
    """
    reading: set[asyncio.Task[Read]] = set()
    try:
        listing = client.list_workflows(query, limit=limit, page_size=PAGE, rpc_timeout=ANSWER_TIMEOUT)
        async for execution in listing:
            reading.add(asyncio.create_task(_read(client, execution)))
            if len(reading) == AT_A_TIME:
                done, reading = await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        while reading:
            done, reading = await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    except RPCError as error:
        raise unsearchable(client, error) from error
    finally:
        for task in reading:
            task.cancel()


def unsearchable(client: Client, error: RPCError) -> SetupError:
    """Say why the runs can't be found."""
    return SetupError(f"the namespace '{client.namespace}' can't be searched: {flat(error.message)}")


async def _read(client: Client, execution: WorkflowExecution) -> Read:
    workflow = execution.workflow_type
    if SearchAttribute.MODE not in execution.search_attributes and workflow not in set(WorkflowType):
        return Read(workflow, None)
    held_for, unread = await _held_for(execution)
    reader = HistoryReader(_listed(execution, held_for), client.data_converter)
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    size = 0
    try:
        async for event in handle.fetch_history_events(rpc_timeout=ANSWER_TIMEOUT):
            size += event.ByteSize()
            await reader.take(event)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        unread = unread or "the server keeps it no longer"
    return Read(workflow, reader.told(size), unread or reader.unread)


async def _held_for(execution: WorkflowExecution) -> tuple[HeldFor | None, str | None]:
    """What a conversation is about, and why that can't be read, where it can't."""
    if execution.workflow_type != WorkflowType.CONVERSATION:
        return None, None
    unknown = HeldFor(workflow="?", step=None, point="?") if execution.parent_id else None
    try:
        return await execution.memo_value(HELD_FOR, unknown, type_hint=HeldFor), None
    except UNREADABLE as error:
        return unknown, flat(str(error), 200)


def _listed(execution: WorkflowExecution, held_for: HeldFor | None) -> Part:
    return Part(
        id=execution.id,
        run=execution.run_id,
        chain=execution.run_id,
        origin=execution.run_id,
        workflow=execution.workflow_type,
        ending=_ENDINGS.get(execution.status or WorkflowExecutionStatus.RUNNING, Ending.OPEN),
        listed=execution.start_time,
        started=execution.start_time,
        closed=execution.close_time,
        held_for=held_for,
    )
