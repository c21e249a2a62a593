"""Adaptation: what is seen of a conversation, and what is done about it."""

from datetime import datetime

from signals.wire import Wire
from workflows.conversation.coordination import Coordination
from workflows.conversation.state import ConversationState
from workflows.conversation.strategies import Strategy


class Observation(Strategy):
    """Something that is seen of a conversation."""

    def due(self, state: ConversationState, now: datetime) -> datetime | None:
        """When it may be seen by time alone; never, where it isn't about time."""
        return None


class Rule(Wire):
    """What is done when something is seen."""

    when: Observation

    @property
    def coordination(self) -> Coordination | None:
        """The way of taking turns that it changes to, if it does."""
        return None
