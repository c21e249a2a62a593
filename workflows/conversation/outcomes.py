"""Typed outcomes: a proposal is held to the JSON Schema that the conversation was opened with."""

from collections.abc import Iterator
from functools import lru_cache

import jsonschema
from jsonschema.protocols import Validator
from pydantic import JsonValue
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012, EMPTY_REGISTRY

JsonSchema = dict[str, JsonValue]


def schema_fault(schema: JsonSchema) -> str | None:
    """Say why something can't serve as a JSON Schema; nothing if it can."""
    try:
        jsonschema.Draft202012Validator.check_schema(schema)  # its patterns as well
    except jsonschema.SchemaError as error:
        return _told(error)
    dangling = next(_dangling(schema), None)
    return f"{dangling!r} refers to nothing in it, and nothing is fetched" if dangling is not None else None


def outcome_fault(schema: JsonSchema | None, outcome: JsonValue) -> str | None:
    """Say why an outcome doesn't fit; nothing if it does, or if any outcome will do."""
    if schema is None:
        return None
    try:
        error = jsonschema.exceptions.best_match(_validator(_Key(schema)).iter_errors(outcome))
    except Exception as problem:  # of any kind: a schema may go round in circles, a number be too large for it
        return f"it can't be held to the schema: {type(problem).__name__}: {problem}"[:300]
    return _told(error) if error is not None else None


def _dangling(schema: JsonSchema) -> Iterator[str]:
    """The references of a schema that lead nowhere."""
    waiting = [(schema, EMPTY_REGISTRY.resolver_with_root(DRAFT202012.create_resource(schema)))]
    while waiting:
        part, outer = waiting.pop()
        resolver = outer.in_subresource(DRAFT202012.create_resource(part))
        waiting += [(inner, resolver) for inner in DRAFT202012.subresources_of(part) if isinstance(inner, dict)]
        for reference in (part.get("$ref"), part.get("$dynamicRef")):
            if isinstance(reference, str):
                try:
                    resolver.lookup(reference)
                except Unresolvable:
                    yield reference


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
    return jsonschema.Draft202012Validator(key.schema, registry=EMPTY_REGISTRY)


def _told(error: "jsonschema.ValidationError | jsonschema.SchemaError") -> str:
    where = ".".join(str(part) for part in error.absolute_path) or "outcome"
    return f"{where}: {error.message}"[:300]
