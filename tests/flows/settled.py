"""Compiled workflows that show what the settings change."""

import json
import warnings

from signals.participants import Kind, Participant, Permission
from workflows.compiled import compiled, step
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import ConversationPoint


@compiled
class Doubled:
    """Doubles a number that it reads, and doesn't look at what it read."""

    @step
    def number(self, request: str) -> int:
        """Read the number."""
        read: int = json.loads(request)
        return read

    @step(result=True)
    def doubled(self, number: int) -> int:
        """Double it."""
        return number * 2


def lunch(request: str) -> ConversationSetup:
    """Bob decides; all the rest is left to the settings."""
    bob = Participant(id="bob", kind=Kind.HUMAN, role="host", can=(Permission.SPEAK, Permission.DECIDE))
    return ConversationSetup(topic=request, participants=(bob,))


@compiled
class Lunch:
    """The conversation is the step."""

    @step(result=True, talk=ConversationPoint("lunch", lunch))
    def choice(self, request: str) -> str:
        """Let Bob choose."""
        raise NotImplementedError


with warnings.catch_warnings(action="ignore"):

    @compiled
    class Wasteful:
        """A step's result is not used, which only lenient and standard validation put up with."""

        @step
        def unused(self, request: str) -> int:
            """Compute in vain."""
            return len(request)

        @step(result=True)
        def used(self, request: str) -> str:
            """Compute."""
            return request


FLOWS: list[type] = [Doubled, Lunch]
