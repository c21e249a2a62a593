"""What is seen of a conversation that a rule of adaptation may do something about."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from signals.conversation import MessageKind, Recorded
from signals.participants import Participant
from signals.wire import Identifier
from workflows.conversation.bounds import Constraints, Seconds
from workflows.conversation.state import ConversationState
from workflows.conversation.strategies import Family, Strategy
from workflows.markdown import counted

SHORTEST: Final = 4
"""How many different words a message must have to count as a repetition: 'yes, fine' is said often, and rightly so."""

LONGEST: Final = 1000
"""How much of a message is compared with others, in characters."""

REACH: Final = 3
"""In how many times as many turns repetitions are looked for: what was said long ago may be said anew."""

LOOK: Final = 20
"""Repetitions are looked for at most every so many turns: it takes long, compared with all else."""


class Seen(NamedTuple):
    """What was seen."""

    text: str
    """In words."""

    evidence: tuple[int, ...]
    """The numbers of the messages that show it."""

    who: tuple[str, ...] = ()
    """Whom it is about, the first foremost."""

    wanted: tuple[str, ...] = ()
    """Who should say something."""


class Observation(Strategy):
    """Something that may be seen of a conversation."""

    names_somebody: ClassVar[bool] = False
    """Whether it is about somebody, who is named when it is seen."""

    @property
    def pace(self) -> int:
        """Every how many turns it is looked for; after everything that happens, where it is 0."""
        return 0

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit the participants, beginning with its name; nothing where all do."""
        return None

    def out_of_sight(self, constraints: Constraints, window: int) -> str | None:
        """Say which setting keeps it from ever being seen, beginning with its name; nothing where none does.

        Args:
            constraints: The bounds of the conversation.
            window: How many messages it keeps at hand.
        """
        return None

    @abstractmethod
    def seen(self, state: ConversationState, now: datetime, constraints: Constraints) -> Seen | None:
        """What is seen, if it is."""

    def due(self, state: ConversationState, now: datetime) -> datetime | None:
        """When it may be seen by time alone; never, where it isn't about time."""
        return None


class Stalled(Observation):
    """Nobody says anything, or nobody proposes anything.

    Example:
        `{"kind": "stalled", "seconds": 600}`
    """

    kind: Literal["stalled"] = "stalled"
    seconds: Seconds | None = None
    """Nobody said anything for so long, and nobody is at it."""

    turns: int | None = Field(default=None, ge=1, le=10_000)
    """Nobody proposed anything in so many turns."""

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if (self.seconds is None) == (self.turns is None):
            raise ValueError("give either 'seconds' or 'turns'")
        return self

    def seen(self, state: ConversationState, now: datetime, constraints: Constraints) -> Seen | None:
        """What is seen, if it is."""
        if self.turns is not None and state.turns - state.proposed >= self.turns:
            return Seen(f"Nobody proposed anything in {counted(state.turns - state.proposed, 'turn')}", _last(state))
        at = self.due(state, now)
        if at is None or now < at or state.working:
            return None
        return Seen(f"Nobody said anything for {self.seconds:g} s", _last(state), wanted=tuple(state.speakers))

    def due(self, state: ConversationState, now: datetime) -> datetime | None:
        """When it may be seen by time alone."""
        return None if self.seconds is None else state.last_activity + timedelta(seconds=self.seconds)


