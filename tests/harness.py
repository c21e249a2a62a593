"""What tests of workflows share: workers that are built like the real one, and the real command line."""

import asyncio
import socket
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeVar
from uuid import uuid4

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.pinning import Expect
from infra.config import Config, WorkerSettings
from infra.devserver import DevServer, temporal_program
from signals.settings import Settings
from worker import create_worker

CLI_SECONDS: Final = 20.0
WAIT_SECONDS: Final = 60.0
"""Longer than a busy machine ever stood still; what is right at once doesn't take longer for it."""

POLL_SECONDS: Final = 0.02

_NOT_IN_TIME: Final = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
"""What the server says, and the client."""

T = TypeVar("T")


@asynccontextmanager
async def running_worker(
    client: Client,
    workflows: Sequence[type],
    activities: Sequence[Callable[..., object]] = (),
    *,
    max_cached_workflows: int = 1000,
    execution: Settings | None = None,
    task_queue: str | None = None,
    expect: Expect | None = None,
) -> AsyncIterator[str]:
    """Run a worker with the same sandbox and boundary as the real one; gives its queue, its own unless one is given."""
    settings = WorkerSettings(task_queue=task_queue or f"test-{uuid4()}", max_cached_workflows=max_cached_workflows)
    config = Config(worker=settings, execution=execution or Settings())
    async with create_worker(client, config, workflows=workflows, activities=activities, expect=expect):
        yield settings.task_queue


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("", 0))
        port: int = listener.getsockname()[1]
        return port


class CommandError(Exception):
    """The `temporal` command said no; the text is what it said."""


async def temporal(server: DevServer, *arguments: str) -> str:
    """Run a command of the real `temporal` program against the server; gives what it printed.

    Raises:
        CommandError: It ended with an error.
    """
    command = await asyncio.create_subprocess_exec(
        temporal_program(), *arguments, "--address", server.address, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    try:
        output, errors = await asyncio.wait_for(command.communicate(), CLI_SECONDS)
    except TimeoutError:
        command.kill()
        await command.wait()
        raise
    if command.returncode:
        raise CommandError(errors.decode())
    return output.decode()


async def eventually(
    ask: Callable[[], Awaitable[T]], right: Callable[[T], object] = bool, seconds: float = WAIT_SECONDS
) -> T:
    """Ask again until the answer is right; gives it. A query that wasn't answered in time is asked again.

    Raises:
        AssertionError: It was not right in so many seconds; the text is the last answer.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    last = "no answer"
    while True:
        try:
            if right(answer := await ask()):
                return answer
            last = repr(answer)
        except RPCError as error:
            if error.status not in _NOT_IN_TIME:
                raise
        assert asyncio.get_running_loop().time() < deadline, f"still not right: {last}"
        await asyncio.sleep(POLL_SECONDS)
