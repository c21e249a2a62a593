"""Emergence: when a conversation has come to its end, and what shows it."""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from signals.conversation import Ended, Proposal, StopReason
from signals.participants import Permission
from signals.wire import Identifier
from workflows.conversation.bounds import Seconds
from workflows.conversation.state import ConversationState
from workflows.conversation.strategies import Family, Strategy


class Condition(Strategy):
    """Something that ends a conversation."""

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

    def met(self, state: ConversationState, now: datetime) -> Ended | None:
        """The end, if it has come."""
        if not state.proposals:
            return None
        voters = {
            member.participant.id
            for member in state.present
            if member.participant.may(Permission.SPEAK) and (self.of == "everybody" or member.is_person)
        }
        for proposal in state.proposals:
            if voters and voters <= proposal.approved_by.keys():
                by = {name: seq for name, seq in proposal.approved_by.items() if name in voters}
                return _accepted(StopReason.CONSENSUS, "agreed by all", proposal, by, now)
        return None


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
        if now < self.due(state, now):
            return None
        reason = f"nobody said anything for {self.seconds:g} s"
        return Ended(stop=StopReason.SILENCE, at=now, reason=reason, evidence=_last(state))

    def due(self, state: ConversationState, now: datetime) -> datetime:
        """When it may be met by time alone."""
        return state.last_activity + timedelta(seconds=self.seconds)


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


EMERGENCE: Final = Family[Condition]("emergence")
EMERGENCE.add(Decision, Consensus, Turns, Silence, Deadline)

AnyCondition = Annotated[Condition, EMERGENCE]
"""Any condition, told apart by `kind`."""


def emerged(conditions: Sequence[Condition], state: ConversationState, now: datetime) -> Ended | None:
    """The end by the first condition that is met."""
    return next((end for condition in conditions if (end := condition.met(state, now))), None)


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
