"""Extensions: how an outside module adds workflows, activities, strategies and functions, with one declaration."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from workflows.composition.registry import REGISTRY
from workflows.conversation.coordination import COORDINATION, CoordinationStrategy
from workflows.conversation.emergence import EMERGENCE, Condition
from workflows.conversation.observations import OBSERVATIONS, Observation
from workflows.conversation.routing import ROUTING, RoutingStrategy
from workflows.conversation.strategies import Strategy

DECLARATION: Final = "EXTENSION"
"""The name that a module gives its extension."""


@dataclass(frozen=True)
class Extension:
    """What a module adds.

    Args:
        workflows: Workflow classes, compiled or plain ones.
        activities: Activities, bound to what they need.
        strategies: Coordination and routing strategies, conditions and observations, chosen by their `kind`.
        selectors: Functions that choose among the candidates of a dynamic plan, known by their names.
        predicates: Functions that conditions of plans name.
    """

    workflows: tuple[type, ...] = ()
    activities: tuple[Callable[..., object], ...] = ()
    strategies: tuple[type[Strategy], ...] = ()
    selectors: tuple[Callable[..., str], ...] = ()
    predicates: tuple[Callable[..., bool], ...] = ()


class ExtensionError(ValueError):
    """A module can't be used as an extension; the text says why, in one line."""


def load_extension(module: str) -> Extension:
    """Import a module and give what it declares.

    Raises:
        ExtensionError: There is no such module, or it declares nothing.
    """
    try:
        found = getattr(importlib.import_module(module), DECLARATION, None)
    except ModuleNotFoundError as error:
        raise ExtensionError(f"extension {module!r}: {error}; is it on the path of this Python?") from error
    if not isinstance(found, Extension):
        raise ExtensionError(f"extension {module!r} declares nothing: add `{DECLARATION} = Extension(...)` to it")
    return found


def install(extension: Extension) -> None:
    """Make known in this process what conversations and plans can name.

    Raises:
        ExtensionError: Something in it can't be used.
    """
    try:
        for strategy in extension.strategies:
            _add_strategy(strategy)
        REGISTRY.add(selectors=extension.selectors, predicates=extension.predicates)
    except (TypeError, ValueError) as error:
        raise ExtensionError(f"extension: {error}") from error


def _add_strategy(strategy: type[Strategy]) -> None:
    if issubclass(strategy, CoordinationStrategy):
        COORDINATION.add(strategy)
    elif issubclass(strategy, RoutingStrategy):
        ROUTING.add(strategy)
    elif issubclass(strategy, Condition):
        EMERGENCE.add(strategy)
    elif issubclass(strategy, Observation):
        OBSERVATIONS.add(strategy)
    else:
        raise ValueError(f"{strategy.__name__} is no CoordinationStrategy, RoutingStrategy, Condition or Observation")
