"""What happens when a process is killed in the middle of a conversation: it goes on, and nothing is lost or doubled."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle

from infra.connection import connect
from infra.devserver import DevServer
from signals.conversation import ConversationResult, Status, Transcript
from signals.messages import Close, Turn
from signals.names import TASK_QUEUE, WorkflowType
from tests.chaos.processes import Model, language_model, workers
from workflows.conversation.workflow import Conversation

REPLY_SECONDS = 15.0
"""How long people may have to wait for a reply when a process has died."""

SETUP = {
    "topic": "Chaos",
    "coordination": {"kind": "free_form"},
    "participants": [
        {"id": "alice", "kind": "human", "role": "guest", "can": ["speak", "moderate", "decide"]},
        {"id": "ai", "kind": "ai", "role": "assistant"},
    ],
}

Handle = WorkflowHandle[Conversation, ConversationResult]


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    with language_model() as model:
        yield model


async def opened(client: Client) -> Handle:
    return await client.start_workflow(
        WorkflowType.CONVERSATION,
        SETUP,
        id=f"chaos-{uuid4()}",
        task_queue=TASK_QUEUE,
        result_type=ConversationResult,
    )


async def say(handle: Handle, text: str) -> None:
    await handle.signal(Conversation.turn, Turn(speaker="alice", text=text, id=text))


async def replies(handle: Handle, count: int) -> float:
    """Wait until so many replies are recorded; gives the seconds that it took."""
    began = time.monotonic()
    async with asyncio.timeout(60):
        while True:
            status: Status = await handle.query(Conversation.status)
            transcript: Transcript = await handle.query(Conversation.transcript)
            if sum(m.speaker == "ai" for m in transcript.messages) >= count and not status.replying:
                return time.monotonic() - began
            await asyncio.sleep(0.1)


async def spoken(handle: Handle) -> list[str]:
    """Close the conversation; gives what was said, in order."""
    await handle.signal(Conversation.close, Close(speaker="alice"))
    result = await handle.result()
    return [message.text for message in result.last_messages if message.speaker is not None]


async def test_a_worker_killed_while_a_conversation_waits_is_replaced(
    server: DevServer, client: Client, model: Model, tmp_path: Path
) -> None:
    async with workers(server.address, tmp_path, model) as group:
        first = await group.start()
        handle = await opened(client)
        await say(handle, "one")
        await replies(handle, 1)
        await group.kill(first)
        await say(handle, "two")
        await group.start()
        assert await replies(handle, 2) < REPLY_SECONDS
        assert await spoken(handle) == ["one", "I understand.", "two", "I understand."]


async def test_a_reply_under_way_is_taken_up_by_another_worker_when_its_own_is_killed(
    server: DevServer, client: Client, model: Model, tmp_path: Path
) -> None:
    async with workers(server.address, tmp_path, model) as group:
        busy = await group.start()
        handle = await opened(client)
        model.may_answer.clear()
        await say(handle, "one")
        await model.is_asked()
        await group.start()
        await group.kill(busy)
        model.may_answer.set()
        assert await replies(handle, 1) < REPLY_SECONDS
        assert await spoken(handle) == ["one", "I understand."]


async def test_a_server_killed_in_the_middle_goes_on_with_all_that_it_acknowledged(
    model: Model, tmp_path: Path
) -> None:
    db = tmp_path / "runs.db"
    async with DevServer(db=db) as server:
        client = await connect(server.address)
        async with workers(server.address, tmp_path, model) as group:
            await group.start()
            handle = await opened(client)
            for number in range(20):
                await say(handle, f"turn {number}")
            await server.kill()
            async with DevServer(port=server.port, db=db):
                await say(handle, "after")
                assert await replies(handle, 1) < REPLY_SECONDS
                said = [text for text in await spoken(handle) if text != "I understand."]
                assert said == [*(f"turn {number}" for number in range(20)), "after"]
