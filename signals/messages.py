"""What participants send: one model for each signal, and for the update of the same shape."""

from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import Field, JsonValue, StringConstraints

from signals.modes import Mode
from signals.participants import Participant
from signals.wire import Arguments, Identifier, Outcome, Text, Wire

TurnId = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Signal(Wire):
    """What is sent to a workflow, as a signal or as an update."""

    signal: ClassVar[str]
    """The name of the signal that carries it."""

    about: ClassVar[str]
    """What it is for, in a line, as the Web UI shows it."""


class Signature(Wire):
    """The proof that a message is from who has the participant's key, for one conversation, and new.

    Example:
        `{"number": 1795640000000000, "value":
            "pKvURIxJVi2CgRXROh/M6pJ/UrTVRZKX+LQ+QtqJI4vBNibkPcs43bCCSIkn7JBPtCBXRDmD6IWFF51QVRr+Yg=="}`
    """

    number: int = Field(ge=1, lt=2**53)
    """The time in microseconds since 1970; greater than in every message that the same participant signed before."""

    value: str = Field(pattern=r"^[A-Za-z0-9+/]{86}==$")
    """The Ed25519 signature in base64; docs/security.md says of what."""


class Sent(Signal):
    """What every message to a conversation has."""

    conversation: str | None = Field(default=None, max_length=1000)
    """Which conversation of a run it is for: needed only where two or more are open."""

    signature: Signature | None = None
    """Needed where the participant has a key."""

    @property
    def sender(self) -> str:
        """The id of who sent it."""
        raise NotImplementedError


class _BySpeaker(Sent):
    speaker: Identifier

    @property
    def sender(self) -> str:
        """The speaker's id."""
        return self.speaker


class Turn(_BySpeaker):
    """Say something.

    Example:
        `{"speaker": "alice", "text": "Where is my parcel?", "id": "m-17"}`
    """

    signal = "turn"
    about = "Say something in the conversation."

    text: Text
    to: tuple[Identifier, ...] = Field(default=(), max_length=50)
    """Whom it is for; everybody where it is empty."""

    id: TurnId | None = None
    """The sender's own id for it: a second turn with the same id is a duplicate and changes nothing."""

    in_reply_to: int | None = Field(default=None, ge=1)
    """The number of the message that it answers."""

    topic: Identifier | None = None
    """What it is about, where turns go by topic."""


class Join(Sent):
    """Take part from now on.

    Example:
        `{"participant": {"id": "carol", "kind": "human", "role": "expert"}}`
    """

    signal = "join"
    about = "Take part in the conversation from now on."

    participant: Participant

    @property
    def sender(self) -> str:
        """The id of who wants to take part."""
        return self.participant.id


class Leave(_BySpeaker):
    """Take part no longer.

    Example:
        `{"speaker": "carol", "reason": "my shift is over"}`
    """

    signal = "leave"
    about = "Leave the conversation."

    reason: Text | None = None


class Propose(_BySpeaker):
    """Put an outcome forward.

    Example:
        `{"speaker": "bob", "outcome": {"action": "refund", "amount": "20.00"}, "comment": "fair"}`
    """

    signal = "propose"
    about = "Propose an outcome; a proposal by somebody who may decide is a decision."

    outcome: Outcome
    comment: Text | None = None


class Vote(_BySpeaker):
    """Approve or refuse a proposal.

    Example:
        `{"speaker": "alice", "proposal": 1, "approve": true}`
    """

    signal = "vote"
    about = "Approve or refuse a proposal, by its number."

    proposal: int = Field(ge=1)
    approve: bool
    comment: Text | None = None


class InvocationMode(StrEnum):
    """How a conversation runs a fragment."""

    SYNCHRONOUS = "synchronous"
    """The conversation waits for it: turns are held until it is done."""

    ASYNCHRONOUS = "asynchronous"
    """The conversation goes on; the result is told when it is there."""

    DETACHED = "detached"
    """It runs for itself; nobody waits for its result."""


