"""Emergence: when a conversation has come to its end, and what shows it."""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Annotated, Final, Literal, NamedTuple, Self

from pydantic import Field, JsonValue, StringConstraints, model_validator

from signals.conversation import Ended, Proposal, StopReason
from signals.participants import Kind, Participant, Permission
from signals.wire import Identifier, Outcome
from workflows.conversation.bounds import Seconds
from workflows.conversation.outcomes import outcome_fault
from workflows.conversation.state import ConversationState
from workflows.conversation.strategies import Family, Strategy

_NO_VOTERS: Final = "{}: nobody of these may vote; give a participant the permission 'speak'"


class Question(NamedTuple):
    """What a language model is to judge."""

    text: str
    model: str | None
    """Which one; the worker's own where there is none."""


class Condition(Strategy):
    """Something that ends a conversation."""

    @property
    def parts(self) -> Sequence["Condition"]:
        """The conditions that it is made of; none, where it stands for itself."""
        return ()

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit the participants, beginning with its name; nothing where all do."""
        return None

    def questions(self, state: ConversationState) -> Sequence[Question]:
        """What a language model is to judge now, for it to be met."""
        return ()

    @abstractmethod
    def met(self, state: ConversationState, now: datetime) -> Ended | None:
        """The end, if it has come."""

    def due(self, state: ConversationState, now: datetime) -> datetime | None:
        """When it may be met by time alone; never, where it isn't about time."""
        return None


class Decision(Condition):
    """Somebody who may decide proposes an outcome, or approves one. The default."""

    kind: Literal["decision"] = "decision"
    roles: tuple[Identifier, ...] = ()
    """Only these roles decide; whoever holds the permission where it is empty."""

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit the participants."""
        if fault := _fault_of_roles(self.roles, participants):
            return fault
        # Deciding is proposing or voting, and that takes the permission to speak.
        able = [p for p in participants if p.may(Permission.DECIDE) and p.may(Permission.SPEAK)]
        if any(not self.roles or p.role in self.roles for p in able):
            return None
        field, who = ("roles", f"of the roles {', '.join(self.roles)} ") if self.roles else ("kind", "")
        return (
            f"{field}: nobody {who}may decide; "
            "give a participant the permissions 'speak' and 'decide', or choose another condition"
        )

    def deciders(self, state: ConversationState) -> set[str]:
        """Who may decide."""
        return {
            name
            for name, member in state.members.items()
            if member.participant.may(Permission.DECIDE) and (not self.roles or member.participant.role in self.roles)
        }

    def met(self, state: ConversationState, now: datetime) -> Ended | None:
        """The end, if it has come."""
        if not state.proposals:
            return None
        deciders = self.deciders(state)
        for proposal in state.proposals:
            by = {name: seq for name, seq in proposal.approved_by.items() if name in deciders}
            if by:
                return _accepted(StopReason.DECISION, "decided", proposal, by, now)
        return None


class Consensus(Condition):
    """Everybody here who may speak approves the same proposal."""

    kind: Literal["consensus"] = "consensus"
    of: Literal["people", "everybody"] = "people"

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit the participants."""
        return None if any(map(self._may_vote, participants)) else _NO_VOTERS.format("of")

    def met(self, state: ConversationState, now: datetime) -> Ended | None:
        """The end, if it has come."""
        if not state.proposals:
            return None
        voters = {member.participant.id for member in state.present if self._may_vote(member.participant)}
        for proposal in state.proposals:
            if voters and voters <= proposal.approved_by.keys():
                by = {name: seq for name, seq in proposal.approved_by.items() if name in voters}
                return _accepted(StopReason.CONSENSUS, "agreed by all", proposal, by, now)
        return None

    def _may_vote(self, participant: Participant) -> bool:
        return participant.may(Permission.SPEAK) and (self.of == "everybody" or participant.kind is Kind.HUMAN)


