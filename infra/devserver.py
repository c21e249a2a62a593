"""Temporal's development server, from the `temporal` program of this environment."""

import asyncio
import socket
import sysconfig
import tempfile
from asyncio.subprocess import Process
from pathlib import Path
from types import TracebackType
from typing import IO, Final, NoReturn, Self

from temporalio.api.enums.v1 import IndexedValueType

from infra.connection import SEARCH_ATTRIBUTES, connect
from infra.errors import SetupError
from infra.payloads.converter import PLAIN

HOST: Final = "127.0.0.1"
PORT: Final = 7233
UI_OFFSET: Final = 1000
"""How far the Web UI's port is from the server's, by Temporal's own habit."""

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.05
START_TRIES: Final = 3

_TROUBLE: Final = ("Error:", "panic:", "fatal error:")

FAST: Final = (
    # By default a hop from one task to the next takes up to 50 ms.
    *("--dynamic-config-value", "history.transferProcessorMaxPollRPS=2000"),
    # A write waits for the log, not for the database file: three times the signals per second, and no loss on a kill.
    *("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"),
)

_CLI_TYPES: Final = {
    IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD: "Keyword",
    IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST: "KeywordList",
}


def temporal_program() -> Path:
    """Say where the `temporal` program of this environment is."""
    return Path(sysconfig.get_path("scripts")) / "temporal"


def start_arguments(host: str, port: int, *, ui_port: int | None, db: Path | None) -> list[str]:
    """Give the arguments of `temporal` that start a development server, fast and with the search attributes.

    Args:
        host: The address that it listens at.
        port: The port that it listens at.
        ui_port: The same for its Web UI; None for no Web UI.
        db: The SQLite file that it keeps everything in; None to forget everything at the end.
    """
    attributes = [f"--search-attribute={name}={_CLI_TYPES[kind]}" for name, kind in SEARCH_ATTRIBUTES.items()]
    ui = ["--headless"] if ui_port is None else [f"--ui-port={ui_port}", "--ui-disable-news-fetch"]
    kept = [f"--db-filename={db}"] if db else []
    start = ["server", "start-dev", "--log-level=error", f"--ip={host}", f"--port={port}"]
    return [*start, *ui, *kept, *attributes, *FAST]


class _EndedError(SetupError):
    """It ended before it answered."""


class DevServer:
    """A development server that runs as long as the `async with` block.

    It has a process group of its own, so that Ctrl-C in a terminal lets its workers stop first.

    Args:
        port: Where it listens on 127.0.0.1; 0 for any free port.
        ui_port: The same for its Web UI; None for no Web UI.
        db: The SQLite file that it keeps everything in; None to forget everything at the end.
        extra: More options of `temporal server start-dev`.
    """

    def __init__(
        self, *, port: int = 0, ui_port: int | None = None, db: Path | None = None, extra: tuple[str, ...] = ()
    ) -> None:
        self._port = port
        self._ui_port = ui_port
        self._db = db
        self._extra = extra
        self._process: Process | None = None

    @property
    def address(self) -> str:
        """Where it listens, `HOST:PORT`."""
        return f"{HOST}:{self._port}"

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return self._port

    @property
    def ui(self) -> str | None:
        """The Web UI's address, if it has one."""
        return None if self._ui_port is None else f"http://{HOST}:{self._ui_port}"

    async def __aenter__(self) -> Self:
        """Start it. Where something else takes one of the free ports that were chosen, others are.

        Raises:
            SetupError: A port is taken, or it does not come up.
        """
        asked = self._port, self._ui_port
        for _ in range(START_TRIES - 1):
            try:
                return await self._start()
            except _EndedError:  # it takes ports for itself too, which it doesn't keep from the moment it finds them
                self._port, self._ui_port = asked
        return await self._start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        if self._process:
            await self._stop(self._process)

    async def ended(self) -> NoReturn:
        """Wait until it ends by itself, which it should not.

        Raises:
            SetupError: It did.
        """
        if self._process:
            await self._process.wait()
        raise SetupError(f"the development server at {self.address} ended by itself")

    async def kill(self) -> None:
        """Kill it, as a crash would."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _start(self) -> Self:
        self._choose_ports()
        arguments = [*start_arguments(HOST, self._port, ui_port=self._ui_port, db=self._db), *self._extra]
        with self._log() as log:
            self._process = await asyncio.create_subprocess_exec(
                temporal_program(), *arguments, stdout=log, stderr=log, start_new_session=True
            )
            try:
                await self._answers(self._process, log)
            except BaseException:
                await self._stop(self._process)
                raise
        return self

    def _choose_ports(self) -> None:
        with _bound(self._port, "--port") as server:
            self._port = server.getsockname()[1]
            if self._ui_port is not None:
                with _bound(self._ui_port, "--ui-port") as ui:
                    self._ui_port = ui.getsockname()[1]

    def _log(self) -> IO[bytes]:
        if self._db is None:
            return tempfile.TemporaryFile()
        self._db.parent.mkdir(parents=True, exist_ok=True)
        return self._db.with_suffix(".log").open("w+b")

    async def _answers(self, process: Process, log: IO[bytes]) -> None:
        try:
            async with asyncio.timeout(START_SECONDS):
                while process.returncode is None:
                    try:
                        await connect(self.address, PLAIN)
                        return
                    except SetupError:
                        await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise SetupError(
                f"the development server at {self.address} did not come up in {START_SECONDS:.0f} s: {_reason(log)}"
            ) from None
        raise _EndedError(f"the development server at {self.address} ended: {_reason(log)}")

    async def _stop(self, process: Process) -> None:
        if process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


def _bound(port: int, option: str) -> socket.socket:
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # ports of connections that have just ended are free
    try:
        taken.bind((HOST, port))
    except OSError as error:
        taken.close()
        raise SetupError(
            f"port {port} can't be used ({error.strerror}): stop what listens there, or choose another with {option}"
        ) from error
    return taken


def _reason(log: IO[bytes]) -> str:
    """What it said went wrong; where it doesn't say so, what it said last."""
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    told = [line for line in lines if line.startswith(_TROUBLE)]
    return (told or lines[-1:] or ["it said nothing"])[0]
