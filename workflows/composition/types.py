"""Whether what one workflow gives may be given to another one, as JSON. Pure.

Beside the rules of the compiler: an array is an array, whether Python has it as a list, a set or a tuple, and
nobody writes to it on the way. An object of no known shape may be any object. A model must be assignable to
the other one, not merely look like it.
"""

import re
from collections import abc, deque
from typing import Annotated, Any, Final, ForwardRef, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue

from workflows.compiled.types import fits, is_union, shown

_MODULES: Final = re.compile(r"\b[\w.]+\.(?=\w)")

_ARRAYS: Final = (
    list, set, frozenset, deque, abc.Sequence, abc.MutableSequence, abc.Set, abc.MutableSet, abc.Collection,
    abc.Iterable,
)  # fmt: skip


class Array(NamedTuple):
    """A JSON array."""

    every: object
    """The annotation that fits all of its items."""

    items: tuple[object, ...] | None = None
    """The annotations of its items one by one, where their number is known."""


def feeds(source: object, target: object) -> bool:
    """Tell whether a value annotated `source` may be sent to a workflow that asks for `target`."""
    source, target = plain(source), plain(target)
    if is_anything(source) or is_anything(target):
        return True
    if is_union(source):
        return all(feeds(member, target) for member in get_args(source))
    if get_origin(source) is Literal:
        return fits(source, target)
    if is_union(target):
        return any(feeds(source, member) for member in get_args(target))
    given, wanted = array_of(source), array_of(target)
    if given and wanted:
        return _array_feeds(given, wanted)
    if given or wanted:
        return False
    return _is_loose_object(source, target) or fits(source, target)


def either(*hints: object) -> object:
    """The annotation of a value that has one of several."""
    return Any if any(is_anything(hint) for hint in hints) else Union[tuple(hints)]  # noqa: UP007  of any number


def named(hint: object) -> str:
    """Write an annotation as people read it, without modules."""
    return _MODULES.sub("", shown(hint))


def plain(hint: object) -> object:
    """Take away what says nothing about the type."""
    return plain(get_args(hint)[0]) if get_origin(hint) is Annotated else hint


def is_anything(hint: object) -> bool:
    """Tell whether an annotation says nothing, or names what can't be looked up from here."""
    return hint is Any or hint is object or hint is JsonValue or isinstance(hint, str | ForwardRef)


def array_of(hint: object) -> Array | None:
    """Read an annotation as a JSON array; nothing if it isn't one."""
    origin, arguments = get_origin(hint) or hint, get_args(hint)
    if origin is tuple:
        if arguments and arguments[-1] is not Ellipsis:
            return Array(either(*arguments), arguments)
        return Array(arguments[0] if arguments else Any)
    return Array(arguments[0] if arguments else Any) if origin in _ARRAYS else None


def _array_feeds(given: Array, wanted: Array) -> bool:
    if wanted.items is None:
        return feeds(given.every, wanted.every)
    if given.items is None or len(given.items) != len(wanted.items):
        return False
    return all(map(feeds, given.items, wanted.items))


def _is_loose_object(source: object, target: object) -> bool:
    """Whether one of them is an object of no known shape, and the other one an object too."""
    return any(
        _is_loose(one) and (_is_loose(other) or (isinstance(other, type) and issubclass(other, BaseModel)))
        for one, other in ((source, target), (target, source))
    )


def _is_loose(hint: object) -> bool:
    origin, arguments = get_origin(hint) or hint, get_args(hint)
    return origin in (dict, abc.Mapping, abc.MutableMapping) and (not arguments or is_anything(plain(arguments[1])))
