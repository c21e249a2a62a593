"""A panel of three people and two AI participants, held from three terminals with `temporal parley chat`.

`python -m tests.workflows.panel docs/panel.md` holds it and writes what the terminals showed.
"""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from infra.config import demo_environment
from infra.connection import connect
from infra.devserver import DevServer, temporal_program
from signals.conversation import ConversationResult
from signals.names import TASK_QUEUE, WorkflowType
from tests.workflows.shell import environment

ROOT: Final = Path(__file__).parents[2]
SECONDS: Final = 60.0
CONVERSATION: Final = "panel-1"

SCRIPTS: Final = {
    "clerk": [
        {"say": "I look it up.", "invoke": "OrderStatus", "arguments": {"order_id": "A-1001"}},
        "It is on its way. There is nothing to pay back yet.",
    ],
    "critic": ["If it comes by tomorrow, waiting costs nobody anything."],
}
"""What the AI participants say and do, so that the panel is the same each time."""

SETUP: Final = """\
{
  "topic": "The customer asks for money back for A-1001. Do we pay?",
  "coordination": {"kind": "moderated"},
  "emergence": [{"kind": "quorum", "count": 3}],
  "fragments": ["OrderStatus"],
  "facts": {"customer_id": "C-1"},
  "participants": [
    {"id": "mona", "kind": "human", "role": "chair", "name": "Mona", "can": ["speak", "moderate", "decide"]},
    {"id": "ann", "kind": "human", "role": "agent", "name": "Ann", "can": ["speak", "invoke"]},
    {"id": "ben", "kind": "human", "role": "agent", "name": "Ben"},
    {"id": "clerk", "kind": "ai", "role": "assistant", "model": "script:clerk", "can": ["speak", "invoke"]},
    {"id": "critic", "kind": "ai", "role": "assistant", "model": "script:critic"}
  ]
}"""


class Terminal:
    """One `temporal parley chat`, with what is typed into it and what it shows."""

    def __init__(self, process: Process, title: str) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._in, self._out = process, process.stdin, process.stdout
        self.title = title
        self.shown: list[str] = []
        """What it showed, and (behind `> `) what was typed, in lines."""

        self._seen = 0
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def types(self, line: str) -> None:
        """Type a line."""
        self.shown.append(f"> {line}")
        self._in.write(f"{line}\n".encode())
        await self._in.drain()

    async def sees(self, text: str) -> None:
        """Wait until a line is shown, behind the last one that was waited for."""
        async with asyncio.timeout(SECONDS):
            while not self._has_come(text):
                assert not self._reading.done(), "\n".join([f"{self.title} never shows {text!r}:", *self.shown])
                self._news.clear()
                await self._news.wait()

    async def leaves(self) -> None:
        """Leave the terminal, if the conversation has not ended by itself."""
        self._in.close()
        async with asyncio.timeout(SECONDS):
            await self._reading
            await self._process.wait()

    async def clear(self) -> None:
        """End what is still running."""
        if self._process.returncode is None:
            self._process.kill()
        await self._reading
        await self._process.wait()

    async def _read(self) -> None:
        while line := await self._out.readline():
            self.shown.append(line.decode().rstrip("\n"))
            self._news.set()
        self._news.set()

    def _has_come(self, text: str) -> bool:
        while self._seen < len(self.shown):
            self._seen += 1
            line = self.shown[self._seen - 1]
            if text in line and not line.startswith("> "):
                return True
        return False


class Panel:
    """The conversation's terminals."""

    def __init__(self, server: DevServer) -> None:
        self._server = server
        self.terminals: list[Terminal] = []

    async def sits_down(self, speaker: str, *options: str) -> Terminal:
        """Open a terminal, and wait until it shows who is there."""
        words = ("parley", "chat", CONVERSATION, "--as", speaker, *options)
        program = temporal_program()
        path = {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
        process = await asyncio.create_subprocess_exec(
            program, *words, env=environment(self._server, path), stdin=PIPE, stdout=PIPE, stderr=STDOUT
        )
        terminal = Terminal(process, f"temporal {' '.join(words)}")
        self.terminals.append(terminal)
        await terminal.sees("Do we pay?")
        return terminal

    async def clear(self) -> None:
        """End what is still running."""
        for terminal in self.terminals:
            await terminal.clear()


@asynccontextmanager
async def worker(server: DevServer, folder: Path) -> AsyncIterator[None]:
    """A real worker, with the AI participants' scripts in its configuration."""
    more = {
        **demo_environment(server.address, f"sqlite:///{folder}/business.db"),
        "PARLEY_ASSISTANT__SCRIPTS": json.dumps(SCRIPTS),
        "PARLEY_ASSISTANT__WARM": "reply",
    }
    log = folder / "worker.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, ROOT / "worker.py", env=environment(server, more), stdout=PIPE, stderr=errors, cwd=ROOT
        )
    try:
        async with asyncio.timeout(SECONDS):
            assert process.stdout is not None
            while not (line := await process.stdout.readline()).startswith(b"Parley worker:"):
                assert line, f"the worker ended: {log.read_text()}"
        yield
    finally:
        process.kill()
        await process.communicate()


