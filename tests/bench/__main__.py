"""What things cost: counted in real histories where it can be counted, measured where it must be.

Counts are exact; times and memory are of this machine, now. Run with `make bench`.
"""

import asyncio
import gc
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import Random
from uuid import uuid4

import psutil
from rich.console import Console
from rich.table import Table
from temporalio import activity
from temporalio.client import Client, WorkflowHandle

from infra.config import Config
from infra.connection import connect
from infra.devserver import DevServer
from infra.payloads.converter import data_converter
from infra.payloads.keys import Key
from infra.payloads.settings import EncryptionSettings, PayloadSettings
from signals.assistant import Reply, ReplyRequest
from signals.conversation import ConversationResult, Status
from signals.messages import Turn
from signals.names import WorkflowType
from tests.bench import pipelines, starting
from tests.flows.aged import COORDINATIONS, FirstChoice, next_event, setup_of
from tests.harness import running_worker
from tests.workflows.counting import MESSAGES, at_turn, going_on
from tests.workflows.rooms import Rooms
from workflows.conversation import machine
from workflows.conversation.stubs import Assistant
from workflows.conversation.workflow import Conversation

CONSOLE = Console()
TEXT = "x" * 200
LETTERS = "eeeetttaaoooiinnsshhrrddlucmfw      "
OPEN_CONVERSATIONS = 200
CORE_EVENTS = 20_000
PARTICIPANTS = 50
QUERIES = 50

Handle = WorkflowHandle[Conversation, ConversationResult]


class Echo(Assistant):
    """Answers at once."""

    @activity.defn(name="reply")
    async def reply(self, request: ReplyRequest) -> Reply:
        """Say as much as a person would."""
        return Reply(text=said(request.replies), model="echo")


def said(number: int) -> str:
    """Something to say, of 200 letters, that compresses as words do."""
    return "".join(Random(number).choices(LETTERS, k=200)).strip()


def setup(coordination: str, *, ai: bool = False, window: int = 30) -> dict[str, object]:
    """Set a conversation up between two people, or a person and an AI participant."""
    second = {"id": "bob", "kind": "ai" if ai else "human", "role": "helper"}
    first = {"id": "alice", "kind": "human", "role": "guest", "can": ["speak", "decide", "moderate"]}
    return {
        "topic": "bench",
        "participants": [first, second],
        "coordination": {"kind": coordination},
        "window": window,
        "history_events": 10_000,
    }


async def start(client: Client, queue: str, given: dict[str, object]) -> Handle:
    """Open a conversation."""
    return await client.start_workflow(
        WorkflowType.CONVERSATION,
        given,
        id=f"bench-{uuid4()}",
        task_queue=queue,
        result_type=ConversationResult,
    )


async def history(handle: Handle) -> tuple[int, int]:
    """Count the events and the bytes of a history."""
    described = await handle.describe()
    info = described.raw_description.workflow_execution_info
    return info.history_length, info.history_size_bytes


async def turns_are(handle: Handle, count: int) -> None:
    """Wait until so many turns are recorded and nobody is replying."""
    while True:
        status: Status = await handle.query(Conversation.status)
        if status.turns >= count and not status.replying:
            return
        await asyncio.sleep(0.002)


async def cost(handle: Handle, speakers: tuple[str, ...], turns: int, recorded_each: int) -> tuple[float, float, float]:
    """Take turns one by one; gives events, bytes and seconds of each."""
    await turns_are(handle, 0)
    before = (await handle.query(Conversation.status)).turns
    events, size = await history(handle)
    began = time.perf_counter()
    for number in range(turns):
        await handle.signal(Conversation.turn, Turn(speaker=speakers[number % len(speakers)], text=said(number)))
        await turns_are(handle, before + (number + 1) * recorded_each)
    took = (time.perf_counter() - began) / turns
    events_after, size_after = await history(handle)
    return (events_after - events) / turns, (size_after - size) / turns, took


async def turn_costs(client: Client, queue: str) -> None:
    """Print what a turn costs, early and late."""
    table = Table("a turn", "at turn", "events", "bytes", "ms", title="A turn (one at a time)")
    cases: list[tuple[str, str, bool, tuple[str, ...], int]] = [
        ("between people, nobody else is waited for", "free_form", False, ("alice",), 1),
        ("between people, the floor goes round", "turn_based", False, ("alice", "bob"), 1),
        ("answered by an AI participant", "turn_based", True, ("alice",), 2),
    ]
    for name, coordination, ai, speakers, recorded in cases:
        handle = await start(client, queue, setup(coordination, ai=ai))
        for at in (40, 100, 200):
            done = (await handle.query(Conversation.status)).turns // recorded
            await cost(handle, speakers, at - done, recorded)
            events, size, took = await cost(handle, speakers, 20, recorded)
            table.add_row(name, str(at), f"{events:.2f}", f"{size:.0f}", f"{took * 1000:.0f}")
        await handle.terminate()
    CONSOLE.print(table)


