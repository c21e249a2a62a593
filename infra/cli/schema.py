"""`schema`: prints the JSON Schema of what crosses the wire and of `parley.toml`, for editors and other languages."""

import argparse
import difflib
import importlib
import json
import pkgutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import BaseModel, JsonValue
from pydantic.json_schema import GenerateJsonSchema

import signals
import workflows
from infra.cli.commands import Commands
from infra.config import DEFAULT_FILE, Config
from infra.errors import SetupError
from signals.wire import Wire

Schema = dict[str, JsonValue]

CONFIG: Final = str(DEFAULT_FILE)
"""The name that the settings' schema goes by."""


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command."""
    parser = commands.add_parser("schema", help="print the JSON Schema of messages, results and settings")
    parser.add_argument("name", nargs="?", metavar="NAME", help=f"a model, such as Turn, or {CONFIG} (default: all)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write NAME.json there for each, instead of printing")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print the schemas, or write them.

    Raises:
        SetupError: There is no such model, or the folder can't be written to.
    """
    models = known_models()
    if options.name:
        models = {options.name: _model(options.name, models)}
    schemas: dict[str, Schema] = {name: schema_of(model) for name, model in models.items()}
    if options.out:
        _write(schemas, options.out)
    else:
        print(_text(schemas[options.name] if options.name else schemas), end="")
    return 0


def known_models() -> dict[str, type[BaseModel]]:
    """Every public model of the wire that no other one extends, and the settings, by name.

    A name that several have is written with the module's: `messages.Join`.
    """
    for package in (signals, workflows):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    packages = (signals.__name__, workflows.__name__)
    below = (model for model in _below(Wire) if model.__module__.partition(".")[0] in packages)
    wire = {model for model in below if not model.__subclasses__() and not model.__name__.startswith("_")}
    counts = Counter(model.__name__ for model in wire)
    named = {_name(model, alone=counts[model.__name__] == 1): model for model in wire}
    return {**dict(sorted(named.items())), CONFIG: Config}


def _name(model: type[BaseModel], *, alone: bool) -> str:
    return model.__name__ if alone else f"{model.__module__.rpartition('.')[2]}.{model.__name__}"


def schema_of(model: type[BaseModel]) -> Schema:
    """The JSON Schema of a model."""
    return {"$schema": GenerateJsonSchema.schema_dialect, **model.model_json_schema()}


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for inner in model.__subclasses__():
        yield inner
        yield from _below(inner)


def _model(name: str, models: dict[str, type[BaseModel]]) -> type[BaseModel]:
    if name in models:
        return models[name]
    near = difflib.get_close_matches(name, models, n=3)
    told = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(models)}"
    raise SetupError(f"there is no model '{name}'; {told}")


def _write(schemas: dict[str, Schema], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in schemas.items():
            (folder / f"{name}.json").write_text(_text(schema))
    except OSError as error:
        raise SetupError(f"{error.filename or folder}: {error.strerror}") from error


def _text(value: Schema | dict[str, Schema]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
