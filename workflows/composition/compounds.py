"""The frames of plans that have plans in them: what each goes into, and what it comes to. Pure."""

from typing import Final

from pydantic import JsonValue

from signals.errors import ErrorType
from workflows.composition.conditions import Condition
from workflows.composition.entry import not_a_list, not_among
from workflows.composition.frames import CallFrame, Fate, Frame, Stage
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
