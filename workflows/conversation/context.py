"""What a fragment needs: which fields, whether values fit them, and what people's words say for them. Pure.

A context is a JSON Schema of an object. It is looked at by its fields, since not all of them are known at once.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NoReturn

from pydantic import JsonValue
from typing_extensions import TypeIs

from signals.fragments import MAX_OFFERS_BYTES, FragmentOffer
from workflows.conversation.outcomes import JsonSchema, schema_fault, value_fault

MAX_HOPS: Final = 20
"""How many references within a schema are followed, one leading to the next."""

MAX_ALTERNATIVES: Final = 20
"""How many branches of a union are looked at."""

MAX_DESCRIPTION: Final = 120
"""How much of a field's description people are told, in characters."""

_ROOT: Final = "input"
"""What the whole of a context is called where no field of it is at fault."""

_NAMED: Final = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*[:=]\s*(\S.*)")

_YES: Final = frozenset({"yes", "y", "true", "on"})
_NO: Final = frozenset({"no", "n", "false", "off"})

_KINDS: Final[Mapping[JsonValue, str]] = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "yes or no",
    "array": "a JSON list",
    "object": "a JSON object",
    "null": "null",
}

_FORMATS: Final[Mapping[JsonValue, str]] = {
    "date": "a date such as 2026-03-01",
    "date-time": "a time such as 2026-03-01T12:00Z",
    "time": "a time of day such as 12:00",
    "email": "an email address",
    "uuid": "a UUID",
}


def context_fault(context: JsonSchema) -> str | None:
    """Say why something can't serve as a context; nothing if it can."""
    if fault := schema_fault(context):
        return fault
    root = _resolved(context, context)
    if root.get("type") != "object" or not isinstance(root.get("properties"), dict):
        return "it must be of the type object, with properties"
    return None


def offers_fault(offers: Mapping[str, FragmentOffer]) -> str | None:
    """Say why some fragments can't be offered, beginning with the place of the one; nothing if all can.

    Args:
        offers: The fragments, by their places.
    """
    for place, offer in offers.items():
        if fault := context_fault(offer.context):
            return f"{place}.context: {fault}"
        if unknown := next((name for name in offer.bound if name not in fields_of(offer.context)), None):
            return f"{place}.bound.{unknown}: the context has no such field"
    size = sum(len(offer.model_dump_json().encode()) for offer in offers.values())
    if size > MAX_OFFERS_BYTES:
        return f"fragments: they have {size:,} bytes of JSON together, at most {MAX_OFFERS_BYTES:,} are allowed"
    return None


def fields_of(context: JsonSchema) -> dict[str, JsonSchema]:
    """The schemas of the fields, by name."""
    return {name: _resolved(context, schema) for name, schema in _properties(context).items()}


def _properties(context: JsonSchema) -> dict[str, JsonSchema]:
    properties = _resolved(context, context).get("properties")
    found = properties if isinstance(properties, dict) else {}
    return {name: schema for name, schema in found.items() if isinstance(schema, dict)}


def required_by(context: JsonSchema) -> tuple[str, ...]:
    """The fields that must be there."""
    required = _resolved(context, context).get("required")
    return tuple(name for name in required if isinstance(name, str)) if isinstance(required, list) else ()


def without(context: JsonSchema, names: Sequence[str]) -> JsonSchema:
    """A context without some of its fields, in which nothing is required."""
    root = _resolved(context, context)
    kept: dict[str, JsonValue] = {name: schema for name, schema in _properties(context).items() if name not in names}
    rest = {key: value for key, value in root.items() if key not in ("required", "properties", "$defs")}
    definitions = {"$defs": context["$defs"]} if "$defs" in context else {}
    return {**rest, "properties": kept, **definitions}


def misfit(context: JsonSchema, arguments: Mapping[str, JsonValue]) -> str | None:
    """Say which argument doesn't fit, beginning with its name; nothing where those that are there do."""
    return _fault(without(context, ()), arguments)


def whole_misfit(context: JsonSchema, arguments: Mapping[str, JsonValue]) -> str | None:
    """Say what doesn't fit where all is there that is needed; nothing where it does."""
    return _fault(context, arguments)


def _fault(schema: JsonSchema, arguments: Mapping[str, JsonValue]) -> str | None:
    fault = value_fault(schema, dict(arguments), _ROOT, formats=True)
    return fault.removeprefix(f"{_ROOT}: ") if fault else None


