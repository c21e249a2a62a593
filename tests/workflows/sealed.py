"""What tests of encryption share: settings with keys, a server whose files can be searched, and a codec server."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from infra.config import Config
from infra.devserver import DevServer
from infra.payloads.keys import Key
from infra.payloads.settings import EncryptionSettings
from tests.workflows.shell import PROGRAM, environment

TOKEN: Final = "a-token-that-only-tests-have"
SECONDS: Final = 20.0


def sealing(*keys: Key, current: str | None = None) -> Config:
    """Settings with keys, of which the last encrypts if no other is named."""
    lines = "\n".join(key.line for key in keys)
    named = keys[-1].id if current is None else current
    return Config(encryption=EncryptionSettings.model_validate({"keys": lines, "current": named}))


def variables(key: Key) -> dict[str, str]:
    """The environment of a command that has a key."""
    return {"PARLEY_ENCRYPTION__KEYS": key.line, "PARLEY_ENCRYPTION__CURRENT": key.id}


@asynccontextmanager
async def codec_server(server: DevServer, more: Mapping[str, str]) -> AsyncIterator[str]:
    """Run `temporal parley codec` on any free port; gives its address."""
    variables = {"PARLEY_CODEC__TOKEN": TOKEN, "PARLEY_CODEC__ADDRESS": "127.0.0.1:0", **more}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, "codec", env=environment(server, variables), stdout=PIPE
    )
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), SECONDS)).decode()
        yield line.removeprefix("Codec server: ").partition(";")[0]
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), SECONDS)


def asking(address: str) -> list[str]:
    """The options with which the command line asks a codec server."""
    return ["--codec-endpoint", address, "--codec-auth", f"Bearer {TOKEN}"]


def holding(folder: Path, word: str) -> list[str]:
    """Which files of a folder hold a word."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if word.encode() in path.read_bytes()]
