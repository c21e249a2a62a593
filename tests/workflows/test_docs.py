"""Every command and every Python snippet in README and docs is run, in the order in which it stands."""

import asyncio
import json
import os
import re
import runpy
import shlex
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.devserver import DevServer, temporal_program
from workflows.conversation.setup import ConversationSetup

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMPANY = {
    "topic": "Where to?",
    "participants": [
        {"id": "lea", "kind": "human", "role": "lead", "can": ["speak", "decide", "moderate"]},
        {"id": "ann", "kind": "human", "role": "guest"},
    ],
}
"""Whom the parts of setups that a page shows are for."""

SECONDS = 120.0  # the embedded model may share its processors with other tests

_BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    language: str
    file: str | None
    text: str


def blocks(path: Path) -> list[Block]:
    return [Block(*found) for found in _BLOCK.findall(path.read_text())]


@dataclass(frozen=True)
class Command:
    """A command of a console block, with what it should print (`  ...`), or say as it fails (`! ...`)."""

    words: list[str]
    expected: str
    fails: bool


def commands(path: Path) -> Iterator[Command]:
    for block in blocks(path):
        if block.language == "console":
            lines = block.text.splitlines()
            for number, line in enumerate(lines):
                if line.startswith("$ "):
                    told = next((other for other in lines[number + 1 : number + 2] if not other.startswith("$ ")), "")
                    yield Command(shlex.split(line[2:]), told[2:].strip().strip("."), told.startswith("! "))


@asynccontextmanager
async def worker(environment: dict[str, str], folder: Path) -> AsyncIterator[None]:
    log = folder / "worker.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, ROOT / "worker.py", env=environment, stdout=PIPE, stderr=errors, cwd=folder
        )
    try:
        async with asyncio.timeout(60):
            assert process.stdout is not None
            said = b""
            while b"Parley worker:" not in said:
                line = await process.stdout.readline()
                assert line, said.decode() + log.read_text()
                said += line
        yield
    finally:
        process.kill()
        await process.wait()


async def printed(command: Command, environment: dict[str, str], folder: Path) -> tuple[bool, str]:
    program = temporal_program() if command.words[0] == "temporal" else Path(command.words[0])
    process = await asyncio.create_subprocess_exec(
        program, *command.words[1:], env=environment, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, cwd=folder
    )
    output, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    return process.returncode == 0, output.decode()


def plain(text: str) -> str:
    """Output without the spaces and the escaping that differ from one form of it to another."""
    return re.sub(r"\s", "", text).replace('\\"', '"')


async def run(command: Command, environment: dict[str, str], folder: Path) -> None:
    """Run a command; one that only looks is repeated until it shows what it should, as a reader would."""
    looks = command.words[2] in ("list", "query", "describe", "inbox")
    end = asyncio.get_running_loop().time() + SECONDS
    while True:
        succeeded, output = await printed(command, environment, folder)
        if succeeded is not command.fails and plain(command.expected) in plain(output):
            return
        late = asyncio.get_running_loop().time() > end
        assert looks and not late, f"{shlex.join(command.words)}\nprinted {output}\nnot {command.expected}"
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: Path(str(path)).name)
@pytest.mark.timeout(300)
async def test_the_commands_of_a_page_do_what_it_says(path: Path, server: DevServer, tmp_path: Path) -> None:
    files = [(tmp_path / block.file, block.text) for block in blocks(path) if block.file]
    for file, text in files:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    names = [file.stem for file, text in files if "EXTENSION" in text]
    environment = {
        **os.environ,
        "PATH": f"{temporal_program().parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(tmp_path),
        "TEMPORAL_ADDRESS": server.address,
        "PARLEY_SUPPORT__DATABASE": f"sqlite:///{tmp_path}/business.db",
        "PARLEY_PIPELINE__FOLDER": f"{tmp_path}/pipelines",
        "PARLEY_PIPELINE__DEPLOYMENTS": f"{tmp_path}/deployments",
        "PARLEY_WORKER__EXTENSIONS": str(names).replace("'", '"'),
    }
    todo = list(commands(path))
    if todo:
        async with worker(environment, tmp_path):
            for command in todo:
                await run(command, environment, tmp_path)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: Path(str(path)).name)
def test_the_snippets_of_a_page_run(path: Path, tmp_path: Path) -> None:
    for number, block in enumerate(blocks(path)):
        if block.language == "python" and not block.file and "..." not in block.text:
            snippet = tmp_path / f"snippet_{number}.py"
            snippet.write_text(block.text)
            runpy.run_path(str(snippet))


@pytest.mark.parametrize("path", DOCS, ids=lambda path: Path(str(path)).name)
def test_the_parts_of_setups_that_a_page_shows_can_be_used(path: Path) -> None:
    for block in blocks(path):
        if (
            block.language == "json"
            and (part := json.loads(block.text)).keys() <= ConversationSetup.model_fields.keys()
        ):
            ConversationSetup.model_validate({**COMPANY, **part})
