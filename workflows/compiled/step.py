"""`@step`: marks a method of a workflow class as a step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar, overload

from workflows.hybrid import ConversationPoint

F = TypeVar("F", bound=Callable[..., object])

_MARK: Final = "__parley_step__"


@dataclass(frozen=True)
class StepOptions:
    """What `@step` was told."""

    result: bool = False
    points: tuple[ConversationPoint, ...] = ()


@overload
def step(method: F) -> F: ...


@overload
def step(*, result: bool = False, talk: ConversationPoint | tuple[ConversationPoint, ...] = ()) -> Callable[[F], F]: ...


def step(
    method: F | None = None,
    *,
    result: bool = False,
    talk: ConversationPoint | tuple[ConversationPoint, ...] = (),
) -> F | Callable[[F], F]:
    """Mark a method as a step.

    Its parameters are filled by name: `request` (the workflow's input), the name of another step (what it
    returned), `run` (a `RunSoFar`), or what a conversation point of the step gives.

    Args:
        method: The method; async, or a plain function of its arguments.
        result: Whether what it returns is the workflow's result; true of exactly one step.
        talk: The conversations that it may open, tried in order.
    """

    def mark(method: F) -> F:
        points = talk if isinstance(talk, tuple) else (talk,)
        setattr(method, _MARK, StepOptions(result=result, points=points))
        return method

    return mark if method is None else mark(method)


def options_of(method: object) -> StepOptions | None:
    """What `@step` was told of a method; nothing if it isn't a step."""
    options = getattr(method, _MARK, None)
    return options if isinstance(options, StepOptions) else None