async def turn_costs_by_coordination(client: Client, queue: str) -> None:
    """Print what a message costs early and late, for each way of taking turns (between people)."""
    table = Table("turns are taken", "at turn", "events", "bytes", title="A message, at any length (mean of 20)")
    for kind in COORDINATIONS:
        for turns in (100, 10_000):
            spent = await going_on(Rooms(client, queue), kind, turns)
            table.add_row(kind, f"{turns:,}", f"{spent.events / MESSAGES:.2f}", f"{spent.size / MESSAGES:.0f}")
    CONSOLE.print(table)


async def memory(client: Client, queue: str) -> None:
    """Print what an open conversation in the worker's cache costs in memory."""
    gc.collect()
    process = psutil.Process()
    before = process.memory_info().rss
    handles = [await start(client, queue, setup("free_form")) for _ in range(OPEN_CONVERSATIONS)]
    for handle in handles:
        await handle.query(Conversation.status)
    gc.collect()
    each = (process.memory_info().rss - before) / OPEN_CONVERSATIONS / 1024
    CONSOLE.print(f"An open conversation in the worker's cache: {each:.0f} KiB ({OPEN_CONVERSATIONS} open, sandboxed)")
    for handle in handles:
        await handle.terminate()


def core_speed() -> None:
    """Print how many events the state machine applies in a second, for each way of taking turns."""
    table = Table("turns are taken", "events a second of CPU", title=f"The state machine, {PARTICIPANTS} participants")
    for kind in COORDINATIONS:
        given, at, took = setup_of(kind, PARTICIPANTS), datetime.now(UTC), 0.0
        state, _ = machine.open_conversation(given, "bench", at)
        for _ in range(CORE_EVENTS):
            event = next_event(given, state, at)
            began = time.process_time()
            machine.apply(given, state, event)
            took += time.process_time() - began
        table.add_row(kind, f"{CORE_EVENTS / took:,.0f}")
    CONSOLE.print(table)


async def queries(client: Client, queue: str) -> None:
    """Print how long the transcript of an open conversation takes to answer, early and late."""
    table = Table("at turn", "ms", title=f"A query for the transcript (median of {QUERIES})")
    for turns in (100, 10_000):
        room = await at_turn(Rooms(client, queue), setup_of("turn_based"), turns)
        took = []
        for _ in range(QUERIES):
            began = time.perf_counter()
            await room.transcript()
            took.append(time.perf_counter() - began)
        table.add_row(f"{turns:,}", f"{statistics.median(took) * 1000:.1f}")
        await room.handle.terminate()
    CONSOLE.print(table)


def import_time() -> None:
    """Print what importing, and so compiling, all workflows costs; and what the compiler's part of it is."""
    script = (
        "import time; began = time.process_time()\n"
        "import workflows.compiled.decorator, workflows.conversation.workflow\n"
        "framework = time.process_time(); import workflows.library\n"
        "print(framework - began, time.process_time() - framework)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    framework, compiled = map(float, done.stdout.split())
    CONSOLE.print(f"Import of the framework: {framework:.2f} s of CPU; of all workflows, compiled: {compiled:.3f} s")


async def encryption_costs(client: Client, queue: str) -> None:
    """Print what encryption and compression add to a turn."""
    table = Table("payloads", "a turn", "bytes", "ms", title="Encryption (mean of 50 turns, one at a time)")
    encryption = EncryptionSettings.model_validate({"current": "k", "keys": Key.new("k").line})
    ways = {
        "plain": Config(),
        "encrypted": Config(encryption=encryption),
        "encrypted, compressed over 256 bytes": Config(
            encryption=encryption, payloads=PayloadSettings(compress_over=256)
        ),
    }
    for name, config in ways.items():
        sealed = await connect(client.service_client.config.target_host, data_converter(config))
        async with serving(sealed) as own:
            for kind, ai, recorded in (("between people", False, 1), ("answered by an AI participant", True, 2)):
                handle = await start(sealed, own, setup("turn_based" if ai else "free_form", ai=ai))
                await cost(handle, ("alice",), 20, recorded)
                _, size, took = await cost(handle, ("alice",), 50, recorded)
                table.add_row(name, kind, f"{size:.0f}", f"{took * 1000:.0f}")
                await handle.terminate()
    CONSOLE.print(table)


@asynccontextmanager
async def serving(client: Client) -> AsyncIterator[str]:
    """Run a worker whose AI participants answer at once."""
    async with running_worker(client, [Conversation], [Echo().reply, FirstChoice().consult]) as queue:
        yield queue


async def main() -> None:
    """Run every bench."""
    import_time()
    starting.definitions()
    core_speed()
    await starting.first_words()
    benches: list[Callable[[Client, str], Awaitable[None]]] = [
        turn_costs,
        turn_costs_by_coordination,
        encryption_costs,
        queries,
        starting.pinning,
        starting.conversations,
        memory,
    ]
    async with DevServer() as server:
        client = await connect(server.address)
        async with serving(client) as queue:
            for bench in benches:
                await bench(client, queue)
        await pipelines.overhead(client, CONSOLE)
    await pipelines.log_memory(CONSOLE)


if __name__ == "__main__":
    asyncio.run(main())