class Quorum(Condition):
    """Enough of those who may vote approve the same proposal.

    Example:
        `{"kind": "quorum", "count": 2, "roles": ["agent"], "refusals": 1}`
    """

    kind: Literal["quorum"] = "quorum"
    count: int | None = Field(default=None, ge=1, le=1000)
    """So many of them."""

    share: float | None = Field(default=None, gt=0, le=1)
    """At least this share of those who are here: 0.5 is half of them, 0.51 more than half."""

    of: Literal["people", "everybody"] = "people"
    roles: tuple[Identifier, ...] = ()
    """Only these roles vote; whoever may speak where it is empty."""

    refusals: int | None = Field(default=None, ge=1, le=1000)
    """So many refusals among them keep a proposal from being accepted."""

    @model_validator(mode="after")
    def _says_how_many(self) -> Self:
        if (self.count is None) == (self.share is None):
            raise ValueError("give either 'count' or 'share'")
        return self

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit the participants."""
        if fault := _fault_of_roles(self.roles, participants):
            return fault
        voters = sum(map(self._may_vote, participants))
        if not voters:
            return _NO_VOTERS.format("roles" if self.roles else "of")
        for field, number in (("count", self.count), ("refusals", self.refusals)):
            if number is not None and number > voters:
                return f"{field}: {number} are more than the {voters} who may vote"
        return None

    def met(self, state: ConversationState, now: datetime) -> Ended | None:
        """The end, if it has come."""
        if not state.proposals:
            return None
        voters = {member.participant.id for member in state.present if self._may_vote(member.participant)}
        needed = self.count if self.share is None else max(1, ceil(self.share * len(voters)))
        for proposal in state.proposals:
            by = {name: seq for name, seq in proposal.approved_by.items() if name in voters}
            against = sum(name in voters for name in proposal.refused_by)
            if needed is not None and len(by) >= needed and (self.refusals is None or against < self.refusals):
                return _accepted(StopReason.QUORUM, f"approved by {len(by)} of {len(voters)}", proposal, by, now)
        return None

    def _may_vote(self, participant: Participant) -> bool:
        return (
            participant.may(Permission.SPEAK)
            and (self.of == "everybody" or participant.kind is Kind.HUMAN)
            and (not self.roles or participant.role in self.roles)
        )


class Turns(Condition):
    """So many turns were taken."""

    kind: Literal["turns"] = "turns"
    count: int = Field(ge=1, le=1_000_000)

    def met(self, state: ConversationState, now: datetime) -> Ended | None:
        """The end, if it has come."""
        if state.turns < self.count:
            return None
        return Ended(stop=StopReason.TURNS, at=now, reason=f"{self.count} turns were taken", evidence=(state.seq,))


class Silence(Condition):
    """Nobody said anything for so long."""

    kind: Literal["silence"] = "silence"
    seconds: Seconds

    def met(self, state: ConversationState, now: datetime) -> Ended | None:
        """The end, if it has come."""
        due = self.due(state, now)
        if due is None or now < due:
            return None
        reason = f"nobody said anything for {self.seconds:g} s"
        return Ended(stop=StopReason.SILENCE, at=now, reason=reason, evidence=_last(state))

    def due(self, state: ConversationState, now: datetime) -> datetime | None:
        """When it may be met by time alone; never while a fragment is waited for, for then nobody can speak."""
        return None if state.busy is not None else state.last_activity + timedelta(seconds=self.seconds)


class Deadline(Condition):
    """So much time has passed since the conversation was opened."""

    kind: Literal["deadline"] = "deadline"
    seconds: Seconds

    def met(self, state: ConversationState, now: datetime) -> Ended | None:
        """The end, if it has come."""
        if now < self.due(state, now):
            return None
        reason = f"{self.seconds:g} s have passed since it was opened"
        return Ended(stop=StopReason.DEADLINE, at=now, reason=reason, evidence=_last(state))

    def due(self, state: ConversationState, now: datetime) -> datetime:
        """When it may be met by time alone."""
        return state.started + timedelta(seconds=self.seconds)


class Fact(Condition):
    """Something became known.

    Example:
        `{"kind": "fact", "name": "order_id"}`
    """

    kind: Literal["fact"] = "fact"
    name: str = Field(min_length=1, max_length=200)
    """Its name among the known facts."""

    equals: Outcome = None
    """What it must be; anything will do where it is null."""

    def met(self, state: ConversationState, now: datetime) -> Ended | None:
        """The end, if it has come."""
        if self.name not in state.facts or not (self.equals is None or self._equals(state.facts[self.name])):
            return None
        reason = f"'{self.name}' is known"
        return Ended(stop=StopReason.FACT, at=now, reason=reason, evidence=_last(state))

    def _equals(self, value: JsonValue) -> bool:
        # In JSON true is not 1, as it is in Python.
        return value == self.equals and outcome_fault({"const": self.equals}, value) is None


class EveryoneLeft(Condition):
    """Everybody has left, or everybody of a role."""

    kind: Literal["everyone_left"] = "everyone_left"
    role: Identifier | None = None

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit the participants."""
        if self.role is None or any(participant.role == self.role for participant in participants):
            return None
        return f"role: nobody has the role {self.role!r}; give it to a participant, or name another"

    def met(self, state: ConversationState, now: datetime) -> Ended | None:
        """The end, if it has come."""
        members = [member for member in state.members.values() if self.role in (None, member.participant.role)]
        if not members or any(member.present for member in members):
            return None  # of a role that nobody has had yet, nobody has left
        reason = "everyone has left" if self.role is None else f"everyone of the role '{self.role}' has left"
        return Ended(stop=StopReason.EVERYONE_LEFT, at=now, reason=reason, evidence=_last(state))


