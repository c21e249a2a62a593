"""What is asked of a language model that takes part in a conversation, and what it gives."""

from pydantic import JsonValue

from signals.conversation import Recorded, Tokens
from signals.participants import Participant
from signals.wire import Identifier, Wire


class ReplyRequest(Wire):
    """Everything that a reply may be grounded in; bounded, so that a reply costs the same at any length."""

    conversation: str
    speaker: Participant
    """Whose reply it is."""

    others: tuple[Participant, ...]
    topic: str
    guidance: Identifier
    """The prompt file that says how to behave (`activities/prompts/GUIDANCE.md`)."""

    facts: dict[str, JsonValue]
    """What is known: the reply must not contradict it, nor invent what isn't in it."""

    messages: tuple[Recorded, ...]
    """The end of the transcript, as the speaker may see it, oldest first."""

    omitted: int
    """How many older messages are not in it."""


class Reply(Wire):
    """What a language model said."""

    text: str
    """Blank where it chose to say nothing."""

    model: str
    """The model that spoke."""

    tokens: Tokens = Tokens()
