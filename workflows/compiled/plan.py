"""The plan of a compiled workflow: names and edges, made once per process and shared by all of its runs.

It holds no types and no functions, so that a class that the sandbox imports anew for a run can use it.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from pydantic import JsonValue

from signals.fragments import FragmentOffer
from workflows.compiled.findings import Finding


class Source(StrEnum):
    """Where an argument comes from."""

    REQUEST = "request"
    RUN = "run"
    CONTEXT = "context"
    """All that the run knows."""

    STEP = "step"
    OUTCOME = "outcome"
    """A conversation of the step."""

    SETTINGS = "settings"
    """What the run is bound to."""

    PREVIOUS = "previous"
    """What the step itself returned the last time, in a loop."""

    ERROR = "error"
    """What the step failed with; for setup functions."""


@dataclass(frozen=True)
class Argument:
    """One argument of a step, or of one of its functions."""

    name: str
    source: Source


@dataclass(frozen=True)
class PointPlan:
    """A conversation point of a step."""

    name: str
    setup: tuple[Argument, ...]
    outcome: dict[str, JsonValue]
    """The JSON Schema of its outcome."""

    condition: tuple[Argument, ...] = ()
    """What its condition is asked with, where it has one."""

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """The steps that must be done before the conversation can be set up."""
        return _steps_of(self.setup)

    @cached_property
    def asks(self) -> tuple[str, ...]:
        """The steps that must be done before its condition can be asked."""
        return _steps_of(self.condition)


@dataclass(frozen=True)
class StepPlan:
    """A step."""

    name: str
    about: str
    """The first line of its docstring."""

    arguments: tuple[Argument, ...]
    when: tuple[Argument, ...]
    """What its condition is asked with."""

    until: tuple[Argument, ...]
    """What the end of its loop is asked with."""

    compensation: tuple[Argument, ...]
    points: tuple[PointPlan, ...]
    checkpoint: bool
    on_demand: bool
    """Whether only a conversation may need its result: it is run when one is to be set up."""

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """The steps that must be done before it starts."""
        conditions = (argument for point in self.points for argument in point.condition)
        asked = dict.fromkeys((*self.arguments, *self.when, *self.until, *conditions))
        return tuple(a.name for a in asked if a.source is Source.STEP and a.name != self.name)

    def point(self, name: str) -> PointPlan:
        """Look a conversation point up."""
        return next(point for point in self.points if point.name == name)


@dataclass(frozen=True)
class Plan:
    """A workflow: its steps in an order in which each comes after what it needs."""

    name: str
    about: str
    steps: tuple[StepPlan, ...]
    request_step: str
    """A step that takes the workflow's input, and so says of which type it is."""

    result: str
    """The step that gives the workflow's result."""

    points: tuple[PointPlan, ...] = ()
    """The conversation points of the run as a whole."""

    fragment: FragmentOffer | None = None
    """What conversations are offered, where it is marked as a fragment."""

    findings: tuple[Finding, ...] = ()
    """What looks wrong with the class, and didn't keep it from being planned."""

    def step(self, name: str) -> StepPlan:
        """Look a step up."""
        return self._by_name[name]

    @cached_property
    def models(self) -> tuple[str | None, ...]:
        """The language models that a run may ask before long: the worker's own (null), where it may talk."""
        return (None,) if self.points or any(step.points for step in self.steps) else ()

    @cached_property
    def needed_by(self) -> dict[str, tuple[str, ...]]:
        """For each step, those that wait for it."""
        waiting: dict[str, list[str]] = {step.name: [] for step in self.steps}
        for step in self.steps:
            for name in step.needs:
                waiting[name].append(step.name)
        return {name: tuple(names) for name, names in waiting.items()}

    def after(self, step: str) -> set[str]:
        """A step and all that needs its result, directly or not."""
        found, pending = set[str](), [step]
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending += self.needed_by[name]
        return found

    def point(self, name: str) -> PointPlan:
        """Look a conversation point of the run as a whole up."""
        return next(point for point in self.points if point.name == name)

    @cached_property
    def position(self) -> dict[str, int]:
        """For each step, where it stands in the order."""
        return {step.name: index for index, step in enumerate(self.steps)}

    @cached_property
    def _by_name(self) -> dict[str, StepPlan]:
        return {step.name: step for step in self.steps}


def _steps_of(arguments: tuple[Argument, ...]) -> tuple[str, ...]:
    return tuple(argument.name for argument in arguments if argument.source is Source.STEP)


def plan_of(workflow: type) -> Plan | None:
    """The plan of a compiled workflow class."""
    plan = getattr(workflow, "plan", None)
    return plan if isinstance(plan, Plan) else None


def in_order(needs: dict[str, set[str]]) -> tuple[str, ...]:
    """Order steps so that each comes after what it needs, keeping the order given where there is a choice.

    Raises:
        CycleError: There is none; its second argument is the cycle.
    """
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    position = {name: index for index, name in enumerate(needs)}
    ordered: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=lambda name: position.get(name, -1))
        ordered += ready
        sorter.done(*ready)
    return tuple(ordered)


__all__ = ["Argument", "CycleError", "Plan", "PointPlan", "Source", "StepPlan", "in_order", "plan_of"]
