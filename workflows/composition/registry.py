"""What plans and conversations may name: workflow types, fragments, selectors and predicates.

Filled when a worker starts, one for a process.
"""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from pydantic import JsonValue

from signals.fragments import FragmentOffer
from workflows.compiled.plan import Plan
from workflows.composition.conditions import Named
from workflows.composition.functions import Function, FunctionError
from workflows.composition.plan import Call, Dynamic
from workflows.composition.signatures import Signature, workflow_name


class Registry:
    """The workflow types, fragments, selectors and predicates that are known."""

    def __init__(self) -> None:
        self._workflows: dict[str, Signature] = {}
        self._classes: dict[str, type] = {}
        self._fragments: dict[str, FragmentOffer] = {}
        self._selectors: dict[str, Function] = {}
        self._predicates: dict[str, Function] = {}

    def add(
        self,
        *,
        workflows: Iterable[type] = (),
        selectors: Iterable[Callable[..., str]] = (),
        predicates: Iterable[Callable[..., bool]] = (),
    ) -> None:
        """Make workflow classes known by their types' names, and functions by their own.

        Raises:
            TypeError: A class is no workflow, or a function isn't one of one value.
        """
        classes = {workflow_name(flow): flow for flow in workflows}
        self._classes |= classes
        self._workflows |= {name: Signature.of(flow) for name, flow in classes.items()}
        plans = {name: getattr(flow, "plan", None) for name, flow in classes.items()}
        offers = {name: plan.fragment for name, plan in plans.items() if isinstance(plan, Plan)}
        self._fragments |= {name: offer for name, offer in offers.items() if offer is not None}
        self._selectors |= {function.__name__: Function.of(function) for function in selectors}
        self._predicates |= {function.__name__: Function.of(function) for function in predicates}

    @property
    def workflows(self) -> Mapping[str, Signature]:
        """What each known workflow type takes and gives."""
        return self._workflows

    @property
    def classes(self) -> Mapping[str, type]:
        """The class of each known workflow type."""
        return self._classes

    @property
    def fragments(self) -> Mapping[str, FragmentOffer]:
        """What conversations are offered, by workflow type."""
        return self._fragments

    @property
    def selectors(self) -> Mapping[str, Function]:
        """The selectors by name."""
        return self._selectors

    @property
    def predicates(self) -> Mapping[str, Function]:
        """The predicates by name."""
        return self._predicates

    # What a plan means, by what was given with it or by what is known

    def signature(self, call: Call) -> Signature | None:
        """What the workflow of a call takes and gives; nothing if there is none of that name."""
        return Signature.of(call.cls) if call.cls is not None else self._workflows.get(call.workflow)

    def selector(self, dynamic: Dynamic) -> Function | None:
        """The selector of a choice; nothing if there is none of that name."""
        return Function.of(dynamic.function) if dynamic.function else self._selectors.get(dynamic.selector)

    def predicate(self, named: Named) -> Function | None:
        """The predicate of a condition; nothing if there is none of that name."""
        return Function.of(named.function) if named.function else self._predicates.get(named.predicate)

    def choose(self, dynamic: Dynamic, value: JsonValue) -> str:
        """Ask a selector.

        Raises:
            FunctionError: It has no answer.
        """
        selector = self.selector(dynamic)
        answer = selector(value) if selector else None
        if not isinstance(answer, str):
            raise FunctionError(f"selector '{dynamic.selector}' " + (f"answered {answer!r}" if selector else _GONE))
        return answer

    def ask(self, named: Named, value: JsonValue) -> bool:
        """Ask a predicate.

        Raises:
            FunctionError: It has no answer.
        """
        predicate = self.predicate(named)
        answer = predicate(value) if predicate else None
        if not isinstance(answer, bool):
            raise FunctionError(f"predicate '{named.predicate}' " + (f"answered {answer!r}" if predicate else _GONE))
        return answer


_GONE: Final = "is not known to this worker"

REGISTRY: Final = Registry()
"""What is known in this process."""


def known(names: Iterable[str], wrong: str) -> str:
    """Say which names there are; if one is close to a wrong one, only that.

    Args:
        names: The names.
        wrong: What was written.
    """
    names = sorted(names)
    close = get_close_matches(wrong, names, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known are: {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}" if names else "none is known"
