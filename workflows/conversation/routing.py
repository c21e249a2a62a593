"""Routing: who is given a message. Whoever isn't finds it neither in their transcript nor in their prompt."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Annotated, Final, Literal

from pydantic import Field

from signals.conversation import Recorded
from signals.messages import Turn
from signals.participants import Participant
from signals.wire import Identifier
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
    """A turn that names people in `to` is given to them alone; an answer to one goes to no more people than it did."""

    kind: Literal["addressed"] = "addressed"

    def recipients(self, state: ConversationState, turn: Turn) -> tuple[str, ...]:
        """Whom a turn goes to; everybody where it is empty."""
        if turn.to or turn.in_reply_to is None:
            return turn.to
        answered = next((m for m in state.messages if m.seq == turn.in_reply_to), None)
        if answered is None or not answered.to or answered.speaker is None:
            return ()
        return tuple(dict.fromkeys((answered.speaker, *answered.to)))


class ByRole(RoutingStrategy):
    """Who is given a turn depends on its speaker's role.

    A turn that names people in `to` is given to those of them who may hear it. Who joins later is given what comes
    after that.

    Example:
        `{"kind": "by_role", "hears": {"customer": ["agent"]}}`: customers are given what customers and agents say
    """

    kind: Literal["by_role"] = "by_role"
    hears: dict[Identifier, tuple[Identifier, ...]] = Field(min_length=1, max_length=50)
    """For each role the roles that it hears beside its own; a role that isn't named hears everybody."""

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit the participants."""
        roles = {p.role for p in participants}
        for role, heard in self.hears.items():
            if unknown := next((name for name in (role, *heard) if name not in roles), None):
                there = ", ".join(sorted(roles))
                return f"hears.{role}: nobody has the role {unknown!r}; roles are: {there}"
        return None

    def recipients(self, state: ConversationState, turn: Turn) -> tuple[str, ...]:
        """Whom a turn goes to; everybody where it is empty."""
        speaker = state.members[turn.speaker].participant.role
        if not turn.to and all(self._hears(role, speaker) for role in self.hears):
            return ()
        given = [name for name, member in state.members.items() if self._hears(member.participant.role, speaker)]
        return _or_speaker(turn, [name for name in given if not turn.to or name in turn.to])

    def _hears(self, role: str, speaker: str) -> bool:
        return role == speaker or role not in self.hears or speaker in self.hears[role]


class ByTopic(RoutingStrategy):
    """A turn about a `topic` is given to those who follow it, and to those whom it names in `to`.

    A turn about nothing in particular is given to everybody. Who follows no topics, neither by the setup nor by
    `subscribe`, is given everything.

    Example:
        `{"kind": "by_topic", "subscriptions": {"alice": ["delivery"], "bob": ["delivery", "money"]}}`
    """

    kind: Literal["by_topic"] = "by_topic"
    subscriptions: dict[Identifier, tuple[Identifier, ...]] = Field(default={}, max_length=200)
    """The topics that participants follow at the beginning, by id."""

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit the participants."""
        ids = {p.id for p in participants}
        if unknown := next((name for name in self.subscriptions if name not in ids), None):
            return f"subscriptions.{unknown}: there is no such participant"
        return None

    def recipients(self, state: ConversationState, turn: Turn) -> tuple[str, ...]:
        """Whom a turn goes to; everybody where it is empty."""
        if turn.topic is None:
            return ()
        follows = {**self.subscriptions, **state.subscriptions}
        given = [
            name for name in state.members if name in turn.to or name not in follows or turn.topic in follows[name]
        ]
        return _or_speaker(turn, given)


def _or_speaker(turn: Turn, given: Sequence[str]) -> tuple[str, ...]:
    # Empty would mean everybody.
    return tuple(name for name in given if name != turn.speaker) or (turn.speaker,)


ROUTING: Final = Family[RoutingStrategy]("routing")
ROUTING.add(Broadcast, Addressed, ByRole, ByTopic)

Routing = Annotated[RoutingStrategy, ROUTING]
"""Any routing strategy, told apart by `kind`."""


def told_of(routing: RoutingStrategy, state: ConversationState, asker: str) -> tuple[str, ...]:
    """Who is told what became of a request, beside who made it: whoever is given their turns.

    Args:
        routing: How messages go.
        state: Where the conversation stands.
        asker: Who made it.

    Returns:
        Ids; everybody where it is empty, so an asker alone is named.
    """
    if asker not in state.members:
        return (asker,)  # they left long ago
    return routing.recipients(state, Turn(speaker=asker, text="?"))


def visible(message: Recorded, participant: str) -> bool:
    """Tell whether a participant is given a message."""
    return not message.to or participant == message.speaker or participant in message.to


def seen_by(messages: Iterable[Recorded], participant: str | None) -> tuple[Recorded, ...]:
    """The messages that a participant is given; all of them for nobody in particular (an operator)."""
    return tuple(m for m in messages if participant is None or visible(m, participant))
