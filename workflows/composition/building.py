"""Plans written in Python. Pure.

    plan = call(Triage) >> when(field("total") > 100, "Approval") >> parallel(A, B, C, join=JoinNOfM(n=2, cancel=True))

Wherever a plan may stand, a workflow class or the name of a workflow type may stand too.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from pydantic import JsonValue

from workflows.composition.conditions import Condition, Named
from workflows.composition.joins import Join, JoinAll
from workflows.composition.plan import Call, Conditional, Dynamic, ForEach, Loop, Parallel, Plan, Sequential, as_plan

Planned: TypeAlias = Plan | type | str
"""A plan, a workflow class, or the name of a workflow type."""

When: TypeAlias = Condition | Callable[..., bool] | str
"""A condition, a predicate, or the name of a registered one."""

_ALL: Final = JoinAll()


def call(
    workflow: type | str,
    *,
    take: dict[str, str] | None = None,
    input: JsonValue = None,
    timeout: float | None = None,
    name: str | None = None,
) -> Call:
    """Run a workflow as a child.

    Args:
        workflow: Its class, or the name of its type.
        take: Fields of its input, each with the place in the value that it is taken from.
        input: Constants, put over that.
        timeout: How long it may take, in seconds.
        name: What it is called in ids, results and diagrams, if not by its type.
    """
    return Call.of(workflow, take=take, input=input, timeout=timeout, name=name)


def sequence(*steps: Planned, name: str | None = None) -> Sequential:
    """One after the other, each given what the one before gave; `a >> b` for short."""
    return Sequential.model_validate({"steps": _plans(steps), "name": name})


def parallel(*branches: Planned, join: Join = _ALL, name: str | None = None) -> Parallel:
    """All at the same time, all given the same value; the join says when and with what it goes on."""
    return Parallel.model_validate({"branches": _plans(branches), "join": join, "name": name})


def when(condition: When, then: Planned, otherwise: Planned | None = None, *, name: str | None = None) -> Conditional:
    """If a condition holds for the value, this; if not, the other, or nothing."""
    other = None if otherwise is None else as_plan(otherwise)
    return Conditional.model_validate(
        {"when": _condition(condition), "then": as_plan(then), "otherwise": other, "name": name}
    )


def choose(selector: Callable[..., str] | str, *among: Planned, name: str | None = None) -> Dynamic:
    """The one of these that a selector names when the plan is run."""
    return Dynamic.of(selector, among=_plans(among), name=name)


def repeat(body: Planned, *, until: When, most: int, name: str | None = None) -> Loop:
    """Again and again, until a condition holds for what a round gave; at most so many rounds."""
    return Loop.model_validate({"body": as_plan(body), "until": _condition(until), "most": most, "name": name})


def for_each(
    body: Planned, *, items: str = "", join: Join = _ALL, at_once: int = 100, name: str | None = None
) -> ForEach:
    """The same for every item of a list, each given its item.

    Args:
        body: What is done for each.
        items: Where in the value the list is; left out, the value is the list.
        join: When and with what it goes on.
        at_once: How many are run at a time.
        name: What it is called in ids, results and diagrams.
    """
    return ForEach.model_validate(
        {"body": as_plan(body), "items": items, "join": join, "at_once": at_once, "name": name}
    )


def _plans(parts: tuple[Planned, ...]) -> tuple[Plan, ...]:
    return tuple(as_plan(part) for part in parts)


def _condition(condition: When) -> Condition:
    if isinstance(condition, Condition):
        return condition
    return Named(predicate=condition) if isinstance(condition, str) else Named.of(condition)
