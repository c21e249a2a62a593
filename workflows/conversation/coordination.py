"""Coordination: who may be given the floor, who gets it, and which AI participants are asked to reply.

Who *may* speak next (`candidates`) is kept apart from who *does* (`choose`).
"""

from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from signals.participants import Participant
from workflows.conversation.state import ConversationState
from workflows.conversation.strategies import Family, Strategy


@dataclass(frozen=True, slots=True)
class Given:
    """The floor goes to somebody. Of several the first to speak takes it; nobody has it where there is nobody."""

    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Everybody:
    """The floor is nobody's: anybody may speak at any time."""


@dataclass(frozen=True, slots=True)
class AskModel:
    """A language model is to choose among the candidates."""

    question: str
    candidates: tuple[str, ...]
    model: str | None
    attempts: int
    """How often it is asked, if its answer is no candidate."""


Choice = Given | Everybody | AskModel


class CoordinationStrategy(Strategy):
    """A way of taking turns."""

    allow_repeat: bool = False
    """Whether somebody may be given the floor twice in a row though others could have it."""

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit the participants, beginning with its name; nothing where all do."""
        return None

    def candidates(self, state: ConversationState, after: str | None) -> Sequence[str]:
        """Who may be given the floor: whoever just had it only if repeating is allowed, or there is nobody else."""
        candidates = state.candidates
        if self.allow_repeat or after not in candidates:
            return candidates
        place = candidates.index(after)
        return candidates[:place] + candidates[place + 1 :] or candidates

    @abstractmethod
    def choose(self, state: ConversationState, candidates: Sequence[str], after: str | None) -> Choice:
        """Choose who has the floor next.

        Args:
            state: Where the conversation stands.
            candidates: Who may have it, in the order in which they joined; there is at least one.
            after: Who has just spoken, declined to speak, or left; nobody at the beginning.
        """

    def may_speak(self, state: ConversationState, speaker: str) -> bool:
        """Tell whether somebody may speak now."""
        return state.everybody or speaker == state.floor or speaker in state.offered

    def to_ask(self, state: ConversationState) -> list[str]:
        """The AI participants that are to reply now: those who have the floor or may take it."""
        names = state.offered if state.floor is None else (state.floor,)
        return [name for name in names if not state.members[name].is_person]


def next_in_order(state: ConversationState, candidates: Sequence[str], after: str | None) -> str:
    """The first of some candidates (in the order in which they joined) that is behind `after`, and round again."""
    place = state.roster.place
    if after is None or after not in place:
        return candidates[0]
    behind = bisect_right(candidates, place[after], key=place.__getitem__)
    return candidates[behind % len(candidates)]


class TurnBased(CoordinationStrategy):
    """The floor goes round, in the order in which participants joined. The default."""

    kind: Literal["turn_based"] = "turn_based"

    def choose(self, state: ConversationState, candidates: Sequence[str], after: str | None) -> Choice:
        """Choose whoever is next in the round."""
        return Given((next_in_order(state, candidates, after),))


class FreeForm(CoordinationStrategy):
    """Anybody may speak at any time; AI participants answer what people say to them."""

    kind: Literal["free_form"] = "free_form"

    def choose(self, state: ConversationState, candidates: Sequence[str], after: str | None) -> Choice:
        """The floor is nobody's."""
        return Everybody()

    def to_ask(self, state: ConversationState) -> list[str]:
        """The AI participants that a person spoke to since they were last asked."""
        return [name for name in state.roster.ais if state.members[name].unheard and state.is_able(name)]


COORDINATION: Final = Family[CoordinationStrategy]("coordination")
COORDINATION.add(TurnBased, FreeForm)
