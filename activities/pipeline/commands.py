"""Running a program: in a process group of its own, with limits, and with nothing of it left in the end."""

import asyncio
import json
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final, Protocol

SUPERVISOR: Final = Path(__file__).with_name("supervisor.py")

CHUNK: Final = 256 * 1024
END_SECONDS: Final = 15.0
"""How long the supervisor may take to end what it runs; it needs two seconds."""

DRAIN_SECONDS: Final = 2.0
"""How long output is waited for that the ended program has left in its pipe."""


class Sink(Protocol):
    """Takes what a program prints, piece by piece, and keeps as much of it as it is made for."""

    def write(self, chunk: bytes, /) -> object:
        """Take a piece."""


@dataclass(frozen=True)
class Program:
    """What is to be run."""

    words: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    """All of its environment: it inherits nothing."""

    seconds: float
    limits: Mapping[str, int] = field(default_factory=dict)
    """By the names that they have in `resource`."""


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    status: int | None
    """None where its time was over."""

    seconds: float


def is_there(program: Program) -> bool:
    """Tell whether there is such a program to run."""
    word = program.words[0]
    if "/" in word:
        return shutil.which(program.folder / word) is not None
    return shutil.which(word, path=program.environment.get("PATH", "")) is not None


async def run(program: Program, output: Sink, errors: Sink | None = None) -> Ended:
    """Run a program to its end, or to the end of its time.

    When this is done, also by being cancelled, no process is left that came of it.

    Args:
        program: What to run.
        output: Takes what it prints.
        errors: Takes what it prints as errors; `output` takes both where there is none.
    """
    began = monotonic()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(SUPERVISOR)),
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT if errors is None else PIPE,
        env={},
        start_new_session=True,
        limit=CHUNK,
    )
    readers = [
        asyncio.create_task(_read(stream, sink))
        for stream, sink in ((process.stdout, output), (process.stderr, errors))
        if stream is not None and sink is not None
    ]
    try:
        status: int | None
        try:
            async with asyncio.timeout(program.seconds):
                await _tell(process, program)
                status = await process.wait()
        except TimeoutError:
            status = None
    finally:
        await _unbroken(_end(process, readers))
    return Ended(status, monotonic() - began)


async def ask(program: Program, output: Sink, errors: Sink) -> Ended:
    """Run a program that only looks at things: without a supervisor, and so several times as quickly.

    It must start no other programs. Where the worker is killed it goes on to its end.

    Args:
        program: What to run; its limits are not kept.
        output: Takes what it prints.
        errors: Takes what it prints as errors.
    """
    began = monotonic()
    process = await asyncio.create_subprocess_exec(
        *program.words,
        cwd=program.folder,
        env=program.environment,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        limit=CHUNK,
    )
    status: int | None = None
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(program.seconds):
                await asyncio.gather(
                    *(
                        _read(stream, sink)
                        for stream, sink in ((process.stdout, output), (process.stderr, errors))
                        if stream
                    )
                )
                status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await _unbroken(_gone(process))
    return Ended(status, monotonic() - began)


async def _gone(process: Process) -> None:
    await process.wait()


async def _tell(process: Process, program: Program) -> None:
    order = {
        "command": program.words,
        "folder": str(program.folder),
        "environment": dict(program.environment),
        "limits": dict(program.limits),
    }
    if process.stdin is not None:
        process.stdin.write(json.dumps(order).encode() + b"\n")
        with suppress(ConnectionError):  # it has ended already; its status says why
            await process.stdin.drain()


async def _read(stream: asyncio.StreamReader, sink: Sink) -> None:
    while chunk := await stream.read(CHUNK):
        sink.write(chunk)


async def _end(process: Process, readers: list[asyncio.Task[None]]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
    await asyncio.wait(readers, timeout=DRAIN_SECONDS)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)


async def _unbroken(work: Coroutine[None, None, None]) -> None:
    """Do something to its end, though it be cancelled meanwhile."""
    task = asyncio.create_task(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError
