"""Where a commit stands, by what people decided about it in a run's conversations. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from pydantic import TypeAdapter

from signals.checkouts import Change
from signals.pipeline import (
    AcceptFailure,
    Approve,
    Fix,
    FixByCommit,
    FixByPatch,
    Reject,
    RequestChanges,
    ReviewDecision,
)
from signals.run import ConversationRecord

DEBUGGING: Final = "debugging"
REWORK: Final = "rework"
REVIEW: Final = "review"
"""The names of the pipeline's conversation points."""

_FIX: Final = TypeAdapter[Fix](Fix)
_REVIEW: Final = TypeAdapter[ReviewDecision](ReviewDecision)


@dataclass(frozen=True)
class Standing:
    """What holds for the commit that a run is at."""

    changes: tuple[Change, ...] = ()
    """What was changed since the commit that the run began with."""

    is_new: bool = False
    """Whether the last thing that was decided is a change."""

    accepted: str | None = None
    """Why its failures are accepted."""

    review: Approve | RequestChanges | Reject | None = None
    reviewed_by: tuple[str, ...] = ()

    def changed(self, change: Change) -> "Standing":
        """The same with one more change: what was said of the commit before counts no more."""
        return Standing(changes=(*self.changes, change), is_new=True)


def standing(conversations: Iterable[ConversationRecord]) -> Standing:
    """Follow the conversations of a run, in their order."""
    now = Standing()
    for record in conversations:
        if record.outcome is None:
            continue
        if record.point == REVIEW:
            now = _reviewed(now, _REVIEW.validate_python(record.outcome), record.decided_by)
        elif record.point in (DEBUGGING, REWORK):
            now = _mended(now, _FIX.validate_python(record.outcome), record.decided_by)
    return now


def _reviewed(now: Standing, decision: ReviewDecision, by: tuple[str, ...]) -> Standing:
    if isinstance(decision, RequestChanges) and decision.replacement is not None:
        return now.changed(Change(fix=FixByCommit(action="commit", commit=decision.replacement), by=_first(by)))
    return replace(now, is_new=False, review=decision, reviewed_by=by)


def _mended(now: Standing, fix: Fix, by: tuple[str, ...]) -> Standing:
    if isinstance(fix, FixByCommit | FixByPatch):
        return now.changed(Change(fix=fix, by=_first(by)))
    if isinstance(fix, AcceptFailure):
        # Where changes were requested, it is looked at once more as it is.
        return replace(now, is_new=False, accepted=fix.reason, review=None, reviewed_by=())
    return replace(now, is_new=False)


def _first(by: tuple[str, ...]) -> str:
    return by[0] if by else "parley"
