"""What people are told, outside a conversation, when it waits for them."""

from datetime import datetime

from signals.participants import Participant
from signals.wire import Wire


class Waiting(Wire):
    """Somebody is waited for.

    Example:
        `{"conversation": "order-1/refused-1", "topic": "Refund", "people": [{"id": "bob", "kind": "human",
            "role": "agent"}], "since": "2026-01-05T10:00:00Z", "reminder": 1, "message": 7, "text": "Where is it?"}`
    """

    conversation: str
    topic: str
    people: tuple[Participant, ...]
    """Who is waited for: the first of them to answer is enough."""

    since: datetime
    reminder: int
    """Counts what was told about this wait, from 1."""

    message: int
    """The number of the last message."""

    text: str
    """What it says, as far as all of these people may see it, cut to 500 characters."""


class Told(Wire):
    """What became of telling people."""

    delivered: int
    """How many webhooks took it."""
