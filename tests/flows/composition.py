"""Small workflows for plans: some are done at once, some wait to be told, some fail."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError

from signals.composition import CompositeResult
from signals.names import child_run_id
from signals.run import RunSoFar
from signals.wire import Wire
from workflows.compiled import compiled, step
from workflows.composition import CompositeRequest, call, composite, field, repeat, when
from workflows.composition.workflow import Composite

LIMIT = timedelta(seconds=10)


class Number(Wire):
    """What most of them take and give."""

    n: int


class Text(Wire):
    """What fits none of the others."""

    text: str


@activity.defn
def plus_one(number: int) -> int:
    """Add one."""
    return number + 1


@compiled
class Increment:
    """Add one, by an activity."""

    @step(result=True)
    async def number(self, request: Number) -> Number:
        """Add one."""
        return Number(n=await workflow.execute_activity(plus_one, request.n, start_to_close_timeout=LIMIT))


@compiled
class Double:
    """Twice the number."""

    @step(result=True)
    def number(self, request: Number) -> Number:
        """Double it."""
        return Number(n=request.n * 2)


@compiled
class Square:
    """The number times itself."""

    @step(result=True)
    def number(self, request: Number) -> Number:
        """Square it."""
        return Number(n=request.n**2)


@compiled
class Describe:
    """The number in words."""

    @step(result=True)
    def text(self, request: Number) -> Text:
        """Write it."""
        return Text(text=f"it is {request.n}")


@compiled
class Length:
    """The length of a text."""

    @step(result=True)
    def number(self, request: Text) -> Number:
        """Count it."""
        return Number(n=len(request.text))


@compiled
class Echo:
    """The same text again."""

    @step(result=True)
    def text(self, request: Text) -> Text:
        """Give it back."""
        return request


@compiled
class Total:
    """The sum of numbers."""

    @step(result=True)
    def number(self, request: list[Number]) -> Number:
        """Add them."""
        return Number(n=sum(number.n for number in request))


@compiled
class UpTo:
    """All numbers from 1 on."""

    @step(result=True)
    def numbers(self, request: Number) -> list[Number]:
        """List them."""
        return [Number(n=n) for n in range(1, request.n + 1)]


@compiled
class Fail:
    """Never succeeds."""

    @step(result=True)
    def number(self, request: Number) -> Number:
        """Fail."""
        raise ApplicationError("no such number", type="NotFound", non_retryable=True)


@workflow.defn
class Gate:
    """Waits until it is opened."""

    def __init__(self) -> None:
        self._open = False

    @workflow.run
    async def run(self, request: Number) -> Number:
        """Wait, and give what it was given."""
        await workflow.wait_condition(lambda: self._open)
        return request

    @workflow.signal
    def open(self) -> None:
        """Open it."""
        self._open = True


@workflow.defn
class Blob:
    """Gives what isn't JSON."""

    @workflow.run
    async def run(self) -> bytes:
        """Give it."""
        return b"\x00"


@compiled
class Asking:
    """Starts a composite by a step."""

    @step
    async def outcome(self, request: Number, run: RunSoFar) -> CompositeResult:
        """Run a plan."""
        return await workflow.execute_child_workflow(
            Composite.run,
            CompositeRequest(plan=call(Double) >> Square, input={"n": request.n}),
            id=child_run_id(run.id, "plan", 1),
        )

    @step(result=True)
    def number(self, outcome: CompositeResult) -> Number:
        """Take its result."""
        return Number.model_validate(outcome.result)


@workflow.defn
class Stubborn:
    """Succeeds when it is cancelled."""

    @workflow.run
    async def run(self, request: Number) -> Number:
        """Wait to be cancelled."""
        with suppress(asyncio.CancelledError):
            await workflow.wait_condition(lambda: False)
        return request


@workflow.defn
class Lingering:
    """Takes its time when it is cancelled: until it is told to go."""

    def __init__(self) -> None:
        self._go = False

    @workflow.run
    async def run(self, request: Number) -> Number:
        """Wait to be cancelled."""
        try:
            await workflow.wait_condition(lambda: False)
        finally:
            await workflow.wait_condition(lambda: self._go)
        return request

    @workflow.signal
    def go(self) -> None:
        """Let it go."""
        self._go = True


@composite
class CountDown:
    """Names itself: as long as something is left, one less is counted down from."""

    request = Number
    result = Number
    plan = call("LessOne") >> when(field("n") > 0, "CountDown")


@composite
class NextSquare:
    """A plan of its own, made of classes."""

    plan = call(Increment) >> Square


@composite
class UpToHundred:
    """A loop that has a type of its own."""

    plan = repeat(Double, until=field("n") >= 100, most=10)


@compiled
class LessOne:
    """One less."""

    @step(result=True)
    def number(self, request: Number) -> Number:
        """Take one away."""
        return Number(n=request.n - 1)


def parity(number: Number) -> str:
    """Choose by whether a number is odd."""
    return "Double" if number.n % 2 else "Square"


def astray(number: Number) -> str:
    """Choose what isn't there."""
    return "Nowhere"


def is_large(number: Number) -> bool:
    """Tell whether a number is large."""
    return number.n > 10


def breaks(number: Number) -> bool:
    """Have a mistake in it."""
    return bool(1 / (number.n - number.n))


FLOWS: tuple[type, ...] = (
    Increment, Double, Square, LessOne, Describe, Length, Echo, Total, UpTo, Fail, Blob,
    Gate, Stubborn, Lingering, Asking, CountDown, NextSquare, UpToHundred,
)  # fmt: skip
SELECTORS = (parity, astray)
PREDICATES = (is_large, breaks)
