"""Real worker processes to be killed, and a language model that answers when the test lets it."""

import asyncio
import json
import sys
import threading
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from infra.config import demo_environment

READY = "Parley worker:"
START_SECONDS = 60.0


class Model:
    """A language model behind HTTP, in the shape of OpenAI's chat completions."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        """Counts requests that have come in."""

        self.may_answer = threading.Event()
        self.may_answer.set()
        self.port = 0

    def answer(self) -> bytes:
        """What it says, always."""
        message = {"role": "assistant", "content": "I understand."}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        usage = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
        body = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}
        return json.dumps(body).encode()

    async def is_asked(self) -> None:
        """Wait for a request."""
        assert await asyncio.to_thread(self.asked.acquire, timeout=30), "the model was not asked"


@contextmanager
def language_model() -> Iterator[Model]:
    """Serve a model on a free port."""
    model = Model()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            model.asked.release()
            model.may_answer.wait(60)
            try:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(model.answer())
            except OSError:
                self.close_connection = True  # who asked was killed meanwhile

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    model.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        model.may_answer.set()
        server.shutdown()
        server.server_close()
        thread.join()


class Workers:
    """Worker processes of one server."""

    def __init__(self, address: str, folder: Path, model: Model, more: Mapping[str, str]) -> None:
        self._environment = {
            **demo_environment(address, f"sqlite:///{folder}/business.db"),
            "PARLEY_ASSISTANT__MODEL": "openai-chat:test",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{model.port}/v1",
            "OPENAI_API_KEY": "none",
            **more,
        }
        self._running: list[Process] = []
        self.log = folder / "workers.log"
        """What all of them log."""

    async def start(self) -> Process:
        """Start one, and wait until it is ready."""
        with self.log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "worker.py", env=self._environment, stdout=PIPE, stderr=errors
            )
        self._running.append(process)
        async with asyncio.timeout(START_SECONDS):
            assert process.stdout is not None
            line = await process.stdout.readline()
            assert line.decode().startswith(READY), f"the worker ended: {self.log.read_text()}"
        return process

    async def stop(self, process: Process) -> None:
        """Tell one to stop, and wait until it has, in good order."""
        process.terminate()
        await process.communicate()

    async def kill(self, process: Process) -> None:
        """Kill one, as a crash would."""
        process.kill()
        await process.communicate()  # what it still said is read, or its pipe stays open

    async def kill_all(self) -> None:
        """Kill those that are still running."""
        for process in self._running:
            if process.returncode is None:
                await self.kill(process)


@asynccontextmanager
async def workers(
    address: str, folder: Path, model: Model, more: Mapping[str, str] | None = None
) -> AsyncIterator[Workers]:
    """Worker processes that are gone at the end.

    Args:
        address: The Temporal server.
        folder: Where their books are.
        model: The language model that they ask.
        more: More of their environment.
    """
    group = Workers(address, folder, model, more or {})
    try:
        yield group
    finally:
        await group.kill_all()
