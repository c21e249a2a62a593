"""`temporal parley chat`: a person in a terminal, or a script, takes part in a conversation."""

import asyncio
import os
import pty
import re
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from temporalio.client import Client

from infra.devserver import DevServer
from signals.messages import Turn
from tests.harness import eventually, running_worker
from tests.unit.conversation.talk import person
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Room, Rooms
from tests.workflows.shell import PROGRAM, Spoken, command, environment
from workflows.conversation.workflow import Conversation


@pytest.fixture(scope="module")
async def rooms(client: Client) -> AsyncIterator[Rooms]:
    async with running_worker(client, [Conversation]) as task_queue:
        yield Rooms(client, task_queue)


async def chat(server: DevServer, room: Room, speaker: str, *lines: str, join: str | None = None) -> Spoken:
    """Type some lines, and leave."""
    words = ("--join", join) if join else ()
    typed = "".join(f"{line}\n" for line in lines)
    return await command(server, "chat", room.id, "--as", speaker, *words, typed=typed)


async def test_lines_are_turns_and_what_was_missed_is_shown_first(rooms: Rooms, server: DevServer) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM, window=5)
    for number in range(8):
        await room.say("ann", f"ann {number}")
    await room.taken(8)
    spoken = await chat(server, room, "ben", "hello", "", "/to ann psst", "/reply 8 why?")
    shown = spoken.output.splitlines()
    assert (spoken.status, spoken.errors) == (0, "")
    assert shown[0] == f"Lunch? ({room.id})"
    assert f"-- 3 messages left out here; all of them: temporal parley transcript {room.id}" in shown
    told = [line.split(" ", 2)[2] for line in shown if line.startswith("#")]
    assert told == [*(f"ann: ann {n}" for n in range(3, 8)), "ben: hello", "ben: psst", "ben (answers #8): why?"]
    assert (await room.transcript()).messages[-1].in_reply_to == 8
    await room.close()


async def test_what_becomes_of_a_line_is_told_in_a_line(rooms: Rooms, server: DevServer) -> None:
    room = await rooms.open(ANN, BEN)
    shown = (await chat(server, room, "ben", "hello", "/close", "/vote 3 yes", "/pay", "/proposals")).output
    assert "-- held: it is recorded when you have the floor" in shown
    assert "-- not accepted: 'ben' needs the permission 'moderate' to send 'close'" in shown
    assert "-- not accepted: there is no proposal 3; open are: none" in shown
    assert "-- there is no /pay; /help shows what there is, // begins a turn with a slash" in shown
    assert "   nothing is proposed" in shown
    assert (await room.status()).held == 1
    await room.close()


async def test_it_ends_with_the_conversation_and_shows_what_came_of_it(rooms: Rooms, server: DevServer) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM)
    first = await chat(server, room, "ben", '/propose {"tea": true} -- with milk')
    assert 'ben: proposes outcome 1: with milk\n    | {"tea": true}' in first.output
    last = await chat(server, room, "ann", "/vote 1 yes", "never said")
    assert '-- outcome, by ann: {"tea": true}' in last.output.splitlines()
    assert "never said" not in last.output
    assert (await room.result()).outcome == {"tea": True}
    after = await chat(server, room, "ann")
    assert '-- outcome, by ann: {"tea": true}' in after.output.splitlines()
    assert "ben: proposes outcome 1: with milk" in after.output


async def test_who_joins_catches_up_and_who_leaves_is_gone(rooms: Rooms, server: DevServer) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM)
    await room.say("ann", "hello")
    await room.taken(1)
    refused = await chat(server, room, "cat", "hi")
    assert refused.status == 2
    assert (
        refused.errors == f"parley: 'cat' does not take part in '{room.id}'; there: ann, ben (--join ROLE joins it)\n"
    )
    joined = await chat(server, room, "cat", "hi all", "/who", "/leave I must go", "too late", join="expert")
    assert "ann: hello" in joined.output
    assert "cat: hi all" in joined.output
    assert "   cat: expert, human" in joined.output
    assert "not accepted" not in joined.output
    assert [person.id for person in (await room.status()).participants] == ["ann", "ben"]
    await room.close()


async def test_it_says_who_has_the_floor(rooms: Rooms, server: DevServer) -> None:
    room = await rooms.open(ANN, BEN)
    assert "-- waits for ann" in (await chat(server, room, "ben")).output.splitlines()
    assert "-- it is your turn" in (await chat(server, room, "ann")).output.splitlines()
    await room.close()


