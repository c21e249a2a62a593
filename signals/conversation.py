"""What a conversation shows and leaves behind: its record, its status, its result."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import Field, JsonValue

from signals.errors import ErrorType
from signals.messages import InvocationMode
from signals.modes import Mode
from signals.participants import Participant
from signals.wire import Brief, Wire

MAX_REJECTIONS_KEPT: Final = 50


class MessageKind(StrEnum):
    """What a message records."""

    TURN = "turn"
    PROPOSAL = "proposal"
    VOTE = "vote"
    FRAGMENT = "fragment"
    """About a fragment that somebody asked for: the request, what is missing, what it gave, why it failed."""

    SYSTEM = "system"
    """Said by the conversation itself: who joined or left, what failed, why it ended."""


class Recorded(Wire):
    """One message of the transcript.

    Example:
        `{"seq": 7, "at": "2026-01-05T10:00:00Z", "kind": "turn", "speaker": "alice", "text": "Hello"}`
    """

    seq: int = Field(ge=1)
    """Its number in the conversation, from 1, without gaps."""

    at: datetime
    kind: MessageKind
    speaker: str | None = None
    """Who said it; nobody for a system message."""

    text: str
    to: tuple[str, ...] = ()
    """Who can see it beside its speaker; everybody where it is empty."""

    in_reply_to: int | None = None
    id: str | None = None
    """The sender's own id for it."""

    proposal: int | None = None
    """The number of the proposal that it puts forward or votes on."""

    fragment: int | None = None
    """The number of the invocation that it is about."""

    topic: str | None = None


class Transcript(Wire):
    """The recent messages that one participant, or an operator, may see."""

    conversation: str
    participant: str | None = None
    """For whom it was made; for an operator (all messages) where there is none."""

    messages: tuple[Recorded, ...]
    omitted: int = 0
    """How many older messages (of everybody) are left out here; they are in the history of the conversation."""

    summary: str | None = None
    """What the ones left out come to, where the conversation keeps a summary; it is of what everybody may see."""


class StopReason(StrEnum):
    """Why a conversation ended."""

    DECISION = "decision"
    CONSENSUS = "consensus"
    TURNS = "turns"
    SILENCE = "silence"
    DEADLINE = "deadline"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    EVERYONE_LEFT = "everyone_left"
    QUORUM = "quorum"
    FACT = "fact"
    """Something became known."""

    JUDGED = "judged"
    """A language model found that it has come to its end."""

    BUDGET = "budget"
    """The language models have used what they may."""

    SWITCH = "switch"
    """It asks for another mode."""

    FALLBACK = "fallback"
    """Nobody answered, and there was nobody else to ask."""


class Proposal(Wire):
    """An outcome that somebody put forward."""

    number: int = Field(ge=1)
    """Its number among the proposals of the conversation."""

    seq: int = Field(ge=1)
    """The number of the message that put it forward."""

    speaker: str
    outcome: JsonValue
    approved_by: dict[str, int] = Field(default={})
    """Who approves it, with the number of the message that says so; its speaker does."""

    refused_by: dict[str, int] = Field(default={})


class Ended(Wire):
    """How a conversation ended."""

    stop: StopReason
    at: datetime
    reason: str
    """In words."""

    outcome: JsonValue = None
    decided_by: tuple[str, ...] = ()
    """Who made the outcome what it is; nobody where there is none."""

    evidence: tuple[int, ...] = ()
    """The numbers of the messages that show it."""

    switch_to: Mode | None = None
    """The mode that it asks for, where it does."""


class Tokens(Wire):
    """What language models used."""

    input: int = 0
    output: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(input=self.input + other.input, output=self.output + other.output)


class InvocationStatus(StrEnum):
    """Where the run of a fragment stands."""

    ASKING = "asking"
    """Something that it needs isn't known; the conversation asks for it."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DETACHED = "detached"
    """It runs for itself."""


class Invocation(Wire):
    """A fragment that somebody asked for."""

    number: int = Field(ge=1)
    """Its number among those of the conversation."""

    fragment: str
    speaker: str
    mode: InvocationMode
    status: InvocationStatus
    arguments: dict[str, JsonValue] = Field(default={})
    """What it is given, as far as it is known."""

    missing: tuple[str, ...] = ()
    """What isn't known yet."""

    seq: int
    """The number of the message that asked for it, or for what is missing: an answer names it in `in_reply_to`."""

    workflow_id: str | None = None
    """Where it runs, once it does."""


class Status(Wire):
    """Where a conversation stands."""

    conversation: str
    topic: str
    open: bool
    floor: str | None
    """Who has the floor; nobody where anybody may speak."""

    awaiting: tuple[str, ...]
    """The people it waits for."""

    replying: tuple[str, ...]
    """The AI participants that are working on a reply."""

    participants: tuple[Participant, ...]
    messages: int
    turns: int
    held: int
    """Turns that wait for their speaker to have the floor."""

    proposals: tuple[Proposal, ...]
    fragments: tuple[str, ...] = ()
    """The fragments that may be invoked here."""

    invocations: tuple[Invocation, ...] = ()
    """Those that are asked for or running."""

    facts: dict[str, JsonValue] = Field(default={})
    """What is known."""

    rejections: int
    tokens: Tokens
    cost: float = 0
    """What language models cost, in US dollars, as far as their prices are known."""

    due: datetime | None
    """When it ends by itself at the latest, if nobody says anything."""

    ended: Ended | None = None


class Rejection(Wire):
    """A message that was not accepted, and why."""

    at: datetime
    signal: str
    speaker: str | None
    type: ErrorType
    reason: Brief


class Rejections(Wire):
    """What was not accepted: the last ones, and how many there were."""

    total: int = 0
    recent: tuple[Rejection, ...] = ()

    def adding(self, rejection: Rejection) -> "Rejections":
        """The same with one more; the oldest are left out beyond `MAX_REJECTIONS_KEPT`."""
        return Rejections(total=self.total + 1, recent=(*self.recent, rejection)[-MAX_REJECTIONS_KEPT:])


class ConversationResult(Wire):
    """The result of a `Conversation`."""

    conversation: str
    stop: StopReason
    reason: str
    outcome: JsonValue = None
    decided_by: tuple[str, ...] = ()
    evidence: tuple[int, ...] = ()
    turns: int
    messages: int
    started: datetime
    ended: datetime
    tokens: Tokens
    cost: float = 0
    """What language models cost, in US dollars, as far as their prices are known."""

    facts: dict[str, JsonValue] = Field(default={})
    """What was known at the end."""

    invocations: tuple[Invocation, ...] = ()
    """The fragments that were asked for, the latest ones; one that is running goes on for itself."""

    switch_to: Mode | None = None
    """The mode that it asked for, where it did."""

    last_messages: tuple[Recorded, ...] = ()
    """The end of the transcript."""
