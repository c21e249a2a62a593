"""The parts of a plan while they are gone through: each a frame, under the frame of the part around it. Pure.

A frame begins with a value, goes into the parts inside it, is told what each came to, and ends with what it came
to itself. Everything goes through the machine's queue, so that neither deep plans nor long loops nest calls.
"""

from abc import ABC, abstractmethod
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pydantic import JsonValue

from signals.composition import BranchState
from signals.errors import ErrorType
from workflows.composition.conditions import Named
from workflows.composition.entry import request_for
from workflows.composition.layout import Part
from workflows.composition.outcomes import Failed, Outcome
from workflows.composition.plan import Call, Dynamic


class Fate(StrEnum):
    """What becomes of a child that still runs when the composite has ended."""

    ENDS = "ends"
    """With it: that is so if the composite is terminated."""

    IS_CANCELLED = "is cancelled"
    RUNS_ON = "runs on"


class Functions(Protocol):
    """Selectors and predicates."""

    def choose(self, dynamic: Dynamic, value: JsonValue) -> str:
        """Ask a selector.

        Raises:
            FunctionError: It has no answer.
        """

    def ask(self, named: Named, value: JsonValue) -> bool:
        """Ask a predicate.

        Raises:
            FunctionError: It has no answer.
        """


class Branch:
    """What is known of a part that has a path: a child, or a part with a name."""

    def __init__(self, part: Part, path: str, number: int) -> None:
        self.part, self.path, self.number = part, path, number
        self.state = BranchState.PENDING
        self.started: datetime | None = None
        self.ended: datetime | None = None
        self.outcome: Outcome | None = None


class Stage(Protocol):
    """What frames need of the machine."""

    @property
    def functions(self) -> Functions:
        """The selectors and predicates."""

    @property
    def stopping(self) -> bool:
        """Whether nothing is begun any more."""

    def open(self, part: Part, path: str) -> Branch:
        """Have a branch."""

    def frame(self, part: Part, above: "Frame", scope: str, fate: Fate) -> "Frame":
        """Make the frame of a part."""

    def enter(self, frame: "Frame", value: JsonValue) -> None:
        """Begin a frame, soon."""

    def report(self, frame: "Frame", outcome: Outcome) -> None:
        """Take note of what a frame came to, and tell the one above it, soon."""

    def start(self, call: "CallFrame") -> None:
        """Have a child started."""

    def stop(self, call: "CallFrame") -> None:
        """Have a child cancelled."""


class Frame(ABC):
    """A part of the plan that is being gone through."""

    def __init__(self, stage: Stage, part: Part, above: "Frame | None", scope: str, fate: Fate) -> None:
        self.stage, self.part, self.above, self.fate = stage, part, above, fate
        self.path = f"{scope}/{part.segment}".lstrip("/") if part.segment else scope
        self.branch = stage.open(part, self.path) if part.segment else None
        self.outcome: Outcome | None = None
        self.below: list[Frame] = []
        self._cancelling = False

    @property
    def cancelling(self) -> bool:
        """Whether nothing more is to be begun inside it."""
        return self._cancelling or self.stage.stopping

    @abstractmethod
    def begin(self, value: JsonValue) -> None:
        """Begin with a value."""

    def ended_below(self, frame: "Frame", outcome: Outcome) -> None:
        """Go on after a part inside it; by default what that came to is what this one comes to."""
        self.end(outcome)

    def cancel(self) -> None:
        """Cancel what runs inside it, also what is not waited for any more."""
        self._cancelling = True
        if self.branch is not None and self.outcome is None:
            self.branch.state = BranchState.CANCELLING
        for frame in self.below:
            frame.cancel()

    def end(self, outcome: Outcome) -> None:
        """Come to an end."""
        self.outcome = outcome
        self.stage.report(self, outcome)

    def go_into(self, part: Part, value: JsonValue, scope: str | None = None, fate: Fate | None = None) -> "Frame":
        """Go into a part inside it."""
        frame = self.stage.frame(part, self, self.path if scope is None else scope, fate or self.fate)
        self.below.append(frame)
        self.stage.enter(frame, value)
        return frame

    def fail(self, type: ErrorType, message: str) -> None:
        """Come to a bad end."""
        self.end(Failed(type, message, self.path))


class CallFrame(Frame):
    """A workflow that is run as a child."""

    request: JsonValue = None

    @property
    def call(self) -> Call:
        """The plan."""
        assert isinstance(self.part.plan, Call)
        return self.part.plan

    @property
    def known(self) -> Branch:
        """Its branch: a child always has one."""
        assert self.branch is not None
        return self.branch

    def begin(self, value: JsonValue) -> None:
        """Have the child started."""
        self.request = request_for(self.call, value)
        self.stage.start(self)

    def cancel(self) -> None:
        """Have the child cancelled, once."""
        running = self.outcome is None and not self._cancelling
        super().cancel()
        if running:
            self.stage.stop(self)
