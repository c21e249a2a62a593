"""What a composite shows and leaves behind."""

from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue

from signals.wire import Wire


class BranchState(StrEnum):
    """Where a branch stands."""

    PENDING = "pending"
    RUNNING = "running"
    """In a result: not waited for; it runs on after the composite."""

    CANCELLING = "cancelling"
    """It is asked to stop, and has not yet."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    """It was never begun, since nothing needed it."""


class BranchError(Wire):
    """Why a branch failed."""

    type: str
    message: str


class BranchProgress(Wire):
    """Where one branch stands: a child workflow, or a part of the plan that has a name.

    Example:
        {"path": "quick/OrderStatus", "number": 1, "workflow": "OrderStatus", "id": "run-7/quick/OrderStatus-1",
        "state": "running", "started": "2026-03-01T12:00:00Z"}
    """

    path: str
    """The names that lead to it."""

    number: int = 1
    """Counts what has run at that path, from 1; more than one in loops."""

    workflow: str | None = None
    """The workflow type, if it is a child."""

    id: str | None = None
    """The child's workflow id."""

    state: BranchState
    started: datetime | None = None
    ended: datetime | None = None
    error: BranchError | None = None


class BranchResult(BranchProgress):
    """What became of one branch."""

    result: JsonValue = None
    """What it gave, if it succeeded."""

    omitted: bool = False
    """Whether its result is left out for its size; the child's own history has it."""


class CompositeProgress(Wire):
    """Where a composite stands."""

    run: str
    """The workflow id."""

    branches: tuple[BranchProgress, ...]
    omitted: int = 0
    """How many more branches there are than are listed."""

    done: bool


class CompositeResult(Wire):
    """What a composite came to.

    Example:
        {"result": [7, 9], "branches": [{"path": "A", "state": "succeeded", "result": 7}, ...]}
    """

    result: JsonValue
    """What the plan gave: of a sequence, its last workflow's result; of a join, see the join."""

    branches: tuple[BranchResult, ...]
    omitted: int = 0
    """How many more branches there are than are listed."""