class Invoke(_BySpeaker):
    """Have a workflow fragment run.

    Example:
        `{"speaker": "bob", "fragment": "OrderStatus", "arguments": {"order_id": "A-1001"}}`
    """

    signal = "invoke"
    about = "Run a workflow fragment; what it needs and nobody knows is asked for in the conversation."

    fragment: Identifier
    arguments: Arguments = Field(default={})
    """What it is to be given, by name; what is missing is taken from the known facts, then asked for."""

    mode: InvocationMode | None = None
    """The fragment's own first mode where there is none."""

    id: TurnId | None = None
    """The sender's own id for it: a second request with the same id is a duplicate and changes nothing."""


class Grant(_BySpeaker):
    """Give somebody the floor; to an AI participant whose budget is spent, give the same again.

    Example:
        `{"speaker": "bob", "to": "alice"}`
    """

    signal = "grant"
    about = "Give somebody the floor."

    to: Identifier


class Subscribe(_BySpeaker):
    """Be given the turns about these topics from now on, and about no others.

    Example:
        `{"speaker": "alice", "topics": ["delivery"]}`
    """

    signal = "subscribe"
    about = "Choose the topics whose turns you are given, where turns go by topic."

    topics: tuple[Identifier, ...] = Field(max_length=50)


class Interrupt(_BySpeaker):
    """Stop the reply that an AI participant is working on; what was said stays.

    Example:
        `{"speaker": "bob"}`
    """

    signal = "interrupt"
    about = "Stop the AI replies under way; what was said stays."


class Close(_BySpeaker):
    """End the conversation without an outcome.

    Example:
        `{"speaker": "bob", "reason": "solved on the phone"}`
    """

    signal = "close"
    about = "End the conversation without an outcome."

    reason: Text | None = None


Message = Turn | Join | Leave | Propose | Vote | Invoke | Grant | Subscribe | Interrupt | Close

MESSAGES: Final[tuple[type[Message], ...]] = (
    Turn,
    Join,
    Leave,
    Propose,
    Vote,
    Invoke,
    Grant,
    Subscribe,
    Interrupt,
    Close,
)


class RequestConversation(Signal):
    """Ask a run for a conversation, where its workflow lets one be asked for.

    Example:
        `{"requestor": "alice", "reason": "I want to explain", "point": "help"}`
    """

    signal = "request_conversation"
    about = "Ask the run for a conversation."

    requestor: Identifier
    reason: Text | None = None
    participants: tuple[Participant, ...] = Field(default=(), max_length=50)
    """Who else should take part, beside those of the point's own setup."""

    point: Identifier | None = None
    """Which conversation point; the first that may be asked for where there is none."""


class SwitchMode(Signal):
    """Ask a run to go on in another mode.

    Example:
        `{"to": "conversation", "requested_by": "bob", "reason": "the customer is on the phone"}`
    """

    signal = "switch_mode"
    about = "Have the run go on in another mode: workflow, conversation or hybrid."

    to: Mode
    requested_by: Identifier
    reason: Text | None = None


class Dismiss(Signal):
    """Break a conversation off: the run that holds it goes on otherwise. What was said stays.

    Example:
        `{"reason": "bob asks for it"}`
    """

    signal = "dismiss"
    about = "Break the conversation off, for the run that holds it."

    reason: Text


class Accepted(Wire):
    """What the update of a request to a run answers."""

    accepted: str
    """What is done about it."""


class MessageTo(Wire):
    """A message that a run passes on to one of its conversations."""

    conversation: str
    """The workflow id of the conversation."""

    signal: str
    message: dict[str, JsonValue]


class Disposition(StrEnum):
    """What became of an accepted message."""

    RECORDED = "recorded"
    HELD = "held"
    """Out of turn: kept in order, recorded when its speaker has the floor."""

    DUPLICATE = "duplicate"


class Answer(Wire):
    """What an update answers.

    Example:
        `{"disposition": "recorded", "seq": 7}`
    """

    disposition: Disposition
    seq: int | None = None
    """The number of the message that records it; none while it is held."""
