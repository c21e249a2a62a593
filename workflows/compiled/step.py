"""`@step`: marks a method of a workflow class as a step."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar, overload

from workflows.hybrid import ConversationPoint

F = TypeVar("F", bound=Callable[..., object])

_MARK: Final = "__parley_step__"


@dataclass(frozen=True)
class Repeat:
    """A bounded loop: a step's body is run again until it is enough.

    Args:
        until: A pure function that tells whether it is; its parameters are filled by name, among them the
            step's own (what it returned last).
        most: How often the body is run at most; the step fails with `LoopLimit` if that wasn't enough.
        every: How long to wait from one time to the next; a durable timer where it is more than nothing.
    """

    until: Callable[..., bool]
    most: int = 10
    every: timedelta = timedelta(0)


@dataclass(frozen=True)
class StepOptions:
    """What `@step` was told."""

    result: bool = False
    checkpoint: bool = False
    when: Callable[..., bool] | None = None
    repeat: Repeat | None = None
    compensation: Callable[..., object] | None = None
    points: tuple[ConversationPoint, ...] = ()


@overload
def step(method: F) -> F: ...


@overload
def step(
    *,
    result: bool = False,
    checkpoint: bool = False,
    when: Callable[..., bool] | None = None,
    repeat: Repeat | None = None,
    compensation: Callable[..., object] | None = None,
    talk: ConversationPoint | tuple[ConversationPoint, ...] = (),
) -> Callable[[F], F]: ...


def step(
    method: F | None = None,
    *,
    result: bool = False,
    checkpoint: bool = False,
    when: Callable[..., bool] | None = None,
    repeat: Repeat | None = None,
    compensation: Callable[..., object] | None = None,
    talk: ConversationPoint | tuple[ConversationPoint, ...] = (),
) -> F | Callable[[F], F]:
    """Mark a method as a step.

    Its parameters are filled by name: `request` (the workflow's input), the name of another step (what it
    returned), `run` (a `RunSoFar`), `context` (a `UniversalContext`), `settings` (what the run is bound to), `previous`
    (what it returned the last time, in a loop), or what a conversation point of the step gives.

    Args:
        method: The method; async, or a plain function of its arguments.
        result: Whether what it returns is the workflow's result; true of exactly one step.
        checkpoint: Whether the run can be taken back to the moment when the step was done.
        when: A pure function that tells whether the step is run at all, its parameters filled by name. A step
            that isn't run gives None, so those who use it must accept None.
        repeat: Run it again until it is enough.
        compensation: A method of the class, above the step, that takes back what the step did. It is run when the
            run fails or is cancelled later, after the compensations of the steps that were done later. Its
            parameters are filled by name, among them the step's own (what it returned).
        talk: The conversations that it may open, tried in order.
    """

    def mark(method: F) -> F:
        points = talk if isinstance(talk, tuple) else (talk,)
        setattr(method, _MARK, StepOptions(result, checkpoint, when, repeat, compensation, points))
        return method

    return mark if method is None else mark(method)


def options_of(method: object) -> StepOptions | None:
    """What `@step` was told of a method; nothing if it isn't a step."""
    options = getattr(method, _MARK, None)
    return options if isinstance(options, StepOptions) else None
