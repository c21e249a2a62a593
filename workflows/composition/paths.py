"""Places in a value, such as `order.items.0`: what is there, and of which type. Pure."""

import dataclasses
from collections.abc import Mapping
from typing import (
    Annotated,
    Any,
    Final,
    NamedTuple,
    TypeAlias,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from pydantic import BaseModel, JsonValue, StringConstraints

from workflows.compiled.types import is_union
from workflows.composition.types import array_of, is_anything, plain

Path = Annotated[str, StringConstraints(max_length=500)]
"""Names of fields and numbers of items, with dots between them; empty for the whole value."""

DOT: Final = "."


class Field(NamedTuple):
    """A field of an object."""

    hint: object
    required: bool


class Nowhere(NamedTuple):
    """There is nothing at a path."""

    name: str
    """The part of the path that nothing is called."""

    known: tuple[str, ...]
    """What is there instead."""


Fields: TypeAlias = dict[str, Field]


def value_at(value: JsonValue, path: str) -> JsonValue:
    """Give what is at a path; null where there is nothing."""
    for name in _names(path):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def hint_at(hint: object, path: str) -> object | Nowhere:
    """Give the annotation of what is at a path; `Any` where that can't be known."""
    for name in _names(path):
        hint = _within(hint, name)
        if isinstance(hint, Nowhere):
            return hint
    return hint


def fields_of(hint: object) -> Fields | None:
    """The fields of an object by their names in JSON; nothing if the annotation doesn't say."""
    hint = plain(hint)
    if not isinstance(hint, type):
        return None
    if issubclass(hint, BaseModel):
        return {
            field.serialization_alias or name: Field(field.annotation, field.is_required())
            for name, field in hint.model_fields.items()
        }
    if dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint, include_extras=True)
        return {
            field.name: Field(
                hints[field.name],
                field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
            )
            for field in dataclasses.fields(hint)
        }
    if is_typeddict(hint):
        required: frozenset[str] = getattr(hint, "__required_keys__", frozenset())
        return {name: Field(kind, name in required) for name, kind in get_type_hints(hint).items()}
    return None


def _names(path: str) -> list[str]:
    return path.split(DOT) if path else []


def _within(hint: object, name: str) -> object | Nowhere:
    hint = plain(hint)
    if is_anything(hint):
        return Any
    if is_union(hint):
        return _within_union(get_args(hint), name)
    fields = fields_of(hint)
    if fields is not None:
        return fields[name].hint if name in fields else Nowhere(name, tuple(fields))
    origin, arguments = get_origin(hint) or hint, get_args(hint)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return arguments[1] if len(arguments) == 2 else Any
    array = array_of(hint)
    if array is None or not name.isdecimal():
        return Nowhere(name, ())
    if array.items is None:
        return array.every
    known = tuple(str(number) for number in range(len(array.items)))
    return array.items[int(name)] if name in known else Nowhere(name, known)


def _within_union(members: tuple[object, ...], name: str) -> object | Nowhere:
    """What any of the members has there; where one hasn't got it, or is null, it is null."""
    found = [_within(member, name) for member in members if member is not type(None)]
    there = [hint for hint in found if not isinstance(hint, Nowhere)]
    if not there:
        known = dict.fromkeys(name for hint in found if isinstance(hint, Nowhere) for name in hint.known)
        return Nowhere(name, tuple(known))
    if len(there) < len(members):
        there.append(None)
    return Union[tuple(there)]  # noqa: UP007  of as many as there are
