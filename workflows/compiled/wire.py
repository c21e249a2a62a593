"""Whether values of an annotation can cross the wire: as JSON, all of them, and back."""

from collections import abc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, get_origin

from pydantic import JsonValue

from workflows.compiled.findings import Code, Severity
from workflows.compiled.types import UNWRITABLE, adapter, shown

MAX_SENT_BYTES: Final = 1_900_000
"""The largest value that the boundary lets through."""


@dataclass(frozen=True)
class Misfit:
    """Why an annotation is nothing for the wire."""

    message: str
    remedy: str
    code: Code = Code.NOT_SERIALISABLE
    severity: Severity = Severity.ERROR


def misfit(hint: object) -> Misfit | None:
    """Say why values of an annotation can't be sent; nothing if they can."""
    if get_origin(hint) in (abc.Iterator, abc.Generator):
        return Misfit(f"{shown(hint)} can be gone through only once", "return a tuple or a list")
    try:
        schema = adapter(hint).json_schema()
    except UNWRITABLE:
        remedy = "use a pydantic model, a dataclass or plain JSON types"
        return Misfit(f"{shown(hint)} can't be written as JSON", remedy)
    if hint is bytes:
        return None  # by itself it is sent as it is
    return next((fault for place, inner in _parts(schema, shown(hint)) if (fault := _fault(place, inner))), None)


def _fault(place: str, schema: dict[str, JsonValue]) -> Misfit | None:
    if schema.get("format") == "binary":
        remedy = "use pydantic's Base64Bytes, or say where they are kept"
        return Misfit(f"{place} is bytes, and JSON has only text", remedy)
    most = schema.get("maxLength", 0)
    if isinstance(most, int) and most > MAX_SENT_BYTES:
        message = f"{place} may have {most:,} characters, and at most {MAX_SENT_BYTES:,} bytes can be sent"
        return Misfit(message, "lower its max_length, or say where it is kept", Code.EXCEEDS_WIRE, Severity.WARNING)
    return None


def _parts(schema: JsonValue, place: str) -> Iterator[tuple[str, dict[str, JsonValue]]]:
    """All schemas within a schema, each with the name of what it describes."""
    if isinstance(schema, list):
        for inner in schema:
            yield from _parts(inner, place)
    if not isinstance(schema, dict):
        return
    yield place, schema
    for key, inner in schema.items():
        if key in ("properties", "$defs") and isinstance(inner, dict):
            for name, part in inner.items():
                yield from _parts(part, name if key == "$defs" else f"{place}.{name}")
        elif key in ("items", "prefixItems", "additionalProperties", "anyOf", "oneOf", "allOf"):
            yield from _parts(inner, place)
