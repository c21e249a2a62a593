"""Selectors and predicates: pure functions of a value that developers register, and plans name."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import JsonValue, ValidationError
from pydantic_core import to_json

from signals.wire import one_line
from workflows.compiled.types import adapter


class FunctionError(Exception):
    """A selector or a predicate has no answer; the text says why, in one line."""


@dataclass(frozen=True)
class Function:
    """A function of one value."""

    name: str
    call: Callable[..., object]
    accepts: object
    """The annotation of its parameter; `Any` if it has none."""

    @classmethod
    def of(cls, function: Callable[..., object]) -> "Function":
        """Read a function.

        Raises:
            TypeError: It isn't a function of one value.
        """
        parameters = list(inspect.signature(function).parameters)
        if len(parameters) != 1 or inspect.iscoroutinefunction(function):
            raise TypeError(f"{function.__qualname__}: a selector or predicate is a plain function of one value")
        hints = get_type_hints(function, include_extras=True)
        return cls(function.__name__, function, hints.get(parameters[0], Any))

    def __call__(self, value: JsonValue) -> object:
        """Ask it.

        Raises:
            FunctionError: The value doesn't fit, or the function raised.
        """
        try:
            given = read(self.accepts, value)
        except ValidationError as error:
            raise FunctionError(f"'{self.name}' is given what it doesn't accept: {one_line(error)}") from None
        try:
            return self.call(given)
        except Exception as error:  # whatever it is, the run must end with it and not try for ever
            raise FunctionError(f"'{self.name}' raised {type(error).__name__}: {error}") from error


def read(hint: object, value: JsonValue) -> object:
    """Make of JSON what an annotation asks for, as a workflow would get it.

    Raises:
        ValidationError: It doesn't fit.
    """
    return adapter(hint).validate_json(to_json(value))