class Judge(Condition):
    """A language model finds that something is so, by what everybody may see.

    Example:
        `{"kind": "judge", "question": "Is the customer's problem solved?", "every": 4}`
    """

    kind: Literal["judge"] = "judge"
    question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
    every: int = Field(default=5, ge=1, le=1000)
    """After how many turns it is asked, each time anew."""

    model: str | None = Field(default=None, max_length=200, pattern=r"^[ -~]*$")
    """The language model; the worker's own where there is none."""

    def questions(self, state: ConversationState) -> Sequence[Question]:
        """What a language model is to judge now."""
        verdict = state.verdicts.get(self.question)
        due = (verdict.turns if verdict else 0) + self.every
        return (Question(self.question, self.model),) if state.turns >= due else ()

    def met(self, state: ConversationState, now: datetime) -> Ended | None:
        """The end, if it has come."""
        verdict = state.verdicts.get(self.question)
        if verdict is None or not verdict.holds:
            return None
        reason = f"'{self.question}' was judged to be so" + (f": {verdict.reason}" if verdict.reason else "")
        return Ended(stop=StopReason.JUDGED, at=now, reason=reason, evidence=(verdict.seq,))


EMERGENCE: Final = Family[Condition]("emergence")
EMERGENCE.add(Decision, Consensus, Quorum, Turns, Silence, Deadline, Fact, EveryoneLeft, Judge)

AnyCondition = Annotated[Condition, EMERGENCE]
"""Any condition, told apart by `kind`."""


def emerged(conditions: Sequence[Condition], state: ConversationState, now: datetime) -> Ended | None:
    """The end by the first condition that is met."""
    return next((end for condition in conditions if (end := condition.met(state, now))), None)


def _fault_of_roles(roles: Sequence[str], participants: Sequence[Participant]) -> str | None:
    known = {participant.role for participant in participants}
    unknown = next((role for role in roles if role not in known), None)
    return None if unknown is None else f"roles: nobody has the role {unknown!r}; roles are: {', '.join(sorted(known))}"


def _last(state: ConversationState) -> tuple[int, ...]:
    return (state.seq,) if state.seq else ()


def _accepted(stop: StopReason, how: str, proposal: Proposal, by: dict[str, int], now: datetime) -> Ended:
    return Ended(
        stop=stop,
        at=now,
        reason=f"proposal {proposal.number} was {how} ({', '.join(by)})",
        outcome=proposal.outcome,
        decided_by=tuple(by),
        evidence=tuple(sorted({proposal.seq, *by.values()})),
    )