class Dominates(Observation):
    """One of three or more has most of the turns.

    Example:
        `{"kind": "dominates", "share": 0.6, "turns": 20}`
    """

    kind: Literal["dominates"] = "dominates"
    names_somebody = True
    share: float = Field(default=0.7, gt=0, le=1)
    """At least this share of the last turns is theirs."""

    turns: int = Field(default=10, ge=3, le=50)
    """How many turns are looked at, of which at least half must still be in the conversation's window."""

    @property
    def pace(self) -> int:
        """Every how many turns it is looked for."""
        return max(1, self.turns // 5)

    def out_of_sight(self, constraints: Constraints, window: int) -> str | None:
        """Say which setting keeps it from ever being seen."""
        if self.turns > 2 * window:
            return f"turns: half of {self.turns} turns are more than window ({window}) keeps"
        return None

    def seen(self, state: ConversationState, now: datetime, constraints: Constraints) -> Seen | None:
        """What is seen, if it is."""
        turns = _turns(state)[-self.turns :]
        if state.turns < self.turns or 2 * len(turns) < self.turns:
            return None
        name, count = Counter(message.speaker for message in turns).most_common(1)[0]
        if name is None or count < self.share * len(turns) or len(state.speakers) < 3:
            return None
        text = f"{_label(state, name)} took {count} of the last {len(turns)} turns"
        return Seen(text, tuple(message.seq for message in turns if message.speaker == name), (name,))


class Silent(Observation):
    """Somebody who can speak says nothing.

    Example:
        `{"kind": "silent", "turns": 15}`
    """

    kind: Literal["silent"] = "silent"
    names_somebody = True
    turns: int = Field(default=20, ge=2, le=10_000)
    """In so many turns, all of which were taken while they were there."""

    roles: tuple[Identifier, ...] = ()
    """Only these roles are looked at; all, where it is empty."""

    @property
    def pace(self) -> int:
        """Every how many turns it is looked for."""
        return max(1, self.turns // 5)

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit the participants."""
        unknown = [role for role in self.roles if all(participant.role != role for participant in participants)]
        return f"roles: nobody has the role {unknown[0]!r}" if unknown else None

    def seen(self, state: ConversationState, now: datetime, constraints: Constraints) -> Seen | None:
        """What is seen, if it is."""
        before = state.turns - self.turns
        who = tuple(
            name
            for name, member in state.members.items()
            if max(member.last_turn, member.arrived) <= before
            and (not self.roles or member.participant.role in self.roles)
            and state.is_able(name)
        )
        if before < 0 or not who:
            return None
        labels = ", ".join(_label(state, name) for name in who)
        return Seen(f"{labels} said nothing in {counted(self.turns, 'turn')}", _last(state), who, wanted=who)


class Circling(Observation):
    """What is said was said before: each of the last turns has nearly the same words as an earlier one.

    Words with a figure in them must be the same in both, so that haggling isn't taken for it.

    Example:
        `{"kind": "circling", "turns": 4, "similarity": 0.7}`
    """

    kind: Literal["circling"] = "circling"
    names_somebody = True
    turns: int = Field(default=6, ge=2, le=50)
    """How many turns in a row; they and what they repeat must be in the conversation's window."""

    similarity: float = Field(default=0.8, gt=0, le=1)
    """At least this share of the words that either of two messages has are in both."""

    @property
    def pace(self) -> int:
        """Every how many turns it is looked for."""
        return max(LOOK, self.turns)

    def out_of_sight(self, constraints: Constraints, window: int) -> str | None:
        """Say which setting keeps it from ever being seen."""
        if self.turns >= window:
            return f"turns: {self.turns} turns and what they repeat are more than window ({window}) keeps"
        return None

    def seen(self, state: ConversationState, now: datetime, constraints: Constraints) -> Seen | None:
        """What is seen, if it is."""
        said = [
            (message.seq, message.speaker, set(message.text[:LONGEST].lower().split()))
            for message in _turns(state)[-REACH * self.turns :]
        ]
        if len(said) <= self.turns:
            return None
        evidence: set[int] = set()
        for index in range(len(said) - 1, len(said) - 1 - self.turns, -1):
            seq, _, words = said[index]
            repeated = next((before for before, _, others in said[:index] if self._alike(words, others)), None)
            if repeated is None:
                return None
            evidence |= {seq, repeated}
        who = dict.fromkeys(speaker for _, speaker, _ in said[-self.turns :] if speaker is not None)
        return Seen(f"The last {self.turns} turns say again what was said before", tuple(sorted(evidence)), tuple(who))

    def _alike(self, one: set[str], other: set[str]) -> bool:
        common = len(one & other)
        if len(one) < SHORTEST or common < self.similarity * (len(one) + len(other) - common):
            return False
        return not any(char.isdigit() for word in one ^ other for char in word)


class Disagreement(Observation):
    """An open proposal has approvals as well as refusals, or one proposal after the other finds no agreement.

    Example:
        `{"kind": "disagreement", "votes": 1, "proposals": 4}`
    """

    kind: Literal["disagreement"] = "disagreement"
    votes: int = Field(default=2, ge=1, le=100)
    """So many approve it, its proposer with them, and so many refuse it."""

    proposals: int | None = Field(default=None, ge=2, le=1000)
    """So many proposals were put forward, and none has ended the conversation; not looked at where it is null."""

    def out_of_sight(self, constraints: Constraints, window: int) -> str | None:
        """Say which setting keeps it from ever being seen."""
        limit = constraints.participant_limit
        if self.proposals is None and 2 * self.votes > limit:
            return f"votes: {self.votes} for and {self.votes} against are more than may be here ({limit})"
        return None

    def seen(self, state: ConversationState, now: datetime, constraints: Constraints) -> Seen | None:
        """What is seen, if it is."""
        if not state.proposals:
            return None
        for one in state.proposals:
            if min(len(one.approved_by), len(one.refused_by)) >= self.votes:
                votes = f"approved by {len(one.approved_by)} and refused by {len(one.refused_by)}"
                evidence = {one.seq, *one.approved_by.values(), *one.refused_by.values()}
                return Seen(f"Proposal {one.number} is {votes}", tuple(sorted(evidence)))
        if self.proposals is None or state.proposal_count < self.proposals:
            return None
        text = f"{state.proposal_count} proposals were put forward, and none was accepted"
        return Seen(text, tuple(proposal.seq for proposal in state.proposals))


class BudgetSpent(Observation):
    """Language models have used so much of what `constraints.budget` grants them.

    Example:
        `{"kind": "budget", "share": 0.5}`
    """

    kind: Literal["budget"] = "budget"
    share: float = Field(default=0.8, gt=0, le=1)

    def out_of_sight(self, constraints: Constraints, window: int) -> str | None:
        """Say which setting keeps it from ever being seen."""
        return None if constraints.budget else "kind: there is no budget; set constraints.budget"

    def seen(self, state: ConversationState, now: datetime, constraints: Constraints) -> Seen | None:
        """What is seen, if it is."""
        budget = constraints.budget
        if budget is None or (used := budget.spent(state.tokens, state.cost) / state.budgets) < self.share:
            return None
        return Seen(f"Language models have used {used:.0%} of their budget", _last(state))


OBSERVATIONS: Final = Family[Observation]("observations")
OBSERVATIONS.add(Stalled, Dominates, Silent, Circling, Disagreement, BudgetSpent)

AnyObservation = Annotated[Observation, OBSERVATIONS]
"""Any observation, told apart by `kind`."""


def _turns(state: ConversationState) -> list[Recorded]:
    """The turns that are in the window."""
    return [message for message in state.messages if message.kind is MessageKind.TURN]


def _last(state: ConversationState) -> tuple[int, ...]:
    return (state.seq,) if state.seq else ()


def _label(state: ConversationState, name: str) -> str:
    member = state.members.get(name)
    return member.participant.label if member else name
