"""What is asked of a language model that takes part in a conversation, and what it gives."""

from enum import StrEnum

from pydantic import Field, JsonValue

from signals.conversation import Proposal, Recorded, Tokens
from signals.messages import Grant, InvocationMode, Invoke, Propose, Vote
from signals.participants import Participant
from signals.wire import Identifier, Wire


class Tool(Wire):
    """A fragment that a language model may ask to have run."""

    name: Identifier
    about: str
    context: dict[str, JsonValue]
    """The JSON Schema of what it may be given. Nothing in it is required: what is left out is asked for."""

    modes: tuple[InvocationMode, ...]


class Grounds(Wire):
    """What a language model is told; bounded, so that an answer costs the same at any length."""

    conversation: str
    topic: str
    facts: dict[str, JsonValue]
    """What is known: the answer must not contradict it, nor invent what isn't in it."""

    summary: str | None = None
    """What the older messages come to."""

    messages: tuple[Recorded, ...]
    """The end of the transcript, as the speaker may see it (as everybody may, where nobody speaks), oldest first."""

    omitted: int
    """How many older messages are not in it."""


class ReplyRequest(Grounds):
    """Everything that a reply may be grounded in."""

    speaker: Participant
    """Whose reply it is."""

    replies: int = 0
    """How many replies it has given so far, blank ones too: the same for a reply that is asked for again."""

    others: tuple[Participant, ...]
    guidance: Identifier
    """The prompt file that says how to behave (`activities/prompts/GUIDANCE.md`)."""

    proposals: tuple[Proposal, ...] = ()
    """What may be voted on."""

    outcome: dict[str, JsonValue] | None = None
    """The JSON Schema that a proposal must fit; any outcome will do where there is none."""

    tools: tuple[Tool, ...] = ()
    """The fragments that the speaker may invoke."""


Action = Propose | Vote | Invoke | Grant
"""What a reply may do beside saying something: what people may do too, and held to the same rules."""


class Reply(Wire):
    """What a language model said and wants done."""

    text: str
    """Blank where it chose to say nothing."""

    to: tuple[Identifier, ...] = Field(default=(), max_length=50)
    """Whom it is for; everybody where it is empty."""

    actions: tuple[Action, ...] = Field(default=(), max_length=10)
    """Done in their order, after what it says; each has the speaker's own id in `speaker`."""

    hand_off: Identifier | None = None
    """The person who is to go on in its place: it is not asked again until somebody addresses it."""

    model: str
    """The model that spoke."""

    tokens: Tokens = Tokens()
    cost: float = Field(default=0, ge=0)
    """In US dollars; 0 where the model's price isn't known."""


class Purpose(StrEnum):
    """What a language model is consulted for, beside replying."""

    CHOOSE = "choose"
    """Who is to speak next."""

    JUDGE = "judge"
    """Whether something is so."""

    SUMMARISE = "summarise"
    """What was said so far."""


class Consultation(Grounds):
    """A question about a conversation, that nobody in it hears."""

    purpose: Purpose
    number: int = Field(default=1, ge=1)
    """Counts the questions of this purpose in the conversation."""

    model: str | None = None
    """The language model that answers; the worker's own where there is none."""

    question: str
    """What it is to go by: how to choose, or what to judge."""

    candidates: tuple[Participant, ...] = ()
    """Among whom to choose."""


class Finding(Wire):
    """The answer to a consultation."""

    choice: str | None = None
    """Who is to speak; whatever the model said, it may be nobody's id."""

    verdict: bool | None = None
    """Whether it is so."""

    text: str = ""
    """The reason, or the summary."""

    model: str
    tokens: Tokens = Tokens()
    cost: float = Field(default=0, ge=0)
    """In US dollars; 0 where the model's price isn't known."""
