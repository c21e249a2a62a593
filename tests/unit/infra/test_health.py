"""What the worker says of its health, and when it says otherwise."""

import asyncio
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from infra.config import Config, WorkerSettings
from infra.connection import connect
from infra.devserver import DevServer
from infra.errors import SetupError
from infra.health import ANSWER_SECONDS, Health, Polling, health_server
from tests.harness import eventually, free_port
from worker import create_worker
from workflows.conversation.workflow import Conversation

Answer = tuple[int, str]


def get(url: str) -> Answer:
    """Ask; gives the status and what was said."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode().strip()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode().strip()


async def asked(url: str) -> Answer:
    return await asyncio.to_thread(get, url)


@pytest.fixture
async def health() -> AsyncIterator[tuple[str, Health]]:
    health, address = Health(), f"127.0.0.1:{free_port()}"
    with health_server(address, health):
        yield f"http://{address}", health


async def test_a_process_that_starts_is_alive_and_not_ready(health: tuple[str, Health]) -> None:
    url, _ = health
    assert await asked(f"{url}/live") == (200, "ok")
    assert await asked(f"{url}/ready") == (503, "it is starting")
    assert await asked(f"{url}/") == (404, "there are /live, /ready")


async def test_a_process_that_hangs_is_not_alive(health: tuple[str, Health]) -> None:
    url, _ = health
    asking = asyncio.create_task(asked(f"{url}/live"))
    await asyncio.sleep(0)
    time.sleep(ANSWER_SECONDS + 1)  # noqa: ASYNC251  # this is the hanging
    assert await asking == (503, "the process does not respond")
    assert await asked(f"{url}/live") == (200, "ok")


async def test_a_worker_is_ready_as_long_as_it_asks_a_server_for_tasks(health: tuple[str, Health]) -> None:
    url, known = health
    async with DevServer() as server:
        client = await connect(server.address)
        config = Config(worker=WorkerSettings(task_queue=f"test-{uuid4()}", max_cached_workflows=10))
        worker = create_worker(client, config, workflows=[Conversation], activities=[])
        known.polling = Polling(client, worker.shares).fault
        assert await asked(f"{url}/ready") == (503, f"no tasks are asked for on {config.worker.task_queue}")
        async with worker:
            assert await eventually(lambda: asked(f"{url}/ready"), lambda answer: answer == (200, "ok"))
            await server.kill()
            status, told = await asked(f"{url}/ready")
            assert (status, told[:35]) == (503, "Temporal's server does not answer: ")
            assert await asked(f"{url}/live") == (200, "ok")


async def test_a_taken_address_is_one_line(health: tuple[str, Health]) -> None:
    address = health[0].removeprefix("http://")
    with (
        pytest.raises(SetupError, match=rf"^\[worker\] health: {address} can't be used"),
        health_server(address, Health()),
    ):
        pass
