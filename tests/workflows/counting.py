"""Counting what a conversation writes into its history."""

from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from signals.conversation import Status
from signals.names import WorkflowType
from tests.flows.aged import aged, next_message, setup_of
from tests.workflows.rooms import Room, Rooms
from workflows.conversation.setup import ConversationSetup

MESSAGES = 20
"""How many are sent to see what one costs."""


@dataclass
class Cost:
    """What a history has."""

    events: int
    size: int
    """Bytes."""

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.events - other.events, self.size - other.size)


async def cost(room: Room) -> Cost:
    info = (await room.handle.describe()).raw_description.workflow_execution_info
    return Cost(info.history_length, info.history_size_bytes)


def _has_gone_on(messages: int, status: Status) -> bool:
    return status.messages > messages and bool(status.awaiting)


async def at_turn(rooms: Rooms, setup: ConversationSetup, turns: int) -> Room:
    """Open a conversation in which so many turns were taken."""
    name = f"aged-{uuid4()}"
    carried = aged(setup, turns).model_copy(update={"conversation": name})
    await rooms.client.start_workflow(
        WorkflowType.CONVERSATION, args=[setup, carried], id=name, task_queue=rooms.task_queue
    )
    return Room(rooms.client, name)


async def going_on(rooms: Rooms, kind: str, turns: int) -> Cost:
    """Go on with a conversation in which so many turns were taken; gives what `MESSAGES` more cost."""
    setup = setup_of(kind)
    room = await at_turn(rooms, setup, turns)
    status = await room.until(lambda now: now.awaiting)
    before = await cost(room)
    for number in range(MESSAGES):
        sent = status.messages
        await room.send(next_message(setup, status.awaiting, turns + number))
        status = await room.until(partial(_has_gone_on, sent))
    spent = await cost(room) - before
    await room.handle.terminate()
    return spent
