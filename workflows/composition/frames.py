"""The parts of a plan while they are gone through: each a frame, under the frame of the part around it. Pure.

A frame begins with a value, goes into the parts inside it, is told what each came to, and ends with what it came
to itself. Everything goes through the machine's queue, so that neither deep plans nor long loops nest calls.
"""

from abc import ABC, abstractmethod
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from pydantic import JsonValue

from signals.composition import BranchState
from signals.errors import ErrorType
from workflows.composition.conditions import Condition, Named
from workflows.composition.entry import not_a_list, not_among, request_for
from workflows.composition.functions import FunctionError
from workflows.composition.joins import AnyJoin, JoinAny, JoinFirst, Reached, Tally
from workflows.composition.layout import Part
from workflows.composition.outcomes import Cancelled, Failed, Outcome, Skipped, Succeeded, state_of
from workflows.composition.paths import value_at
from workflows.composition.plan import Call, Conditional, Dynamic, ForEach, Loop, Parallel, Plan, Sequential

MAX_ITEMS: Final = 5_000
"""How many items one list may have that is gone through."""

_SHOWN: Final = 5
_LONGEST: Final = 200


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
        frame = frame_of(self.stage, part, self, self.path if scope is None else scope, fate or self.fate)
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


class SequentialFrame(Frame):
    """One after the other."""

    def begin(self, value: JsonValue) -> None:
        """Begin with the first."""
        self._left = iter(self.part.parts)
        self._ran = False
        self._go_on(value)

    def ended_below(self, frame: Frame, outcome: Outcome) -> None:
        """Go on with the next."""
        match outcome:
            case Succeeded(value):
                self._ran = True
                self._go_on(value)
            case Skipped(value):
                self._go_on(value)
            case _:
                self.end(outcome)

    def _go_on(self, value: JsonValue) -> None:
        part = next(self._left, None)
        if part is None:
            self.end(Succeeded(value) if self._ran else Skipped(value))
        elif self.cancelling:
            self.end(Cancelled(self.path))
        else:
            self.go_into(part, value)


class ConditionalFrame(Frame):
    """The one part or the other, or neither."""

    def begin(self, value: JsonValue) -> None:
        """Ask the condition."""
        plan = self.part.plan
        assert isinstance(plan, Conditional)
        held = _asked(self, plan.when, value)
        if held is None:
            return
        taken = self.part.parts[:1] if held else self.part.parts[1:]
        if taken:
            self.go_into(taken[0], value)
        else:
            self.end(Skipped(value))


class DynamicFrame(Frame):
    """The part that a selector chooses."""

    def begin(self, value: JsonValue) -> None:
        """Ask the selector."""
        plan = self.part.plan
        assert isinstance(plan, Dynamic)
        try:
            choice = self.stage.functions.choose(plan, value)
        except FunctionError as error:
            return self.fail(ErrorType.FUNCTION_FAILED, str(error))
        chosen = next((part for part in self.part.parts if part.segment == choice), None)
        if chosen is None:
            return self.fail(ErrorType.FUNCTION_FAILED, not_among(self.part, choice))
        self.go_into(chosen, value)


class LoopFrame(Frame):
    """Again and again."""

    def begin(self, value: JsonValue) -> None:
        """Begin the first round."""
        self._rounds = 1
        self.go_into(self.part.parts[0], value)

    def ended_below(self, frame: Frame, outcome: Outcome) -> None:
        """Go on with the next round, or not."""
        plan = self.part.plan
        assert isinstance(plan, Loop)
        if not isinstance(outcome, Succeeded | Skipped):
            return self.end(outcome)
        held = _asked(self, plan.until, outcome.value)
        if held is None:
            return
        if held:
            self.end(Succeeded(outcome.value))
        elif self.cancelling:
            self.end(Cancelled(self.path))
        elif self._rounds == plan.most:
            self.fail(ErrorType.LOOP_LIMIT, f"'{plan.until.told}' did not come true in {plan.most} rounds")
        else:
            self._rounds += 1
            self.go_into(self.part.parts[0], outcome.value)


