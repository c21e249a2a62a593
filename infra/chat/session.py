"""A person at a terminal, in a conversation: shows what happens there, and sends what they type."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from typing import Final, Protocol
from uuid import uuid4

from infra.chat import view
from infra.chat.lines import Author, LineError, Look, help_lines, parse
from infra.chat.room import OverError, RefusedError, Room, UnansweredError
from infra.conversations import ANSWER_TIMEOUT
from infra.errors import SetupError
from signals.conversation import Recorded, Status, Transcript
from signals.messages import Join, Leave, Message
from signals.participants import Kind, Participant

QUICK_SECONDS: Final = 0.5
"""How often the conversation is looked at while something happens in it."""

SLOW_SECONDS: Final = 3.0
"""The same while nothing does."""

BACK_OFF: Final = 1.2


class Screen(Protocol):
    """Where a conversation is shown, and lines are typed."""

    def show(self, entry: view.Entry) -> None:
        """Show a message."""

    def tell(self, line: str) -> None:
        """Show something that nobody said."""

    def stand(self, line: str) -> None:
        """Show who is waited for, in place of what was shown before."""

    def know(self, status: Status, messages: Sequence[Recorded]) -> None:
        """Learn what completions are made of."""

    def lines(self) -> AsyncIterator[str]:
        """Give what is typed, line by line, until there is no more."""


class Session:
    """One sitting.

    Args:
        room: The conversation.
        screen: The terminal.
    """

    def __init__(self, room: Room, screen: Screen) -> None:
        self._room = room
        self._screen = screen
        self._status: Status | None = None
        self._seen = 0
        """The number of the latest message that was there when it was last looked."""

        self._over = False
        self._silent = False
        """Whether it was told that nobody answers."""

        self._looking = asyncio.Lock()
        self._nudge = asyncio.Event()

    async def run(self, joining: Participant | None = None) -> None:
        """Take part, until the conversation or the typing ends.

        Args:
            joining: As whom to join first, where they aren't there yet.

        Raises:
            SetupError: They don't take part, or nobody answers.
        """
        await self._enter(joining)
        tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._read())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._look()

    async def _enter(self, joining: Participant | None) -> None:
        speaker = self._room.speaker
        status = await self._first_status()
        if status is None:
            await self._look()
            return
        here = next((person for person in status.participants if person.id == speaker), None)
        if here is None:
            if joining is None:
                there = ", ".join(person.id for person in status.participants) or "nobody"
                raise SetupError(
                    f"'{speaker}' does not take part in '{self._room.conversation}'; there: {there} "
                    "(--join ROLE joins it)"
                )
            try:
                await self._room.send(Join(participant=joining))
            except (RefusedError, UnansweredError) as error:
                raise SetupError(f"'{speaker}' can't join '{self._room.conversation}': {error}") from error
            status = await self._first_status() or status
        elif here.key is None and self._room.signer is not None:
            self._screen.tell(f"-- '{speaker}' has no key here: what you type is not signed")
            self._room.signer = None
        for line in view.heading(status):
            self._screen.tell(line)
        await self._look()

    async def _first_status(self) -> Status | None:
        """Where it stands; nothing if it has ended."""
        clock = asyncio.get_running_loop().time
        enough = clock() + ANSWER_TIMEOUT.total_seconds()
        while True:
            try:
                return await self._room.status()
            except OverError:
                return None
            except UnansweredError as error:
                if clock() > enough:
                    raise SetupError(f"'{self._room.conversation}': {error}") from error
                await asyncio.sleep(QUICK_SECONDS)

    # What happens there

    async def _follow(self) -> None:
        pause = QUICK_SECONDS
        while not self._over:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._nudge.wait()
            before, nudged = self._seen, self._nudge.is_set()
            self._nudge.clear()
            await self._look()
            pause = QUICK_SECONDS if nudged or self._seen > before else min(pause * BACK_OFF, SLOW_SECONDS)

    async def _look(self) -> None:
        """Show what is new."""
        async with self._looking:
            if self._over:
                return
            try:
                await self._show_news()
            except UnansweredError as error:
                if not self._silent:
                    self._screen.tell(f"-- no answer now, trying on: {error}")
                self._silent = True
            else:
                self._silent = False

    async def _show_news(self) -> None:
        try:
            await self._show_open()
        except OverError:
            await self._show_end()

    async def _show_open(self) -> None:
        status = await self._room.status()
        if self._status is None or status.messages > self._seen:
            transcript = await self._room.transcript()
            if any(message.seq > status.messages for message in transcript.messages):
                # Something was said between the two answers, and has changed whose turn it is, or what is proposed.
                status = await self._room.status()
            if status.ended is not None:
                raise OverError
            self._show(transcript, status)
            self._seen = max(self._seen, status.messages)
            self._screen.know(status, transcript.messages)
        else:
            self._screen.know(status, ())
        self._status = status
        self._screen.stand(view.standing(status, self._room.speaker))

    def _show(self, transcript: Transcript, status: Status | None = None) -> None:
        """Show the messages that weren't shown yet."""
        left_out = transcript.omitted - self._seen
        for line in view.missed(transcript, left_out) if left_out > 0 else ():
            self._screen.tell(line)
        proposals = {proposal.number: proposal for proposal in status.proposals} if status else {}
        for message in transcript.messages:
            if message.seq > self._seen:
                self._screen.show(view.entry(message, proposals))
                self._seen = message.seq

    async def _show_end(self) -> None:
        end = await self._room.end()
        self._over = True
        self._show(end.transcript)
        for line in view.ending(end.ended) if end.ended else [f"-- ended without a result: {end.fault}"]:
            self._screen.tell(line)

    # What is typed

    async def _read(self) -> None:
        async for line in self._screen.lines():
            try:
                meant = parse(line, Author(self._room.speaker, uuid4().hex))
            except LineError as error:
                self._screen.tell(f"-- {error}")
                continue
            if meant is Look.QUIT or self._over:
                return
            if isinstance(meant, Look):
                self._answer(meant)
            elif meant is not None:
                await self._send(meant)
                if isinstance(meant, Leave):
                    return

    def _answer(self, look: Look) -> None:
        status = self._status
        if look is Look.HELP or status is None:
            lines: Iterable[str] = help_lines()
        else:
            lines = view.who(status) if look is Look.WHO else view.proposals(status)
        for line in lines:
            self._screen.tell(line)

    async def _send(self, message: Message) -> None:
        try:
            told = view.answered(await self._room.send(message))
        except RefusedError as error:
            told = f"not accepted: {error}"
        except UnansweredError as error:
            told = f"not answered: {error}"
        if told:
            self._screen.tell(f"-- {told}")
        await self._look()
        self._nudge.set()


def guest(speaker: str, role: str, name: str | None, key: str | None = None) -> Participant:
    """Who joins from a terminal.

    Raises:
        ValidationError: The role or the name can't be one.
    """
    return Participant(id=speaker, kind=Kind.HUMAN, role=role, name=name, key=key)
