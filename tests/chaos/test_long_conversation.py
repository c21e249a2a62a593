"""A conversation of ten thousand turns, with workers killed on the way: it has, at its end, what it was told."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle

from infra.devserver import DevServer
from infra.transcripts import chain_of, chapters
from signals.conversation import ConversationResult, MessageKind
from signals.messages import Turn
from signals.names import TASK_QUEUE, WorkflowType
from tests.chaos.processes import Workers, language_model, workers
from workflows.conversation.workflow import Conversation

TURNS = 10_000
KILLS = (2_000, 4_000, 6_000, 8_000)
"""After how many turns sent a worker is killed."""

SPEAKERS = ("ann", "ben", "cat", "dan")

SETUP = {
    "topic": "Long",
    "coordination": {"kind": "free_form"},
    "participants": [{"id": name, "kind": "human", "role": "guest"} for name in SPEAKERS],
    "emergence": [{"kind": "turns", "count": TURNS}],
}


class Crowd:
    """People who all talk at once, each in order."""

    def __init__(self, handle: WorkflowHandle[Conversation, ConversationResult]) -> None:
        self._handle = handle
        self._said = 0
        self.reached = {share: asyncio.Event() for share in KILLS}
        """Set when so many turns are sent."""

    async def say_all(self, speaker: str) -> list[str]:
        """Send a speaker's part of the turns, each after the one before; gives what was sent."""
        sent = [f"{speaker} says {number}" for number in range(TURNS // len(SPEAKERS))]
        for text in sent:
            await self._handle.signal(Conversation.turn, Turn(speaker=speaker, text=text, id=text))
            self._said += 1
            if self._said in self.reached:
                self.reached[self._said].set()
        return sent


async def kill_and_replace(group: Workers, crowd: Crowd) -> None:
    """Have two workers, of which one is killed and replaced each time that so many turns are sent."""
    running = [await group.start(), await group.start()]
    for reached in crowd.reached.values():
        await reached.wait()
        await group.kill(running.pop(0))
        running.append(await group.start())


@pytest.mark.timeout(400)
async def test_ten_thousand_turns_are_read_back_as_they_were_sent(
    server: DevServer, client: Client, tmp_path: Path
) -> None:
    handle = await client.start_workflow(
        WorkflowType.CONVERSATION,
        SETUP,
        id=f"long-{uuid4()}",
        task_queue=TASK_QUEUE,
        result_type=ConversationResult,
    )
    crowd = Crowd(handle)
    with language_model() as model:
        async with workers(server.address, tmp_path, model) as group:
            _, *sent = await asyncio.gather(
                kill_and_replace(group, crowd), *(crowd.say_all(speaker) for speaker in SPEAKERS)
            )
            result = await handle.result()
    assert (result.stop, result.turns) == ("turns", TURNS)
    chain = await chain_of(client, handle.id)
    messages = [message async for chapter in chapters(client, chain) for message in chapter.messages]
    assert [message.seq for message in messages] == list(range(1, result.messages + 1))
    for speaker, texts in zip(SPEAKERS, sent, strict=True):
        said = [m.text for m in messages if m.kind is MessageKind.TURN and m.speaker == speaker]
        assert said == texts
