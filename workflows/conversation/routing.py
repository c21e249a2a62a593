"""Routing: who is given a message. Whoever isn't finds it neither in their transcript nor in their prompt."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Annotated, Final, Literal

from signals.conversation import Recorded
from signals.messages import Turn
from signals.participants import Participant
from workflows.conversation.state import ConversationState
from workflows.conversation.strategies import Family, Strategy


class RoutingStrategy(Strategy):
    """A way of giving messages to people."""

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit the participants, beginning with its name; nothing where all do."""
        return None

    @abstractmethod
    def recipients(self, state: ConversationState, turn: Turn) -> tuple[str, ...]:
        """Whom a turn goes to, beside its speaker; everybody where it is empty, so a speaker alone is named."""


class Broadcast(RoutingStrategy):
    """Everybody is given everything; `to` only says who is meant. The default."""

    kind: Literal["broadcast"] = "broadcast"

    def recipients(self, state: ConversationState, turn: Turn) -> tuple[str, ...]:
        """Whom a turn goes to; everybody where it is empty."""
        return ()


class Addressed(RoutingStrategy):
    """A turn that names people in `to` is given to them alone."""

    kind: Literal["addressed"] = "addressed"

    def recipients(self, state: ConversationState, turn: Turn) -> tuple[str, ...]:
        """Whom a turn goes to; everybody where it is empty."""
        return turn.to


ROUTING: Final = Family[RoutingStrategy]("routing")
ROUTING.add(Broadcast, Addressed)

Routing = Annotated[RoutingStrategy, ROUTING]
"""Any routing strategy, told apart by `kind`."""


def visible(message: Recorded, participant: str) -> bool:
    """Tell whether a participant is given a message."""
    return not message.to or participant == message.speaker or participant in message.to


def seen_by(messages: Iterable[Recorded], participant: str | None) -> tuple[Recorded, ...]:
    """The messages that a participant is given; all of them for nobody in particular (an operator)."""
    return tuple(m for m in messages if participant is None or visible(m, participant))
