"""Who may approve a commit, and when enough have: a condition that ends a review. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from pydantic import Field, JsonValue

from signals.conversation import Ended, Proposal, StopReason
from signals.participants import Kind, Participant, Permission
from signals.project import Commit, Pipeline
from signals.wire import Identifier
from workflows.conversation.emergence import EMERGENCE, Condition
from workflows.conversation.state import ConversationState

AUTHOR: Final = "author"
"""The role of who made the commit: never one that approves."""


class Approvals(Condition):
    """A review has come to its end: enough approve the commit, or one doesn't want it so, or its author has another.

    Whoever may approve does so by a proposal of their own or by approving another's; AI participants can't.

    Example:
        `{"kind": "approvals", "count": 2, "roles": ["reviewer"], "commit": "1f0e...9c"}`
    """

    kind: Literal["approvals"] = "approvals"
    count: int = Field(ge=1, le=20)
    roles: tuple[Identifier, ...] = Field(min_length=1, max_length=10)
    commit: Commit
    """Approvals of another commit count for nothing."""

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit the participants."""
        able = sum(map(self._may_approve, participants))
        return f"count: {self.count} are more than the {able} who may approve" if able < self.count else None

    def met(self, state: ConversationState, now: datetime) -> Ended | None:
        """The end, if it has come."""
        if not state.proposals:
            return None
        voters = {member.participant.id for member in state.present if self._may_approve(member.participant)}
        for proposal in state.proposals:
            if ended := self._turned_down(proposal, voters, state, now):
                return ended
        approving: dict[str, int] = {}
        for proposal in state.proposals:
            if _field(proposal, "verdict") == "approve" and _field(proposal, "commit") == self.commit:
                approving |= {name: seq for name, seq in proposal.approved_by.items() if name in voters}
        if len(approving) < self.count:
            return None
        return Ended(
            stop=StopReason.QUORUM,
            at=now,
            reason=f"approved by {', '.join(approving)}",
            outcome={"verdict": "approve", "commit": self.commit},
            decided_by=tuple(approving),
            evidence=tuple(sorted(set(approving.values()))),
        )

    def _turned_down(
        self, proposal: Proposal, voters: set[str], state: ConversationState, now: datetime
    ) -> Ended | None:
        """The end by somebody who doesn't want the commit as it is; or by its author, who has another."""
        verdict = _field(proposal, "verdict")
        if verdict not in ("changes", "reject"):
            return None
        by = {name: seq for name, seq in proposal.approved_by.items() if name in voters}
        speaker = state.members.get(proposal.speaker)
        is_authors = speaker is not None and speaker.participant.role == AUTHOR
        if not by and is_authors and verdict == "changes" and _field(proposal, "replacement"):
            by = {proposal.speaker: proposal.seq}
        if not by:
            return None
        return Ended(
            stop=StopReason.DECISION,
            at=now,
            reason=f"{', '.join(by)}: {_field(proposal, 'reason')}",
            outcome=proposal.outcome,
            decided_by=tuple(by),
            evidence=tuple(sorted({proposal.seq, *by.values()})),
        )

    def _may_approve(self, participant: Participant) -> bool:
        return (
            participant.kind is Kind.HUMAN
            and participant.role in self.roles
            and participant.role != AUTHOR
            and participant.may(Permission.SPEAK)
        )


EMERGENCE.add(Approvals)


def review_fault(pipeline: Pipeline, author: str, others: Sequence[Participant]) -> str | None:
    """Say why a pipeline's commits can never be approved; nothing if they can."""
    needed = pipeline.review.approvals
    able = {name for name, _ in reviewers(pipeline, author)}
    able |= {
        one.id for one in others if one.kind is Kind.HUMAN and one.role in pipeline.review.roles and one.id != author
    }
    if len(able) >= needed:
        return None
    return (
        f"review.approvals: {needed} must approve, and of those who are named, beside the author, {len(able)} may: "
        "name a lead or more reviewers, or set approvals to 0"
    )


def reviewers(pipeline: Pipeline, author: str) -> tuple[tuple[str, str], ...]:
    """Who reviews, each with their role; never the author."""
    named = dict.fromkeys(pipeline.review.reviewers, "reviewer")
    if pipeline.lead is not None:
        named[pipeline.lead] = "lead"
    return tuple((name, role) for name, role in named.items() if name != author and role in pipeline.review.roles)


def _field(proposal: Proposal, name: str) -> JsonValue:
    return proposal.outcome.get(name) if isinstance(proposal.outcome, dict) else None
