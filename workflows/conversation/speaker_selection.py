"""Ways of choosing who speaks next by what was set up: granted, handed over, role by role, by bids, by a model."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field

from signals.participants import Participant, Permission
from signals.wire import Identifier, Text
from workflows.conversation.coordination import (
    COORDINATION,
    AskModel,
    Choice,
    CoordinationStrategy,
    Given,
    next_in_order,
)
from workflows.conversation.state import ConversationState

T = TypeVar("T")

Weight = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]

_WORD: Final = re.compile(r"\w+")


class Moderated(CoordinationStrategy):
    """The floor is granted by whoever moderates, and goes back to them after each turn."""

    kind: Literal["moderated"] = "moderated"

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit the participants."""
        if any(p.may(Permission.MODERATE) and p.may(Permission.SPEAK) for p in participants):
            return None
        return "kind: nobody may grant the floor; give somebody the permissions 'speak' and 'moderate'"

    def candidates(self, state: ConversationState, after: str | None) -> list[str]:
        """Who may be given the floor: those who moderate, also twice in a row; anybody where none of them is here."""
        everybody = state.candidates
        return [name for name in everybody if _moderates(state, name)] or super().candidates(state, after)

    def choose(self, state: ConversationState, candidates: Sequence[str], after: str | None) -> Choice:
        """Give it to those who moderate; where none is here, let it go round."""
        if not _moderates(state, candidates[0]):
            return Given((next_in_order(state, candidates, after),))
        people = [name for name in candidates if state.members[name].is_person]
        return Given(tuple(people or candidates))

    def may_speak(self, state: ConversationState, speaker: str) -> bool:
        """Tell whether somebody may speak now: who moderates always may."""
        return super().may_speak(state, speaker) or _moderates(state, speaker)


def _moderates(state: ConversationState, name: str) -> bool:
    return name in state.members and state.members[name].participant.may(Permission.MODERATE)


class Handoff(CoordinationStrategy):
    """The floor goes to whom the last turn is meant for: named in `to`, as `@id`, or by what it answers (handoff)."""

    kind: Literal["addressed"] = "addressed"
    otherwise: Literal["round", "back"] = "round"
    """Who has it after a turn that names nobody: the next in the round, or whoever spoke before."""

    def choose(self, state: ConversationState, candidates: Sequence[str], after: str | None) -> Choice:
        """Give it to those who were named; of several the first to speak takes it."""
        named = tuple(name for name in candidates if name in state.called_on)
        if named:
            return Given(named)
        if self.otherwise == "back" and state.speaker_before in candidates and state.speaker_before is not None:
            return Given((state.speaker_before,))
        return Given((next_in_order(state, candidates, after),))


