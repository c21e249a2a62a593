"""A long conversation, with workers killed on the way: it has, at its end, what it was told."""

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

KILLS = 4
"""How many workers are killed, each after as many turns sent."""

SPEAKERS = ("ann", "ben", "cat", "dan")


def setup(turns: int) -> dict[str, object]:
    """People who may all talk at once, until so many turns were taken."""
    return {
        "topic": "Long",
        "coordination": {"kind": "free_form"},
        "participants": [{"id": name, "kind": "human", "role": "guest"} for name in SPEAKERS],
        "emergence": [{"kind": "turns", "count": turns}],
    }


class Crowd:
    """People who all talk at once, each in order."""

    def __init__(self, handle: WorkflowHandle[Conversation, ConversationResult], turns: int) -> None:
        self._handle = handle
        self._turns = turns
        self._said = 0
        self.reached = {turns * number // (KILLS + 1): asyncio.Event() for number in range(1, KILLS + 1)}
        """Set when so many turns are sent."""

    async def say_all(self, speaker: str) -> list[str]:
        """Send a speaker's part of the turns, each after the one before; gives what was sent."""
        sent = [f"{speaker} says {number}" for number in range(self._turns // len(SPEAKERS))]
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


@pytest.mark.parametrize("turns", [1_000, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
async def test_however_many_turns_were_taken_they_are_read_back_as_they_were_sent(
    server: DevServer, client: Client, tmp_path: Path, turns: int
) -> None:
    handle = await client.start_workflow(
        WorkflowType.CONVERSATION,
        setup(turns),
        id=f"long-{uuid4()}",
        task_queue=TASK_QUEUE,
        result_type=ConversationResult,
    )
    crowd = Crowd(handle, turns)
    with language_model() as model:
        async with workers(server.address, tmp_path, model) as group:
            _, *sent = await asyncio.gather(
                kill_and_replace(group, crowd), *(crowd.say_all(speaker) for speaker in SPEAKERS)
            )
            result = await handle.result()
    assert (result.stop, result.turns) == ("turns", turns)
    chain = await chain_of(client, handle.id)
    messages = [message async for chapter in chapters(client, chain) for message in chapter.messages]
    assert [message.seq for message in messages] == list(range(1, result.messages + 1))
    for speaker, texts in zip(SPEAKERS, sent, strict=True):
        said = [m.text for m in messages if m.kind is MessageKind.TURN and m.speaker == speaker]
        assert said == texts