def told(context: JsonSchema, name: str) -> str:
    """Name a field, with what is to be given for it."""
    schema = _properties(context).get(name, {})
    kinds = " or ".join(dict.fromkeys(_kind(one) for one in _alternatives(context, schema)))
    about = schema.get("description")
    described = f"; {' '.join(about.split())[:MAX_DESCRIPTION]}" if isinstance(about, str) and about.strip() else ""
    return f"{name} ({kinds}{described})"


def read(context: JsonSchema, text: str, missing: Sequence[str]) -> dict[str, JsonValue]:
    """Take from what somebody wrote what it says for fields; whether it fits is for `misfit` to say.

    A JSON object with fields, lines of `name: value`, or else the value of the first field that is missing.

    Args:
        context: What is needed.
        text: What was written.
        missing: The fields that are asked for; at least one.
    """
    names = {*fields_of(context), *missing}
    found = _json(text)
    if _is_object(found) and found and found.keys() <= names:
        return dict(found)
    lines = [_NAMED.fullmatch(line.rstrip()) for line in text.splitlines() if line.strip()]
    named = [(line[1], line[2]) for line in lines if line is not None]
    if len(named) == len(lines) and all(name in names for name, _ in named):
        return {name: _value(context, name, value) for name, value in named}
    return {missing[0]: _value(context, missing[0], text.strip())}


def _value(context: JsonSchema, name: str, text: str) -> JsonValue:
    """What a text says for a field: the first reading that fits, or the most likely one that doesn't."""
    schema = fields_of(context).get(name, {})
    kinds = _alternatives(context, schema)
    for value in _readings(kinds, text):
        if misfit(context, {name: value}) is None:
            return value
    meant_as_text = any(kind.get("type", "string") == "string" for kind in kinds)
    scalar = _json(text)
    return text if meant_as_text or scalar is None else scalar


def _readings(kinds: Sequence[JsonSchema], text: str) -> Iterator[JsonValue]:
    parsed = _json(text)
    if isinstance(parsed, dict | list):
        yield parsed
    for kind in kinds:
        allowed = kind.get("enum", [kind["const"]] if "const" in kind else [])
        for one in allowed if isinstance(allowed, list) else ():
            if isinstance(one, str) and one.casefold() == text.casefold():
                yield one
    yield text
    if parsed is not None:
        yield parsed
    if text.casefold() in _YES | _NO:
        yield text.casefold() in _YES


def _kind(schema: JsonSchema) -> str:
    allowed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if isinstance(allowed, list):
        return "one of " + ", ".join(one if isinstance(one, str) else json.dumps(one) for one in allowed[:20])
    kind = schema.get("type")
    if kind == "string" and schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    shown = _KINDS.get(kind, "JSON") if isinstance(kind, str) else "JSON"
    examples = schema.get("examples")
    example = examples[0] if isinstance(examples, list) and examples else None
    return f"{shown} such as {example}" if isinstance(example, str | int | float) else shown


def _alternatives(context: JsonSchema, schema: JsonSchema) -> list[JsonSchema]:
    """The schemas of which a value must fit one; the schema itself, where it is no union."""
    found: list[JsonSchema] = []
    pending = [schema]
    while pending and len(found) < MAX_ALTERNATIVES:
        one = _resolved(context, pending.pop(0))
        branches = one.get("anyOf", one.get("oneOf"))
        if isinstance(branches, list) and len(pending) < MAX_ALTERNATIVES:
            pending[:0] = [branch for branch in branches if isinstance(branch, dict)]
        else:
            found.append(one)
    return found


def _resolved(context: JsonSchema, schema: JsonSchema) -> JsonSchema:
    """A schema, or what it refers to within the context."""
    for _ in range(MAX_HOPS):
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return schema
        target: JsonValue = context
        for part in reference[2:].split("/"):
            target = target.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(target, dict) else None
        if not isinstance(target, dict):
            return schema
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _is_object(value: JsonValue) -> TypeIs[dict[str, JsonValue]]:
    return isinstance(value, dict)


def _json(text: str) -> JsonValue:
    """What a text is as JSON; None where it isn't, or is null."""
    try:
        value: JsonValue = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
