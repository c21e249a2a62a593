"""What happens to a conversation, and what it wants done about it: plain data, no side effects."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from signals.assistant import Finding, Reply
from signals.conversation import Invocation, Recorded, Rejection
from signals.fragments import FragmentOffer
from signals.messages import Answer, Message
from signals.notices import Waiting


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
class Consulted:
    """A language model has answered a question."""

    number: int
    finding: Finding
    at: datetime


@dataclass(frozen=True, slots=True)
class ConsultFailed:
    """A language model can't answer a question."""

    number: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FragmentDone:
    """A fragment has come to its end."""

    number: int
    result: JsonValue
    at: datetime


@dataclass(frozen=True, slots=True)
class FragmentFailed:
    """A fragment failed, was cancelled, or couldn't be started."""

    number: int
    type: str
    """The type of its error."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """People were told that they are waited for, or couldn't be."""

    waiting: Waiting
    fault: str | None
    """Why not, where they couldn't be."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Dismissed:
    """The run that holds the conversation goes on otherwise."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TimePassed:
    """The time came that the conversation waited for."""

    at: datetime


Event = (
    Received
    | Misfit
    | Replied
    | ReplyFailed
    | Consulted
    | ConsultFailed
    | FragmentDone
    | FragmentFailed
    | Told
    | Dismissed
    | TimePassed
)


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


@dataclass(frozen=True, slots=True)
class Consult:
    """Have a language model answer a question; the state has it under this number."""

    number: int


@dataclass(frozen=True, slots=True)
class RunFragment:
    """Run a fragment, and wait for its end unless it is detached."""

    invocation: Invocation
    offer: FragmentOffer


@dataclass(frozen=True, slots=True)
class AwaitFragment:
    """Wait for the end of a fragment that an earlier run of the conversation started."""

    invocation: Invocation


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell people, outside the conversation, that they are waited for."""

    waiting: Waiting


Effect = Ask | CancelReply | Consult | RunFragment | AwaitFragment | Tell


@dataclass(frozen=True, slots=True)
class Reaction:
    """What became of an event."""

    effects: tuple[Effect, ...] = ()
    recorded: tuple[Recorded, ...] = ()
    """The messages that were recorded meanwhile."""

    answer: Answer | None = None
    """For an accepted message."""

    rejection: Rejection | None = None
    """For a refused one."""
