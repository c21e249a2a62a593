"""What a conversation is at a moment: all that survives continue-as-new, in one model.

Nothing in it grows with the number of turns: the messages are a window, duplicates are remembered by
short digests, and everything else is bounded by the number of participants.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import accumulate
from typing import Final

from pydantic import BaseModel, ConfigDict

from signals.conversation import Ended, Proposal, Recorded, Rejections, Tokens
from signals.messages import Turn
from signals.participants import Kind, Participant, Permission

MAX_HELD: Final = 64
"""Turns that may wait for their speaker to have the floor, of all speakers together."""

MAX_HELD_BYTES: Final = 128 * 1024
"""What those turns may have together, in bytes of JSON."""

MAX_WINDOW_BYTES: Final = 256 * 1024
"""Messages that a continued run takes along, in bytes of JSON: the older ones are left behind first."""

MAX_CARRIED_BYTES: Final = 1024 * 1024
"""All that a continued run takes along, in bytes of JSON; what isn't messages has bounds that keep it below."""

MAX_ABSENT: Final = 50
"""People who left that are remembered, beyond those that there is room for anyway."""

MAX_OPEN_PROPOSALS: Final = 10
MAX_FAILURES: Final = 3
"""Failed replies in a row after which an AI participant is asked no more."""

REMEMBERED_IDS: Final = 500
"""Turn ids remembered over continue-as-new: the latest ones. Within a run all of them are."""

HELD: Final = 0
"""Stands for a message's number while a turn is held."""


class Member(BaseModel):
    """A participant's standing."""

    model_config = ConfigDict(extra="forbid")

    participant: Participant
    present: bool = True
    turns: int = 0
    unheard: bool = False
    """AI: whether a person said something that it has not been asked about."""

    failures: int = 0
    """AI: replies that failed, in a row."""

    asks: int = 0
    """AI: how often it was asked; the number tells a reply that still counts from one that was cancelled."""

    @property
    def can_speak(self) -> bool:
        """Whether they are here, may speak, and (an AI participant) are able to."""
        return self.present and self.participant.may(Permission.SPEAK) and self.failures < MAX_FAILURES

    @property
    def is_person(self) -> bool:
        """Whether it is a human."""
        return self.participant.kind is Kind.HUMAN


class ConversationState(BaseModel):
    """The state of a conversation; `machine` changes it, everybody else reads it."""

    model_config = ConfigDict(extra="forbid")

    conversation: str
    """The workflow id."""

    started: datetime
    last_activity: datetime
    """When somebody last said, proposed or voted something."""

    members: dict[str, Member] = {}
    """By id, in the order in which they joined; those who left stay, marked."""

    messages: list[Recorded] = []
    """The window: the latest messages."""

    seq: int = 0
    """The number of the latest message."""

    turns: int = 0
    floor: str | None = None
    held: list[Turn] = []
    replying: dict[str, int] = {}
    """AI participants at work, with the number of the ask."""

    passes: int = 0
    """Asks in a row that gave no turn."""

    proposals: list[Proposal] = []
    proposal_count: int = 0
    seen: dict[str, int] = {}
    """Digests of turn ids, with the message's number, or `HELD`."""

    rejections: Rejections = Rejections()
    tokens: Tokens = Tokens()
    ended: Ended | None = None

    @property
    def present(self) -> list[Member]:
        """Who is here, in the order in which they joined."""
        return [member for member in self.members.values() if member.present]

    @property
    def speakers(self) -> list[str]:
        """The ids of those who can speak now, in the order in which they joined."""
        return [name for name, member in self.members.items() if member.can_speak]

    @property
    def omitted(self) -> int:
        """How many messages are older than the window."""
        return self.seq - len(self.messages)

    def carried(self) -> "ConversationState":
        """The state as a continued run takes it up: at most `MAX_CARRIED_BYTES`, whatever was said."""
        latest = set(list(self.seen)[-REMEMBERED_IDS:])
        seen = {key: seq for key, seq in self.seen.items() if key in latest or seq == HELD}
        bare = self.model_copy(update={"messages": [], "seen": seen})
        room = min(MAX_WINDOW_BYTES, MAX_CARRIED_BYTES - json_size(bare))
        kept = self.messages[len(self.messages) - count_latest(self.messages, room) :]
        return bare.model_copy(update={"messages": kept})


def json_size(model: BaseModel) -> int:
    """How much room a model takes where it is written, in bytes of JSON: text may take six times its own."""
    return len(model.model_dump_json().encode())


def count_latest(messages: Sequence[Recorded], most: int) -> int:
    """Count how many of the latest messages have at most so many bytes of JSON together."""
    sizes = accumulate(json_size(message) + len(",") for message in reversed(messages))
    return sum(size <= most for size in sizes)


def digest(turn: Turn) -> str | None:
    """Shorten a turn's id to 64 bits, so that remembering it costs the same whatever its length.

    Ids are the sender's own, so two speakers may use the same one. Two ids of the 500 remembered ones share
    a digest once in 10^16 turns.
    """
    if turn.id is None:
        return None
    return blake2b(f"{turn.speaker}\n{turn.id}".encode(), digest_size=8).hexdigest()
