"""The worker's process: how it starts, what it says, how it ends."""

import asyncio
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from infra.devserver import DevServer
from tests.harness import temporal

PROJECT = Path(__file__).parents[3]
START_SECONDS = 60.0
END_SECONDS = 30.0


@asynccontextmanager
async def worker(tmp_path: Path, *options: str, **environment: str) -> AsyncIterator[Process]:
    """Start `worker.py` with databases of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "worker.py",
        *options,
        cwd=PROJECT,
        env={
            **os.environ,
            "PARLEY_ASSISTANT__WARM": "reply",
            "PARLEY_SUPPORT__DATABASE": f"sqlite:///{tmp_path}/business.db",
            **environment,
        },
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def with_server(tmp_path: Path) -> list[str]:
    return ["--dev", "--port", "0", "--ui-port", "0", "--db", f"{tmp_path}/temporal.db"]


async def ready(process: Process) -> str:
    """Wait for the line that says that it works, and give it."""
    assert process.stdout
    line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
    assert line, (await process.communicate())[1].decode()
    return line.decode().strip()


async def ended(process: Process) -> tuple[int, str]:
    """Wait for the end; give the exit status and what it complained about."""
    _, errors = await asyncio.wait_for(process.communicate(), END_SECONDS)
    assert process.returncode is not None
    return process.returncode, errors.decode()


async def test_it_says_where_it_works_and_stops_in_good_order_with_its_server(tmp_path: Path) -> None:
    async with worker(tmp_path, *with_server(tmp_path)) as process:
        said = await ready(process)
        assert re.fullmatch(
            r"Parley worker: task queue parley on 127\.0\.0\.1:\d+; Web UI http://127\.0\.0\.1:\d+", said
        )
        [server] = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGTERM)
        assert await ended(process) == (0, "")
        assert not server.is_running()


async def test_it_does_the_work_of_a_server_that_temporal_s_settings_name(tmp_path: Path, server: DevServer) -> None:
    async with worker(tmp_path, TEMPORAL_ADDRESS=server.address, PARLEY_WORKER__TASK_QUEUE="mine") as process:
        assert await ready(process) == f"Parley worker: task queue mine on {server.address}"
        question = '{"order_id": "A-1001", "customer_id": "C-1"}'
        arguments = ["--type", "OrderStatus", "--task-queue", "mine", "--input", question]
        assert "COMPLETED" in await temporal(server, "workflow", "execute", *arguments)


CARELESS = """\
import time

from workflows.compiled import compiled, step
from workflows.extensions import Extension


@compiled
class Careless:
    @step
    def label(self, request: str) -> str:
        return "to Rome"

    @step(result=True)
    def now(self, request: str) -> float:
        return time.time()


EXTENSION = Extension(workflows=(Careless,))
"""


async def test_lenient_validation_lets_a_worker_start_with_warnings(tmp_path: Path, server: DevServer) -> None:
    (tmp_path / "careless_flows.py").write_text(CARELESS)
    careless = {
        "TEMPORAL_ADDRESS": server.address,
        "PYTHONPATH": str(tmp_path),
        "PARLEY_WORKER__EXTENSIONS": '["careless_flows"]',
        "PARLEY_EXECUTION__WORKFLOW__VALIDATION_LEVEL": "lenient",
    }
    async with worker(tmp_path, **careless) as process:
        await ready(process)
        process.send_signal(signal.SIGTERM)
        status, errors = await ended(process)
    assert status == 0
    assert "error [nondeterministic-clock] Careless.now" in errors
    assert "warning [unused-step] Careless.label" in errors


async def test_a_second_signal_does_not_break_off_the_good_order(tmp_path: Path) -> None:
    async with worker(tmp_path, *with_server(tmp_path)) as process:
        await ready(process)
        [server] = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        assert await ended(process) == (0, "")
        assert not server.is_running()


async def test_it_ends_with_a_word_when_its_server_dies(tmp_path: Path) -> None:
    async with worker(tmp_path, *with_server(tmp_path)) as process:
        await ready(process)
        psutil.Process(process.pid).children()[0].kill()
        status, errors = await ended(process)
        assert status == 1
        # Whichever is noticed first.
        words = r"the development server at \S+ ended by itself|the worker can't go on: Temporal's server is gone.*"
        assert re.search(rf"^parley: ({words})$", errors, re.MULTILINE)


async def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        async with worker(tmp_path, "--dev", "--port", str(port)) as process:
            status, errors = await ended(process)
    assert status == 1
    assert re.fullmatch(rf"parley: port {port} can't be used \(.*\): .* --port\n", errors)


async def test_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    async with worker(tmp_path, PARLEY_WORKER__SANDBOX="perhaps") as process:
        status, errors = await ended(process)
    assert status == 1
    assert re.fullmatch(r"parley: PARLEY_WORKER__SANDBOX: .*\n", errors)


@pytest.mark.parametrize("url", ["mysql://127.0.0.1/shop", "no url", "sqlite:////proc/none/business.db"])
async def test_books_that_cannot_be_opened_are_one_line(tmp_path: Path, url: str) -> None:
    async with worker(tmp_path, "--prepare", PARLEY_SUPPORT__DATABASE=url) as process:
        status, errors = await ended(process)
    assert status == 1
    assert re.fullmatch(r"parley: \[support\] database: the books can't be opened: .*\n", errors)


async def test_preparing_makes_the_books_and_ends(tmp_path: Path) -> None:
    async with worker(tmp_path, "--prepare") as process:
        assert await ended(process) == (0, "")
    assert (tmp_path / "business.db").exists()


@pytest.mark.parametrize(("table", "key"), [("support", "classifier"), ("adaptive", "assessor")])
async def test_a_language_model_that_cannot_be_used_is_one_line(
    tmp_path: Path, server: DevServer, table: str, key: str
) -> None:
    settings = {"TEMPORAL_ADDRESS": server.address, f"PARLEY_{table}__{key}".upper(): "nobody:nothing"}
    async with worker(tmp_path, **settings) as process:
        status, errors = await ended(process)
    assert status == 1
    assert re.fullmatch(rf"parley: \[{table}\] .*nobody.*\n", errors)