class JoinFrame(Frame):
    """Several at the same time, and a join."""

    join: AnyJoin

    def open_join(self, join: AnyJoin, branches: int) -> None:
        """Begin with no branch ended."""
        self.join, self.tally = join, Tally(branches)
        self.numbers: dict[Frame, int] = {}
        self.outcomes: dict[int, Outcome] = {}

    def go_into_branch(self, part: Part, value: JsonValue, scope: str) -> None:
        """Begin one more branch."""
        fate = Fate.RUNS_ON if Fate.RUNS_ON is self.fate or not self.join.cancel else Fate.IS_CANCELLED
        frame = self.go_into(part, value, scope, fate)
        frame.branch = frame.branch or self.stage.open(part, frame.path)
        self.numbers[frame] = len(self.numbers)

    def ended_below(self, frame: Frame, outcome: Outcome) -> None:
        """Take one more end to the join, unless that has been decided."""
        if self.outcome is not None:
            return
        number = self.numbers[frame]
        self.outcomes[number] = outcome
        self.tally.add(number, state_of(outcome))
        self.decide()

    def decide(self) -> None:
        """Ask the join."""
        verdict = self.join.verdict(self.tally)
        if isinstance(verdict, Reached):
            self.end(Succeeded(self._value(verdict.winners)))
        elif verdict is not None and not self._is_cancelled():
            self.fail(ErrorType.JOIN_FAILED, self._why())
        elif verdict is not None or (self.cancelling and len(self.outcomes) == len(self.numbers)):
            self.end(Cancelled(self.path))
        if self.outcome is not None and self.join.cancel:
            for frame in self.below:
                frame.cancel()

    def _is_cancelled(self) -> bool:
        return self.cancelling and any(isinstance(outcome, Cancelled) for outcome in self.outcomes.values())

    def _value(self, winners: tuple[int, ...]) -> JsonValue:
        values = [outcome.value for n in winners if isinstance(outcome := self.outcomes[n], Succeeded)]
        return values[0] if isinstance(self.join, JoinAny | JoinFirst) else values

    def _why(self) -> str:
        ends = [_told(frame, self.outcomes[n]) for frame, n in self.numbers.items() if n in self.outcomes]
        ends = [end for end in ends if end]
        if len(ends) > _SHOWN:
            ends[_SHOWN:] = [f"and {len(ends) - _SHOWN} more"]
        return f"of {self.tally.branches} branches {self.join.told}, but {', '.join(ends) or 'there are too few'}"


class ParallelFrame(JoinFrame):
    """The branches of a plan."""

    def begin(self, value: JsonValue) -> None:
        """Begin all of them."""
        plan = self.part.plan
        assert isinstance(plan, Parallel)
        self.open_join(plan.join, len(self.part.parts))
        for part in self.part.parts:
            self.go_into_branch(part, value, self.path)


class ForEachFrame(JoinFrame):
    """The same for every item of a list."""

    def begin(self, value: JsonValue) -> None:
        """Begin as many as may run at a time."""
        plan = self.part.plan
        assert isinstance(plan, ForEach)
        items = value_at(value, plan.items)
        if not isinstance(items, list):
            return self.fail(ErrorType.INVALID_INPUT, not_a_list(self.part))
        if len(items) > MAX_ITEMS:
            message = f"the list has {len(items):,} items, at most {MAX_ITEMS:,} are allowed"
            return self.fail(ErrorType.INVALID_INPUT, message)
        self.open_join(plan.join, len(items))
        self._left = iter(enumerate(items, 1))
        self.decide()
        for _ in range(plan.at_once):
            self._begin_next()

    def ended_below(self, frame: Frame, outcome: Outcome) -> None:
        """Take it to the join, and begin the next."""
        super().ended_below(frame, outcome)
        self._begin_next()

    def _begin_next(self) -> None:
        if self.outcome is None and not self.cancelling:
            for number, item in self._left:
                self.go_into_branch(self.part.parts[0], item, f"{self.path}/{number}")
                break


_FRAMES: Final[dict[type[Plan], type[Frame]]] = {
    Call: CallFrame,
    Sequential: SequentialFrame,
    Parallel: ParallelFrame,
    Conditional: ConditionalFrame,
    Dynamic: DynamicFrame,
    Loop: LoopFrame,
    ForEach: ForEachFrame,
}


def frame_of(stage: Stage, part: Part, above: Frame | None, scope: str, fate: Fate) -> Frame:
    """Make the frame of a part."""
    return _FRAMES[type(part.plan)](stage, part, above, scope, fate)


def _asked(frame: Frame, condition: Condition, value: JsonValue) -> bool | None:
    """Ask a condition; nothing if it has no answer, and the frame has failed with that."""
    try:
        return condition.holds(value, frame.stage.functions.ask)
    except FunctionError as error:
        frame.fail(ErrorType.FUNCTION_FAILED, str(error))
        return None


def _told(frame: Frame, outcome: Outcome) -> str:
    name = frame.branch.path if frame.branch else frame.path
    match outcome:
        case Failed(message=message):
            return f"{name} failed ({message[:_LONGEST]})"
        case Cancelled():
            return f"{name} was cancelled"
        case Skipped():
            return f"{name} was skipped"
        case Succeeded():
            return ""
