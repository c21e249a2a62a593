"""What a part of a plan may come to. Pure."""

from dataclasses import dataclass

from pydantic import JsonValue

from signals.composition import BranchState


@dataclass(frozen=True)
class Succeeded:
    """It has a result."""

    value: JsonValue


@dataclass(frozen=True)
class Skipped:
    """Nothing of it had to be done; the value goes on as it is."""

    value: JsonValue


@dataclass(frozen=True)
class Failed:
    """It has failed."""

    type: str
    message: str
    where: str
    """The path of the branch that failed first."""

    @property
    def told(self) -> str:
        """It in one line."""
        return f"{self.where}: {self.message}" if self.where else self.message


@dataclass(frozen=True)
class Cancelled:
    """It was cancelled."""

    where: str
    """The path of the branch that was cancelled."""


Outcome = Succeeded | Skipped | Failed | Cancelled


def state_of(outcome: Outcome) -> BranchState:
    """The state of a branch that has come to this."""
    match outcome:
        case Succeeded():
            return BranchState.SUCCEEDED
        case Skipped():
            return BranchState.SKIPPED
        case Failed():
            return BranchState.FAILED
        case Cancelled():
            return BranchState.CANCELLED
