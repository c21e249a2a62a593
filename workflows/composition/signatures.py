"""What a workflow class takes and gives, read from its annotations. Pure."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, get_type_hints


class Signature(NamedTuple):
    """What a workflow takes and gives."""

    inputs: int
    """How many inputs it needs; a plan gives one, or none."""

    request: object
    """The annotation of its input."""

    result: object
    """The annotation of its result."""

    @classmethod
    def of(cls, flow: type) -> "Signature":
        """Read a workflow class.

        Raises:
            TypeError: It isn't one.
        """
        run = _definition(flow).run_fn
        parameters = list(inspect.signature(run).parameters.values())[1:]
        hints = get_type_hints(run, include_extras=True)
        needed = sum(parameter.default is inspect.Parameter.empty for parameter in parameters)
        request = hints.get(parameters[0].name, Any) if parameters else None
        return cls(max(needed, min(len(parameters), 1)), request, hints.get("return", Any))


def workflow_name(flow: type) -> str:
    """The name of a workflow class's type.

    Raises:
        TypeError: It isn't a workflow class.
    """
    return _definition(flow).name or flow.__name__


class _Definition(Protocol):
    cls: type
    name: str | None
    run_fn: Callable[..., object]


def _definition(flow: type) -> _Definition:
    # The SDK keeps what it knows of a workflow class there, and has no public way to ask for it.
    definition: _Definition | None = getattr(flow, "__temporal_workflow_definition", None)
    if definition is None or definition.cls is not flow:
        raise TypeError(f"{flow.__qualname__} is no workflow class: decorate it with @compiled or @workflow.defn")
    return definition
