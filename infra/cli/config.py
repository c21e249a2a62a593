"""`config`: prints the settings that are in force, and where each comes from."""

import argparse
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, JsonValue
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.cli.commands import Commands
from infra.config import Reading, read_config
from infra.origins import Key, Origin

HIDDEN: Final = "***"

_SECRET: Final = re.compile(r"(password|secret|token|key|credential)s?$")
"""How names of keys end whose values nobody may see."""

_IN_ADDRESS: Final = re.compile(
    r"(?<=://)([^/@\s]*:)?[^/@\s]*(?=@)|(?<=[?&;])(\w*(?:password|secret|token|key)\w*=)[^&;\s]*"
)
"""Who signs on, with which password, and what is as good as one, in an address."""


@dataclass(frozen=True)
class Setting:
    """A setting that is in force."""

    key: Key
    value: JsonValue
    origin: Origin


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command."""
    parser = commands.add_parser("config", help="print the settings in force, and where each comes from")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the settings (default: ./parley.toml, if there)")
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print the settings.

    Raises:
        SetupError: They can't be read, or are not right.
    """
    settings = list(in_force(read_config(options.config)))
    if options.json:
        print(json.dumps({".".join(one.key): _as_json(one) for one in settings}, indent=2, ensure_ascii=False))
    else:
        _show(settings, Console(highlight=False))
    return 0


def in_force(reading: Reading) -> Iterator[Setting]:
    """Give the settings, each with where it comes from; what is secret is hidden."""
    for key, value in _leaves(reading.config, ()):
        yield Setting(key, masked(key[-1], value), reading.origins.of(key))


def masked(name: str, value: JsonValue) -> JsonValue:
    """Hide what nobody may see: all of a secret, and in an address what signs on with it.

    Args:
        name: The name of the key.
        value: Its value.
    """
    match value:
        case dict():
            return {inner: masked(inner, one) for inner, one in value.items()}
        case list():
            return [masked(name, one) for one in value]
        case str() if value and _SECRET.search(name):
            return HIDDEN
        case str():
            return _IN_ADDRESS.sub(lambda found: f"{found[1] or found[2] or ''}{HIDDEN}", value)
        case _:
            return value


def _leaves(model: BaseModel, tables: Key) -> Iterator[tuple[Key, JsonValue]]:
    written: dict[str, JsonValue] = model.model_dump(mode="json")
    inner: list[tuple[str, BaseModel]] = []
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            inner.append((name, value))
        elif field.exclude:
            yield (*tables, name), None if value is None else HIDDEN
        else:
            yield (*tables, name), written[name]
    for name, table in inner:
        yield from _leaves(table, (*tables, name))


def _as_json(setting: Setting) -> dict[str, JsonValue]:
    return {"value": setting.value, "source": setting.origin.source, "place": setting.origin.place}


def _show(settings: list[Setting], console: Console) -> None:
    table = Table("key", "value", "from", box=None, pad_edge=False)
    section: Key = ()
    for setting in settings:
        if setting.key[:-1] != section:
            section = setting.key[:-1]
            table.add_row(Text(f"[{'.'.join(section)}]", "bold"))
        value = json.dumps(setting.value, ensure_ascii=False)
        table.add_row(
            Text(f"  {setting.key[-1]}"), Text(value, overflow="fold"), Text(str(setting.origin), overflow="fold")
        )
    console.print(table)
