"""Whether the worker is well, over HTTP: `/live`, and `/ready`."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6
from threading import Thread
from typing import Final

from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from infra.errors import SetupError
from infra.queues import Share, Tasks
from infra.table import split_address

ANSWER_SECONDS: Final = 2.0
"""How long the process may take over a question; a longer time means that it hangs."""

STOP_SECONDS: Final = 0.05
"""How long it takes at most to notice that it is to stop."""

POLL_AGE: Final = timedelta(seconds=90)
"""A worker that asks for tasks has last begun to at most this long ago: a poll waits for a minute."""

Probe = Callable[[], Coroutine[None, None, str | None]]
"""Says what is wrong; None where all is well."""


class Health:
    """What is known of the process's health."""

    def __init__(self) -> None:
        self.polling: Probe | None = None
        """Tells whether tasks are asked for; None until workers have been started."""

    async def live(self) -> str | None:
        """Say that the process goes on, which it does if this is run at all."""
        return None

    async def ready(self) -> str | None:
        """Say whether there is anything that keeps it from working."""
        return await self.polling() if self.polling else "it is starting"


class Polling:
    """Whether the server knows this process as one that asks for tasks, on all its task queues.

    Args:
        client: The workers' connection.
        shares: What they do.
    """

    def __init__(self, client: Client, shares: Sequence[Share]) -> None:
        self._client = client
        self._asked = [tasks for share in shares for tasks in share.asked]

    async def fault(self) -> str | None:
        """Say which queue isn't asked, or why that can't be known."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS / 2):
                polled = await asyncio.gather(*map(self._polls, self._asked))
        except (RPCError, TimeoutError) as error:
            return f"Temporal's server does not answer: {str(error) or 'it takes too long'}"
        missing = [tasks.task_queue for tasks, polls in zip(self._asked, polled, strict=True) if not polls]
        return f"no tasks are asked for on {', '.join(missing)}" if missing else None

    async def _polls(self, tasks: Tasks) -> bool:
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=tasks.task_queue),
            task_queue_type=tasks.type,
        )
        told = await self._client.workflow_service.describe_task_queue(request, retry=False)
        since = datetime.now(UTC) - POLL_AGE
        return any(
            poller.identity == self._client.identity and poller.last_access_time.ToDatetime(UTC) > since
            for poller in told.pollers
        )


@contextmanager
def health_server(address: str, health: Health) -> Iterator[None]:
    """Answer probes, as long as the `with` block lasts; to be entered where the event loop runs that they ask.

    Args:
        address: Where, `IP:PORT`.
        health: What is asked.

    Raises:
        SetupError: The address can't be used.
    """
    loop = asyncio.get_running_loop()
    probes: dict[str, Probe] = {"/live": health.live, "/ready": health.ready}

    class Handler(BaseHTTPRequestHandler):
        timeout = ANSWER_SECONDS
        server_version, sys_version = "parley", ""

        def do_GET(self) -> None:
            probe = probes.get(self.path)
            if probe is None:
                self._answer(HTTPStatus.NOT_FOUND, f"there are {', '.join(probes)}")
            elif fault := self._ask(probe):
                self._answer(HTTPStatus.SERVICE_UNAVAILABLE, fault)
            else:
                self._answer(HTTPStatus.OK, "ok")

        def _ask(self, probe: Probe) -> str | None:
            # This is a thread of its own: it can tell when the event loop hangs.
            asking = asyncio.run_coroutine_threadsafe(probe(), loop)
            try:
                return asking.result(ANSWER_SECONDS)
            except TimeoutError:
                asking.cancel()
                return "the process does not respond"

        def _answer(self, status: HTTPStatus, text: str) -> None:
            body = f"{text}\n".encode()
            with suppress(OSError):  # who asked did not wait for the answer
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: probes come all the time."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        address_family = AF_INET6 if ":" in split_address(address)[0] else ThreadingHTTPServer.address_family

    try:
        server = Server(split_address(address), Handler)
    except OSError as error:
        raise SetupError(f"[worker] health: {address} can't be used ({error.strerror}): choose another") from error
    thread = Thread(target=server.serve_forever, args=(STOP_SECONDS,), name="health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
