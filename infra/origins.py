"""Where each setting comes from: a line of the file or a variable of the environment; else its default holds."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

Key = tuple[str, ...]
"""A setting by its tables and its name."""

T = TypeVar("T", int, str)

SEPARATOR: Final = "__"
"""What is between tables and names in a variable's name."""

_HEADER: Final = re.compile(r"\s*\[([^\[\]]+)\]\s*(#.*)?$")
_ASSIGNMENT: Final = re.compile(r"\s*([^#=\[][^=]*)=")


class Source(StrEnum):
    """Where a setting may come from."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Origin:
    """Where a setting comes from."""

    source: Source
    place: str | None = None
    """`parley.toml:7`, or the name of the variable; nothing for a default."""

    def __str__(self) -> str:
        return self.place or self.source.value


@dataclass(frozen=True)
class Origins:
    """Where the settings come from."""

    file: Path | None
    tables: Mapping[Key, int]
    """The lines of the file where tables begin."""

    keys: Mapping[Key, int]
    """The lines where keys are given."""

    variables: Mapping[Key, str]
    """The variables of the environment that give keys."""

    def of(self, key: Key) -> Origin:
        """Say where a setting comes from, or a table, or what is inside a setting."""
        if variable := _closest(self.variables, key):
            return Origin(Source.ENVIRONMENT, variable)
        line = self.tables.get(key) or _closest(self.keys, key)
        return Origin(Source.FILE, f"{self.file}:{line}") if line else Origin(Source.DEFAULT)


def origins(file: Path | None, text: str, variables: Mapping[str, str], prefix: str) -> Origins:
    """Find out where settings come from.

    Args:
        file: The file, if there is one.
        text: What is in it; it must be TOML.
        variables: The environment.
        prefix: What the names of the variables begin with that are settings.
    """
    tables: dict[Key, int] = {}
    keys: dict[Key, int] = {}
    table: Key = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = next(_paths(_parsed(f"[{header[1]}]")), ())
            tables[table] = number
        elif given := _ASSIGNMENT.match(line):
            # The line itself says more than its key, where the value is a table and ends on it.
            for path in _paths(_parsed(line) or _parsed(f"{given[1]}= 0")):
                keys[table + path] = number
    return Origins(file, tables, keys, dict(_variables(variables, prefix)))


def _closest(given: Mapping[Key, T], key: Key) -> T | None:
    """What gives a key, or a part of it, or most closely what it is a part of."""
    for path, place in given.items():
        if path[: len(key)] == key:
            return place
    outer = (key[:length] for length in range(len(key) - 1, 0, -1))
    return next((given[path] for path in outer if path in given), None)


def _variables(variables: Mapping[str, str], prefix: str) -> Iterator[tuple[Key, str]]:
    # A variable for a key wins over one for its table, and pydantic-settings doesn't mind their case.
    for name in sorted(variables, key=len):
        if name.upper().startswith(prefix):
            key = tuple(name[len(prefix) :].lower().split(SEPARATOR))
            try:
                inner = json.loads(variables[name])
            except ValueError:
                inner = None
            yield from ((key + path, name) for path in (_paths(inner) if isinstance(inner, dict) else [()]))


def _parsed(text: str) -> dict[str, object]:
    """Parse a line; nothing where it is only a part of a value."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _paths(tables: Mapping[str, object]) -> Iterator[Key]:
    """The keys in tables, with those of inner tables."""
    for name, value in tables.items():
        if isinstance(value, dict) and value:
            yield from ((name, *path) for path in _paths(value))
        else:
            yield (name,)
