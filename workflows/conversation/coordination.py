"""Coordination: who may speak now, and which AI participants are asked to."""

from abc import abstractmethod
from typing import Annotated, Final, Literal

from workflows.conversation.state import ConversationState
from workflows.conversation.strategies import Family, Strategy


class CoordinationStrategy(Strategy):
    """A way of taking turns."""

    @abstractmethod
    def next_floor(self, state: ConversationState, after: str | None) -> str | None:
        """Choose who has the floor once `after` has spoken, or left; nobody where it is nobody's."""

    @abstractmethod
    def may_speak(self, state: ConversationState, speaker: str) -> bool:
        """Tell whether somebody may speak now."""

    @abstractmethod
    def to_ask(self, state: ConversationState) -> list[str]:
        """The AI participants that are to reply now."""


class TurnBased(CoordinationStrategy):
    """The floor goes round, in the order in which participants joined. The default."""

    kind: Literal["turn_based"] = "turn_based"

    def next_floor(self, state: ConversationState, after: str | None) -> str | None:
        """Choose who has the floor once `after` has spoken, or left.

        AI participants that all have passed since somebody last spoke are left out, so that they can't go
        round among themselves for ever with nothing to say.
        """
        speakers = state.speakers
        if state.passes >= max(1, sum(not state.members[name].is_person for name in speakers)):
            speakers = [name for name in speakers if state.members[name].is_person]
        if not speakers:
            return None
        order = list(state.members)
        start = order.index(after) + 1 if after is not None else 0
        waiting = set(speakers)
        return next(name for name in order[start:] + order[:start] if name in waiting)

    def may_speak(self, state: ConversationState, speaker: str) -> bool:
        """Tell whether it is somebody's turn."""
        return state.floor == speaker

    def to_ask(self, state: ConversationState) -> list[str]:
        """The AI participants that are to reply now: the one that has the floor."""
        return [state.floor] if state.floor is not None and not state.members[state.floor].is_person else []


class FreeForm(CoordinationStrategy):
    """Anybody may speak at any time; AI participants answer what people say to them."""

    kind: Literal["free_form"] = "free_form"

    def next_floor(self, state: ConversationState, after: str | None) -> str | None:
        """The floor is nobody's."""
        return None

    def may_speak(self, state: ConversationState, speaker: str) -> bool:
        """Everybody may."""
        return True

    def to_ask(self, state: ConversationState) -> list[str]:
        """The AI participants that a person spoke to since they were last asked."""
        return [name for name in state.speakers if state.members[name].unheard]


COORDINATION: Final = Family[CoordinationStrategy]("coordination")
COORDINATION.add(TurnBased, FreeForm)

Coordination = Annotated[CoordinationStrategy, COORDINATION]
"""Any coordination strategy, told apart by `kind`."""
