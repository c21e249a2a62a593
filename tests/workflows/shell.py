"""`temporal parley`, run against a test's server as people run it."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from infra.devserver import DevServer

SECONDS: Final = 30.0

PROGRAM: Final = "from infra.cli.main import main; main()"


@dataclass(frozen=True)
class Spoken:
    """What a command did."""

    status: int | None
    output: str
    errors: str


def environment(server: DevServer, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command that is to ask a server."""
    return {**os.environ, "TEMPORAL_ADDRESS": server.address, **(more or {})}


async def command(server: DevServer, *words: str, typed: str = "", more: Mapping[str, str] | None = None) -> Spoken:
    """Run a subcommand to its end.

    Args:
        server: The server that it is to ask.
        words: The subcommand and its options.
        typed: What is piped into it.
        more: What is set in the environment beside the usual.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        *words,
        env=environment(server, more),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(typed.encode()), SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return Spoken(process.returncode, output.decode(), errors.decode())
