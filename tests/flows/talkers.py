"""AI participants for tests: what they say is known beforehand, and when, if the test says so."""

import asyncio
from collections import defaultdict
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum

from temporalio import activity
from temporalio.exceptions import ApplicationError

from signals.assistant import Reply, ReplyRequest
from signals.conversation import Tokens
from signals.errors import ErrorType
from signals.participants import Kind, Participant
from workflows.conversation.stubs import Assistant

HEARTBEAT = 0.5
"""Seconds between two signs of life of who waits."""

SOON = timedelta(milliseconds=1)


class Manner(StrEnum):
    """How an AI participant speaks; its `model`."""

    ECHO = "echo"
    """Repeats the last message, at once."""

    PATIENT = "patient"
    """The same, when the test lets it go on."""

    HOARSE = "hoarse"
    """The same, at its second try."""

    MUTE = "mute"
    """Can't speak, and trying again would not help."""


def talker(manner: Manner, name: str = "bot") -> Participant:
    """An AI participant that speaks so."""
    return Participant(id=name, kind=Kind.AI, role="assistant", model=manner)


class Talkers(Assistant):
    """Speaks for AI participants in their manner."""

    def __init__(self) -> None:
        self._gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.requests: defaultdict[str, list[ReplyRequest]] = defaultdict(list)
        """What they were asked with, by conversation."""

    def let_go(self, conversation: str) -> None:
        """Let those who wait in a conversation go on."""
        self._gates[conversation].set()

    def let_all_go(self) -> None:
        """Let everybody go on."""
        for gate in self._gates.values():
            gate.set()

    @activity.defn(name="reply")
    async def reply(self, request: ReplyRequest) -> Reply:
        """Say the next thing.

        Raises:
            ApplicationError: The speaker can't, or not yet.
        """
        self.requests[request.conversation].append(request)
        match request.speaker.model:
            case Manner.PATIENT:
                await self._wait(self._gates[request.conversation])
            case Manner.HOARSE if activity.info().attempt == 1:
                raise ApplicationError("a frog in the throat", next_retry_delay=SOON)
            case Manner.MUTE:
                raise ApplicationError("no voice", type=ErrorType.ASSISTANT_FAILED, non_retryable=True)
        heard = request.messages[-1].text if request.messages else "silence"
        return Reply(text=f"I heard: {heard}", model="echo", tokens=Tokens(input=10, output=3))

    async def _wait(self, gate: asyncio.Event) -> None:
        while not gate.is_set():
            activity.heartbeat()
            with suppress(TimeoutError):
                await asyncio.wait_for(gate.wait(), HEARTBEAT)