async def hold(server: DevServer, panel: Panel) -> ConversationResult:
    """Hold it, from the opening to the vote that closes it."""
    client = await connect(server.address)
    handle = await client.start_workflow(
        WorkflowType.CONVERSATION,
        json.loads(SETUP),
        id=CONVERSATION,
        task_queue=TASK_QUEUE,
        result_type=ConversationResult,
    )
    mona, ann, ben = [await panel.sits_down(name) for name in ("mona", "ann", "ben")]
    await mona.sees("it is your turn")
    await mona.types("Let us hear what is known. Clerk?")
    await mona.sees("mona: Let us hear")
    await mona.types("/grant clerk")
    await mona.sees("clerk: It is on its way.")
    await mona.types("/grant critic")
    await mona.sees("critic: If it comes")
    await ben.sees("critic: If it comes")
    await ben.types("I have to go, do as you like.")
    await ben.sees("held: ")
    await ben.types("/leave my shift is over")
    await mona.sees("Ben left")
    await ben.leaves()
    cat = await panel.sits_down("cat", "--join", "agent", "--name", "Cat")
    await cat.sees("clerk: It is on its way.")
    await mona.sees("Cat (agent) joined")
    await mona.types("/grant cat")
    await cat.sees("it is your turn")
    await cat.types("I have read it all. We should wait.")
    await mona.sees("it is your turn")
    await mona.types('/propose {"pay": false, "note": "wait until tomorrow"} -- as the critic says')
    await ann.sees('| {"pay": false')
    await ann.types("/vote 1 yes")
    await cat.sees("ann: approves proposal 1")
    await cat.types("/vote 1 yes -- agreed")
    result: ConversationResult = await handle.result()
    for terminal in (mona, ann, cat):
        await terminal.sees("outcome, by mona, ann, cat")
        await terminal.leaves()
    return result


def without_times(line: str) -> str:
    """A line of a terminal, the same whenever it is shown."""
    line = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "2026-01-05T10:00:00Z", line)
    return re.sub(r"^(#\d+) \d\d:\d\d", r"\1 10:00", line)


def recording(panel: Panel, result: ConversationResult) -> str:
    """What the terminals showed, as a page."""
    parts = [
        "# A panel, as its terminals showed it",
        "Three people and two AI participants hold a [moderated conversation](conversations.md). One leaves, another\n"
        "joins and catches up, an AI participant runs a fragment, a vote closes it. What was typed stands behind\n"
        "`> `. The AI participants are scripted, so that it is the same each time:\n"
        "`python -m tests.workflows.panel docs/panel.md` holds it again.",
        f"It was started as a `Conversation` with this setup, and ended by `{result.stop}`: {result.reason}.",
        f"```json\n{SETUP}\n```",
    ]
    for terminal in panel.terminals:
        shown = "\n".join(map(without_times, terminal.shown))
        parts += [f"## `{terminal.title}`", f"```text\n{shown}\n```"]
    return "\n\n".join(parts) + "\n"


@asynccontextmanager
async def held(server: DevServer) -> AsyncIterator[tuple[Panel, ConversationResult]]:
    """The panel when it is over, its worker still there."""
    with TemporaryDirectory() as folder:
        async with worker(server, Path(folder)):
            panel = Panel(server)
            try:
                yield panel, await hold(server, panel)
            finally:
                await panel.clear()


async def main(target: Path) -> None:
    """Hold the panel and write what was shown."""
    async with DevServer() as server, held(server) as (panel, result):
        await asyncio.to_thread(target.write_text, recording(panel, result), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