async def test_others_cannot_command_the_terminal(rooms: Rooms, server: DevServer) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM, topic="\x1b]0;mine\x07")
    await room.say("ann", "\x1b[31mred")
    await room.taken(1)
    shown = (await chat(server, room, "ben")).output
    assert "\x1b" not in shown
    assert "\\x1b[31mred" in shown
    await room.close()


async def test_what_was_said_in_private_is_not_shown_to_others(rooms: Rooms, server: DevServer) -> None:
    room = await rooms.open(ANN, BEN, person("cat"), coordination=FREE_FORM, routing={"kind": "addressed"})
    await room.send(Turn(speaker="ann", text="a secret", to=("ben",)))
    await room.taken(1)
    assert "a secret" in (await chat(server, room, "ben")).output
    assert "a secret" not in (await chat(server, room, "cat")).output
    await room.close()
    assert "a secret" in (await chat(server, room, "ben")).output
    assert "a secret" not in (await chat(server, room, "cat")).output


async def test_of_what_has_ended_the_last_messages_are_shown(rooms: Rooms, server: DevServer) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM, window=5)
    for number in range(8):
        await room.say("ann", f"ann {number}")
    await room.close()
    shown = (await chat(server, room, "ben", "hello?")).output.splitlines()
    assert shown[0].startswith("-- 5 messages left out here")
    assert [line.split(" ", 2)[2] for line in shown[1:4]] == ["ann: ann 5", "ann: ann 6", "ann: ann 7"]
    assert shown[-1].startswith("-- ended (closed): ")


async def test_a_terminated_conversation_is_over(rooms: Rooms, server: DevServer) -> None:
    room = await rooms.open(ANN, BEN)
    await room.handle.terminate()
    spoken = await chat(server, room, "ann", "hello")
    assert (spoken.status, spoken.output) == (0, "-- ended without a result: terminated by user via frontend\n")


async def test_there_is_nothing_to_say_where_there_is_no_conversation(server: DevServer) -> None:
    missing = await command(server, "chat", "no-such", "--as", "ann")
    assert (missing.status, missing.errors) == (2, "parley: there is no 'no-such' in the namespace 'default'\n")
    strange = await command(server, "chat", "no-such", "--as", 'ann" OR "')
    assert strange.status == 2
    assert "an id has letters, digits and ._@+-" in strange.errors


# A real terminal


_WHERE_IS_THE_CURSOR = "\x1b[6n"
_TOP_LEFT = "\x1b[1;1R"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class Terminal:
    """A program in a terminal of its own."""

    screen: int
    shown: str = field(default="")

    async def until(self, text: str) -> None:
        """Read what is shown, until a text is."""
        await eventually(self._read, lambda shown: text in shown)

    async def _read(self) -> str:
        with suppress(BlockingIOError):
            read = os.read(self.screen, 65_536).decode(errors="replace")
            self.shown += read
            self.type(_TOP_LEFT * read.count(_WHERE_IS_THE_CURSOR))
        return _CONTROL.sub("", self.shown)

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self.screen, text.encode())


async def test_in_a_terminal_messages_come_while_one_types(rooms: Rooms, server: DevServer) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM)
    screen, keyboard = pty.openpty()
    termios.tcsetwinsize(keyboard, (30, 100))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, "chat", room.id, "--as", "ben"),
        env=environment(server, {"TERM": "xterm"}),
        stdin=keyboard,
        stdout=keyboard,
        stderr=keyboard,
    )
    os.close(keyboard)
    os.set_blocking(screen, False)
    try:
        terminal = Terminal(screen)
        await terminal.until("ben>")
        await terminal.until("you are waited for · waits for ann")
        terminal.type("half a li")
        await room.say("ann", "an interruption")
        await terminal.until("an interruption")
        terminal.type("ne\r")
        assert await room.said(2) == [("ann", "an interruption"), ("ben", "half a line")]
        terminal.type("/w")
        await terminal.until("show who is there")
        terminal.type("ho\r")
        await terminal.until("ben: guest, human")
        await room.close()
        await terminal.until("-- ended (closed)")
        assert await asyncio.wait_for(process.wait(), 20) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(screen)
