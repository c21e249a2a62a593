"""Starts, signals, queries and results by reference: they run, and a type checker knows them."""

import asyncio
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client

from signals.messages import Turn
from signals.run import Progress
from signals.wire import Wire
from tests.flows.typed import Answer, Question, Reply
from tests.harness import running_worker
from workflows.compiled import CompileError, Flow, compiled, step

ROOT = Path(__file__).parents[2]


async def test_a_flow_is_started_and_asked_by_reference(client: Client) -> None:
    async with running_worker(client, [Answer]) as queue:
        handle = await client.start_workflow(Answer.run, Question(text="so"), id=f"t-{uuid4()}", task_queue=queue)
        reply: Reply = await handle.result()
        progress: Progress = await handle.query(Answer.progress)
        assert (reply.text, progress.done) == ("so", True)


WRONG = """
from temporalio.client import Client
from tests.flows.typed import Answer, Question

async def wrong(client: Client) -> int:
    await client.start_workflow(Answer.run, "not a question", id="x", task_queue="y")
    handle = await client.start_workflow(Answer.run, Question(text="one"), id="x", task_queue="y")
    await handle.signal(Answer.turn, "not a turn")
    progress: int = await handle.query(Answer.progress)
    result: int = await handle.result()
    return result + progress
"""


async def test_a_type_checker_finds_what_does_not_fit(tmp_path: Path) -> None:
    module = tmp_path / "wrong.py"
    module.write_text(WRONG)
    checker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(module)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
    )
    output, _ = await asyncio.wait_for(checker.communicate(), 110)
    lines = {line.split(":")[1] for line in output.decode().splitlines() if "wrong.py" in line and "error" in line}
    assert lines == {"6", "8", "9", "10"}, output.decode()


class Other(Wire):
    """Something else."""


def test_a_flow_is_held_to_the_types_that_it_is_declared_with() -> None:
    with pytest.raises(CompileError, match="Flow whose result is Other, but its steps say Reply"):

        @compiled
        class Wrong(Flow[Question, Other]):
            @step(result=True)
            def reply(self, request: Question) -> Reply:
                return Reply(text=request.text)


def test_a_turn_is_what_the_signal_takes() -> None:
    assert Answer.turn.__name__ == Turn.signal
