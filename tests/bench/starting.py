"""How soon things begin: runs, conversations, and what an AI participant says first."""

import asyncio
import statistics
import time
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from pydantic_ai import ModelRequest
from rich.console import Console
from rich.table import Table
from temporalio import activity
from temporalio.client import Client

from activities.local_model import LocalModel
from activities.models import LOCAL, LanguageModels
from signals.messages import Turn
from signals.names import WorkflowType, update_name
from signals.run import Progress
from signals.settings import Settings, WorkflowSettings
from tests.flows import points
from tests.flows.points import Wish
from tests.flows.steps import Booked, Booking
from tests.harness import eventually, running_worker
from tests.unit.compiled.told import Parcel
from workflows.compiled import step
from workflows.compiled.compiler import compile_class
from workflows.conversation.workflow import Conversation

CONSOLE: Final = Console()
RUNS: Final = 20
STEP: Final = 0.2
"""Seconds that a step takes."""

COLD: Final = 3
"""How often a model is loaded."""


class Bureau:
    """Takes its time."""

    @activity.defn
    async def book(self, booking: Booking) -> Booked:
        """Book something."""
        await asyncio.sleep(STEP)
        return Booked(what=booking.what)


class Plain:
    """A workflow class."""

    @step
    def weight(self, request: Parcel) -> int:
        """Weigh it."""
        return request.weight

    @step(result=True)
    def price(self, weight: int) -> int:
        """Price it."""
        return weight * 2


def definitions() -> None:
    """Print what a workflow's definition costs: compiled, and from the cache, as every run has it."""
    took = []
    for _ in range(1000):
        began = time.perf_counter()
        compile_class(Plain, frozenset())
        took.append(time.perf_counter() - began)
    first, later = took[0] * 1000, statistics.median(took[1:]) * 1000
    CONSOLE.print(f"A workflow's definition: compiled in {first:.1f} ms, from then on from the cache in {later:.3f} ms")


async def pinning(client: Client, queue: str) -> None:
    """Print how long the first turn of a conversation takes, where settings are asked for first and where not."""
    people = [{"id": "alice", "kind": "human", "role": "guest", "can": ["speak", "decide", "moderate"]}]
    open_ended = {"topic": "bench", "participants": people}
    said_all = open_ended | {
        "coordination": {"kind": "turn_based"},
        "constraints": {"timeout_seconds": 1800, "participant_limit": 50},
    }
    table = Table("a conversation's setup", "ms to its first turn (median)", title=f"Pinning ({RUNS} starts)")
    for name, setup in (("says all", said_all), ("leaves something to the settings, which are pinned", open_ended)):
        took = []
        for _ in range(RUNS):
            began = time.perf_counter()
            run = await client.start_workflow(WorkflowType.CONVERSATION, setup, id=f"{uuid4()}", task_queue=queue)
            await run.execute_update(update_name("turn"), Turn(speaker="alice", text="Hello"))
            took.append(time.perf_counter() - began)
            await run.terminate()
        table.add_row(name, f"{statistics.median(took) * 1000:.0f}")
    CONSOLE.print(table)


async def conversations(client: Client, _: str) -> None:
    """Print when a run's conversation is open whose setup needs a step, with a step before it that takes a while."""
    table = Table("what the conversation needs", "ms to the conversation (median)", title=f"Steps of {STEP} s")
    for name, ahead in (("is got ready meanwhile", True), ("is got ready when its turn comes", False)):
        settings = Settings(workflow=WorkflowSettings(optimization=ahead))
        async with running_worker(client, [points.Dinner, Conversation], [Bureau().book], execution=settings) as queue:
            took = [await _opening(client, queue) for _ in range(RUNS)]
        table.add_row(name, f"{statistics.median(took) * 1000:.0f}")
    CONSOLE.print(table)


async def _opening(client: Client, queue: str) -> float:
    began = datetime.now(UTC)
    run = await client.start_workflow("Dinner", Wish(), id=f"{uuid4()}", task_queue=queue)

    async def progress() -> Progress:
        answer: Progress = await run.query("progress", result_type=Progress)
        return answer

    opened = (await eventually(progress, lambda now: now.conversations)).conversations[0].opened
    await run.terminate()
    return (opened - began).total_seconds()


async def first_words() -> None:
    """Print how long the embedded model's first answer takes, where it was expected and where not."""
    asked = [ModelRequest.user_text_prompt("Hello! Where is my order?")]
    table = Table(
        "the embedded model", "s to its first answer (median)", title=f"A worker's first reply ({COLD} times)"
    )
    for name, expected in (("is made ready while the step before runs (1 s)", True), ("is loaded when asked", False)):
        took = []
        for _ in range(COLD):
            local = LocalModel()
            models = LanguageModels(local)
            if expected:
                models.expect(LOCAL)
                await asyncio.sleep(1)
            began = time.perf_counter()
            await models.ask(LOCAL, asked, tokens=8)
            took.append(time.perf_counter() - began)
            await models.aclose()
            local.close()
        table.add_row(name, f"{statistics.median(took):.2f}")
    CONSOLE.print(table)
