"""`temporal parley diagram --run`: the state of each step of a run, from the real server."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from temporalio.client import Client

from infra.devserver import DevServer
from tests.flows.drawn import HalfDone
from tests.harness import running_worker
from tests.unit.cli.command import Done, parley
from workflows.compiled.run import CompiledRun


async def diagram(server: DevServer, *words: str) -> Done:
    return await asyncio.to_thread(parley, "diagram", *words, environment={"TEMPORAL_ADDRESS": server.address})


@pytest.fixture
async def run(client: Client) -> AsyncIterator[str]:
    """A run of which the first step is done and the second waits."""
    async with running_worker(client, [HalfDone]) as queue:
        handle = await client.start_workflow("HalfDone", 3, id=f"half-done-{uuid4()}", task_queue=queue)
        await handle.query(CompiledRun.progress)
        yield handle.id
        await handle.terminate()


async def test_a_run_is_drawn_with_the_state_of_its_steps(server: DevServer, run: str) -> None:
    done = await diagram(server, "--run", run)
    assert (done.status, done.errors) == (0, "")
    assert "class step_first done" in done.output
    assert "class step_second running" in done.output


async def test_a_run_of_the_type_that_is_named_is_drawn(server: DevServer, run: str) -> None:
    assert (await diagram(server, "HalfDone", "--run", run)).status == 0


async def test_a_run_of_another_type_is_not_drawn(server: DevServer, run: str) -> None:
    done = await diagram(server, "Refund", "--run", run)
    assert (done.status, done.errors) == (2, f"parley: run '{run}' is a HalfDone, not a Refund\n")


async def test_a_run_that_is_not_there_is_told_of_in_one_line(server: DevServer) -> None:
    done = await diagram(server, "--run", "nobody")
    assert (done.status, done.errors) == (2, "parley: there is no run 'nobody' in the namespace 'default'\n")


async def test_a_run_that_no_worker_serves_is_told_of_in_one_line(server: DevServer, client: Client) -> None:
    handle = await client.start_workflow("HalfDone", 3, id=f"half-done-{uuid4()}", task_queue=f"nobody-{uuid4()}")
    done = await diagram(server, "--run", handle.id)
    told = f"parley: no worker answers for the run '{handle.id}': start one that serves its task queue\n"
    assert (done.status, done.errors) == (2, told)
    await handle.terminate()


async def test_without_a_server_one_is_told_so() -> None:
    done = await asyncio.to_thread(
        parley, "diagram", "--run", "nobody", environment={"TEMPORAL_ADDRESS": "127.0.0.1:1"}
    )
    assert done.status == 2
    assert done.errors.startswith("parley: no Temporal server answers at 127.0.0.1:1")
    assert done.errors.count("\n") == 1