class Rules(CoordinationStrategy):
    """The floor goes from role to role; of several people of a role the first to answer takes it.

    Example:
        `{"kind": "rules", "first": "author", "rules": {"author": ["reviewer"], "reviewer": ["author"]}}`
    """

    kind: Literal["rules"] = "rules"
    rules: dict[Identifier, tuple[Identifier, ...]] = Field(min_length=1, max_length=50)
    """For each role those that follow it, in the order in which they are tried."""

    first: Identifier | None = None
    """Who begins; whoever comes first among the participants where there is none."""

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit the participants."""
        roles = {p.role for p in participants}
        able = {p.role for p in participants if p.may(Permission.SPEAK)}
        if self.first is not None and self.first not in able:
            return f"first: nobody of the role {self.first!r} may speak; name one of {_listed(able)}"
        for role, following in self.rules.items():
            if role not in roles:
                return f"rules.{role}: nobody has this role; roles are: {_listed(roles)}"
            if not following:
                return f"rules.{role}: it leads nowhere; name the roles that follow"
            if unable := next((name for name in following if name not in able), None):
                return f"rules.{role}: it leads nowhere: nobody of the role {unable!r} may speak"
        if lacking := sorted(able - self.rules.keys()):
            return f"rules: nothing follows the role {lacking[0]!r}; add a rule for it"
        return None

    def choose(self, state: ConversationState, candidates: Sequence[str], after: str | None) -> Choice:
        """Give it to those of the next role; where none of them is here, to the next in the round."""
        member = state.members.get(after) if after is not None else None
        following = self.rules.get(member.participant.role, ()) if member else (self.first,)
        for role in following:
            if of_role := tuple(name for name in candidates if state.members[name].participant.role == role):
                return Given(of_role)
        return Given((next_in_order(state, candidates, after),))


class Bidding(CoordinationStrategy):
    """The floor goes to the highest bid; of equal ones to the first behind the last speaker.

    A bid is worked out from the settings: a weight, plus what waiting is worth, being named, words that one cares
    about, and a turn that is held (a raised hand).

    Example:
        `{"kind": "bidding", "weights": {"expert": 2}, "waiting": 0.5, "words": {"bob": ["refund"]}}`
    """

    kind: Literal["bidding"] = "bidding"
    weights: dict[Identifier, Weight] = Field(default={}, max_length=250)
    """By id or role, an id going first; 1 for everybody else."""

    waiting: Weight = 0.1
    """For each turn since they spoke last: with more than nothing everybody's time comes."""

    named: Weight = 1.0
    """For being named by the last turn."""

    eager: Weight = 1.0
    """For having a turn that is held."""

    words: dict[Identifier, tuple[Text, ...]] = Field(default={}, max_length=250)
    """By id or role: words that somebody has something to say about."""

    word: Weight = 1.0
    """For each of those words in the last turn."""

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit the participants."""
        known = {name for p in participants for name in (p.id, p.role)}
        for field, table in (("weights", self.weights), ("words", self.words)):
            if unknown := next((name for name in table if name not in known), None):
                return f"{field}.{unknown}: there is no such participant or role; there are: {_listed(known)}"
        return None

    def bids(self, state: ConversationState, candidates: Iterable[str]) -> dict[str, float]:
        """What each candidate bids, and so why somebody has the floor."""
        said = set(_WORD.findall(state.last_text.casefold())) if self.words else set()
        holding = {turn.speaker for turn in state.held}
        return {name: self._bid(state, name, said, name in holding) for name in candidates}

    def choose(self, state: ConversationState, candidates: Sequence[str], after: str | None) -> Choice:
        """Give it to the highest bid."""
        bids = self.bids(state, candidates)
        highest = max(bids.values())
        return Given((next_in_order(state, [name for name in candidates if bids[name] == highest], after),))

    def _bid(self, state: ConversationState, name: str, said: set[str], holds: bool) -> float:
        member = state.members[name]
        role = member.participant.role
        cares = _either(self.words, name, role, ())
        return (
            _either(self.weights, name, role, 1.0)
            + self.waiting * (state.turns - member.last_turn)
            + self.named * (name in state.called_on)
            + self.eager * holds
            + self.word * sum(word.casefold() in said for word in cares)
        )


class AiSelected(CoordinationStrategy):
    """A language model picks among the candidates; a wrong answer is asked for again, then the next in order has it."""

    kind: Literal["ai_selected"] = "ai_selected"
    question: Text = "Who should speak next, so that the conversation gets on?"
    """What the model goes by."""

    model: str | None = Field(default=None, max_length=200, pattern=r"^[ -~]*$")
    """The language model that picks; the worker's own where there is none."""

    attempts: int = Field(default=2, ge=1, le=5)
    """How often it is asked for one speaker."""

    def choose(self, state: ConversationState, candidates: Sequence[str], after: str | None) -> Choice:
        """Have it picked; a single candidate needs no model, and one that has no budget left is not asked."""
        if len(candidates) == 1 or state.muted:
            return Given((next_in_order(state, candidates, after),))
        return AskModel(self.question, tuple(candidates), self.model, self.attempts)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _either(table: Mapping[str, T], name: str, role: str, default: T) -> T:
    return table.get(name, table.get(role, default))


COORDINATION.add(Moderated, Handoff, Rules, Bidding, AiSelected)

Coordination = Annotated[CoordinationStrategy, COORDINATION]
"""Any coordination strategy, told apart by `kind`."""
