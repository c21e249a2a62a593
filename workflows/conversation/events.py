"""What happens to a conversation, and what it wants done about it: plain data, no side effects."""

from dataclasses import dataclass
from datetime import datetime

from signals.assistant import Reply
from signals.conversation import Rejection
from signals.messages import Answer, Message


@dataclass(frozen=True, slots=True)
class Received:
    """A message came in."""

    message: Message
    at: datetime


@dataclass(frozen=True, slots=True)
class Misfit:
    """Something came in that is no message: unknown, malformed, or with the wrong number of inputs."""

    signal: str
    speaker: str | None
    """Who it claims to be from, if it says so."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Replied:
    """An AI participant's reply is there."""

    speaker: str
    ask: int
    reply: Reply
    at: datetime


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """An AI participant can't reply."""

    speaker: str
    ask: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TimePassed:
    """The time came that the conversation waited for."""

    at: datetime


Event = Received | Misfit | Replied | ReplyFailed | TimePassed


@dataclass(frozen=True, slots=True)
class Ask:
    """Have an AI participant reply."""

    speaker: str
    ask: int


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Stop the reply that an AI participant is working on."""

    speaker: str
    ask: int


Effect = Ask | CancelReply


@dataclass(frozen=True, slots=True)
class Reaction:
    """What became of an event."""

    effects: tuple[Effect, ...] = ()
    answer: Answer | None = None
    """For an accepted message."""

    rejection: Rejection | None = None
    """For a refused one."""
