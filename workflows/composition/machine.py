"""A composite that is being run: what has ended comes in, what is to be started and cancelled comes out. Pure."""

from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from pydantic import JsonValue

from signals.composition import BranchState
from signals.errors import ErrorType
from workflows.composition.compounds import frame_of
from workflows.composition.frames import Branch, CallFrame, Fate, Frame, Functions
from workflows.composition.layout import Part
from workflows.composition.outcomes import Cancelled, Failed, Outcome, state_of

MAX_FRAMES: Final = 20_000
"""How many parts of its plan a run may go through: what is skipped in a loop must not keep a worker busy for ever."""


class Orders(NamedTuple):
    """What is to be done."""

    start: list[CallFrame]
    cancel: list[CallFrame]


class Machine:
    """The state of a composite."""

    def __init__(self, part: Part, functions: Functions) -> None:
        self.part, self._functions = part, functions
        self.outcome: Outcome | None = None
        """What it has come to."""

        self.branches: list[Branch] = []
        """What was gone into, in that order."""

        self.begun: set[int] = set()
        """The numbers of the parts that were gone into."""

        self.live: dict[CallFrame, None] = {}
        """The children that have not ended."""

        self._counts: Counter[str] = Counter()
        self._root = frame_of(self, part, None, "", Fate.ENDS)
        self._stopping = False
        self._orders = Orders([], [])
        self._queue: deque[Callable[[], None]] = deque()
        self._entered = 0
        self._now: datetime

    # What comes in

    def begin(self, value: JsonValue, now: datetime) -> Orders:
        """Begin with the input."""
        self._now = now
        self.enter(self._root, value)
        return self._drained()

    def ended(self, call: CallFrame, outcome: Outcome, now: datetime) -> Orders:
        """A child has ended."""
        self._now = now
        call.end(outcome)
        return self._drained()

    def never_began(self, call: CallFrame, now: datetime) -> Orders:
        """A child was cancelled before it was started."""
        self._now = now
        self._withdraw(call)
        return self._drained()

    def cancel(self, now: datetime) -> Orders:
        """The composite is cancelled, with all that runs."""
        self._now = now
        self._stopping = True
        self._root.cancel()
        return self._drained()

    @property
    def is_cancelling(self) -> bool:
        """Whether children have been asked to stop, and have not yet."""
        return any(call.known.state is BranchState.CANCELLING for call in self.live)

    # What frames need

    @property
    def functions(self) -> Functions:
        """The selectors and predicates."""
        return self._functions

    @property
    def stopping(self) -> bool:
        """Whether nothing is begun any more."""
        return self._stopping or self.outcome is not None

    def open(self, part: Part, path: str) -> Branch:
        """Have a branch."""
        self._counts[path] += 1
        branch = Branch(part, path, self._counts[path])
        self.branches.append(branch)
        self.begun.add(part.index)
        return branch

    def frame(self, part: Part, above: Frame, scope: str, fate: Fate) -> Frame:
        """Make the frame of a part."""
        return frame_of(self, part, above, scope, fate)

    def enter(self, frame: Frame, value: JsonValue) -> None:
        """Begin a frame, soon."""
        self._queue.append(partial(self._begin, frame, value))

    def report(self, frame: Frame, outcome: Outcome) -> None:
        """Take note of what a frame came to, and tell the one above it, soon."""
        if isinstance(frame, CallFrame):
            self.live.pop(frame, None)
        if (branch := frame.branch) is not None:
            branch.outcome, branch.ended = outcome, self._now
            branch.state = state_of(outcome) if branch.started else BranchState.SKIPPED
        if frame.above is not None:
            self._queue.append(partial(frame.above.ended_below, frame, outcome))
        elif self.outcome is None:
            self.outcome = outcome

    def start(self, call: CallFrame) -> None:
        """Have a child started."""
        self.live[call] = None
        self._orders.start.append(call)

    def stop(self, call: CallFrame) -> None:
        """Have a child cancelled."""
        if call in self._orders.start:
            self._orders.start.remove(call)
            self._withdraw(call)
        elif call in self.live:
            self._orders.cancel.append(call)

    # Inside

    def _drained(self) -> Orders:
        while self._queue:
            self._queue.popleft()()
        orders, self._orders = self._orders, Orders([], [])
        return orders

    def _begin(self, frame: Frame, value: JsonValue) -> None:
        self._entered += 1
        if self._entered > MAX_FRAMES and self.outcome is None:
            message = f"it went through more than {MAX_FRAMES:,} parts of its plan; split it, or run fewer rounds"
            self.outcome = Failed(ErrorType.COMPOSITE_TOO_LARGE, message, frame.path)
            self._root.cancel()
        if frame.cancelling:
            return frame.end(Cancelled(frame.path))
        if frame.branch is not None:
            frame.branch.state, frame.branch.started = BranchState.RUNNING, self._now
        frame.begin(value)

    def _withdraw(self, call: CallFrame) -> None:
        call.known.started = None
        call.end(Cancelled(call.path))
