"""Ways of choosing who speaks next by what was set up: granted, handed over, role by role, by bids, by a model."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field, ValidationError

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

    def candidates(self, state: ConversationState, after: str | None) -> Sequence[str]:
        """Who may be given the floor: those who moderate, also twice in a row; anybody where none of them is here."""
        moderators = state.roster.moderators
        return [name for name in state.candidates if name in moderators] or super().candidates(state, after)

    def choose(self, state: ConversationState, candidates: Sequence[str], after: str | None) -> Choice:
        """Give it to those who moderate; where none is here, let it go round."""
        if candidates[0] not in state.roster.moderators:
            return Given((next_in_order(state, candidates, after),))
        people = [name for name in candidates if state.members[name].is_person]
        return Given(tuple(people or candidates))

    def may_speak(self, state: ConversationState, speaker: str) -> bool:
        """Tell whether somebody may speak now: who moderates always may."""
        return super().may_speak(state, speaker) or speaker in state.roster.moderators


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
        members, turns = state.members, state.turns
        weights = _by_name(state, self.weights)
        bids = {name: weights.get(name, 1.0) + self.waiting * (turns - members[name].last_turn) for name in candidates}
        for worth, names in ((self.named, state.called_on), (self.eager, {turn.speaker: None for turn in state.held})):
            for name in names:
                if name in bids:
                    bids[name] += worth
        if self.words:
            said = set(_WORD.findall(state.last_text.casefold()))
            for name, words in _by_name(state, self.words).items():
                if name in bids:
                    bids[name] += self.word * sum(word.casefold() in said for word in words)
        return bids

    def choose(self, state: ConversationState, candidates: Sequence[str], after: str | None) -> Choice:
        """Give it to the highest bid."""
        bids = self.bids(state, candidates)
        highest = max(bids.values())
        return Given((next_in_order(state, [name for name in candidates if bids[name] == highest], after),))


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


def _by_name(state: ConversationState, table: Mapping[str, T]) -> dict[str, T]:
    """What a table says of everybody whom it names by their id or, where it doesn't, by their role."""
    if not table:
        return {}
    roles = ((name, member.participant.role) for name, member in state.members.items())
    return {name: table[name if name in table else role] for name, role in roles if name in table or role in table}


def default_fault(kind: str) -> str | None:
    """Say why a way of taking turns can't be what holds by default; nothing where it can."""
    able = [name for name in COORDINATION.kinds if _does_alone(name)]
    if kind in able:
        return None
    why = "needs settings of its own" if kind in COORDINATION.kinds else "isn't known"
    return f"{kind!r} {why}; choose one of {', '.join(able)}"


def _does_alone(kind: str) -> bool:
    try:
        COORDINATION.parse({"kind": kind})
    except ValidationError:
        return False
    return True


COORDINATION.add(Moderated, Handoff, Rules, Bidding, AiSelected)

Coordination = Annotated[CoordinationStrategy, COORDINATION]
"""Any coordination strategy, told apart by `kind`."""
