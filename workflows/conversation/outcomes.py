"""Typed outcomes: a proposal is held to the JSON Schema that the conversation was opened with."""

from functools import lru_cache
from typing import Any

import jsonschema
from jsonschema.protocols import Validator
from pydantic import JsonValue
from referencing import Registry

JsonSchema = dict[str, JsonValue]


def schema_fault(schema: JsonSchema) -> str | None:
    """Say why something isn't a JSON Schema; nothing if it is one."""
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        return _told(error)
    return None


def outcome_fault(schema: JsonSchema | None, outcome: JsonValue) -> str | None:
    """Say why an outcome doesn't fit; nothing if it does, or if any outcome will do."""
    if schema is None:
        return None
    error = jsonschema.exceptions.best_match(_validator(_Key(schema)).iter_errors(outcome))
    return _told(error) if error is not None else None


class _Key:
    """A schema that can be looked up by identity: a conversation's own stays the same object all its life."""

    def __init__(self, schema: JsonSchema) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.schema is self.schema


@lru_cache(maxsize=256)
def _validator(key: _Key) -> Validator:
    # An empty registry: a schema that refers to an address must not make anybody fetch it.
    registry: Registry[Any] = Registry()  # Any: the library's own type for what a registry holds
    return jsonschema.Draft202012Validator(key.schema, registry=registry)


def _told(error: "jsonschema.ValidationError | jsonschema.SchemaError") -> str:
    where = ".".join(str(part) for part in error.absolute_path) or "outcome"
    return f"{where}: {error.message}"[:300]
