"""A workflow class as the compiler finds it: its steps with their functions, options and annotations."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Union

from workflows.compiled.step import StepOptions
from workflows.hybrid import Conditional, ConversationPoint, Explicit, RetryWith

REQUEST: Final = "request"
RUN: Final = "run"
CONTEXT: Final = "context"
SETTINGS: Final = "settings"
ERROR: Final = "error"
PREVIOUS: Final = "previous"


@dataclass(frozen=True)
class StepSource:
    """A step of a class."""

    name: str
    method: Callable[..., object]
    options: StepOptions
    hints: dict[str, object]

    @property
    def parameters(self) -> list[str]:
        """The names that it asks for."""
        return parameters_of(self.method)[1:]

    @property
    def returns(self) -> object:
        """What its body returns; anything where it doesn't say."""
        return self.hints.get("return", Any)

    @property
    def gives(self) -> object:
        """What others are given: nothing (None) too, where it may be left out."""
        return self.returns if self.options.when is None else Union[self.returns, None]  # noqa: UP007

    @property
    def has_effect(self) -> bool:
        """Whether it is there for what it does: it returns nothing."""
        return self.returns is type(None)

    @property
    def fed(self) -> dict[str, ConversationPoint]:
        """The parameters that the step's own conversations fill."""
        return {p.integration.parameter: p for p in self.options.points if isinstance(p.integration, RetryWith)}

    @property
    def functions(self) -> dict[str, Callable[..., object]]:
        """The functions that it is decided with, by what they are for."""
        options = self.options
        found: dict[str, Callable[..., object] | None] = {
            "when": options.when,
            "until": options.repeat.until if options.repeat else None,
            **functions_of(options.points),
        }
        return {what: function for what, function in found.items() if function is not None}

    @property
    def conditions(self) -> set[str]:
        """Every name that the conditions of its points ask for."""
        return conditions_of(self.options.points)

    @property
    def awaited(self) -> set[str]:
        """Every name that must be there before it can run, or hold a conversation that is sure to be held."""
        points = self.options.points if self.options.when is None else ()
        sure = [parameters_of(point.setup) for point in points if isinstance(point.trigger, Explicit)]
        return self.asked.union(*sure)

    @property
    def asked(self) -> set[str]:
        """Every name that must be there before it can run."""
        functions = self.functions
        names = set(self.parameters) | self.conditions
        return names.union(*(parameters_of(functions[what]) for what in ("when", "until") if what in functions))


def functions_of(points: Iterable[ConversationPoint]) -> dict[str, Callable[..., object]]:
    """The functions that conversation points are decided with, by what they are for."""
    found: dict[str, Callable[..., object]] = {}
    for point in points:
        found[f"setup of point '{point.name}'"] = point.setup
        if isinstance(point.trigger, Conditional):
            found[f"condition of point '{point.name}'"] = point.trigger.condition
    return found


def conditions_of(points: Iterable[ConversationPoint]) -> set[str]:
    """Every name that the conditions of points ask for."""
    conditions = (point.trigger.condition for point in points if isinstance(point.trigger, Conditional))
    return {name for condition in conditions for name in parameters_of(condition)}


def parameters_of(function: Callable[..., object]) -> list[str]:
    """The names of a function's parameters."""
    return list(inspect.signature(function).parameters)


def place_of(thing: Callable[..., object] | type) -> tuple[str, int]:
    """Where something is defined: file, as seen from here, and line; `?` and 0 where there is no file."""
    try:
        source, line = Path(inspect.getsourcefile(thing) or "?"), inspect.getsourcelines(thing)[1]
    except (OSError, TypeError):
        return "?", 0  # typed at a prompt
    here = Path.cwd()
    return str(source.relative_to(here) if source.is_relative_to(here) else source), line
