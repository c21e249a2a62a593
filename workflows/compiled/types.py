"""Whether one annotation accepts what another one promises, as a type checker would decide it.

The libraries that compare annotations at run time refuse `tuple[int, ...]` for `Sequence[int]` and know no
variance, so the rules that steps need are here.
"""

import types
from collections import abc
from typing import Annotated, Any, Final, Literal, TypeVar, Union, cast, get_args, get_origin

from pydantic import TypeAdapter

_INVARIANT: Final = (list, set, dict, abc.MutableSequence, abc.MutableSet, abc.MutableMapping)
"""What can be written to through the target: `list[bool]` is no `list[int]`."""

_PROMOTED: Final = {int: (float, complex), float: (complex,)}
"""Numbers that may stand for wider ones (PEP 484)."""


def fits(source: object, target: object) -> bool:
    """Tell whether a value that is annotated `source` may be given where `target` is asked for."""
    source, target = _bare(source), _bare(target)
    if source is Any or target in (Any, object) or source == target:
        return True
    if is_union(source):
        return all(fits(member, target) for member in get_args(source))
    if is_union(target):
        return any(fits(source, member) for member in get_args(target))
    if get_origin(source) is Literal:
        return _literal_fits(source, target)
    if get_origin(target) is Literal:
        return False
    return _class_fits(source, target)


def is_union(hint: object) -> bool:
    """Tell whether an annotation is a union."""
    return get_origin(hint) in (Union, types.UnionType)


def without_none(hint: object) -> object:
    """Take `None` out of a union; what is left is the annotation of the value that is there."""
    if not is_union(_bare(hint)):
        return hint
    members = [member for member in get_args(_bare(hint)) if member is not type(None)]
    # Union[...] of several members can only be built by subscripting at run time.
    return members[0] if len(members) == 1 else Union[tuple(members)]  # noqa: UP007


def adapter(hint: object) -> TypeAdapter[object]:
    """Make what reads and writes values of an annotation."""
    return TypeAdapter(cast(Any, hint))  # Any: no type covers every annotation


def shown(hint: object) -> str:
    """Write an annotation as a developer would."""
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("typing.", "")


def _bare(hint: object) -> object:
    if isinstance(hint, TypeVar):
        return hint.__bound__ or object
    if get_origin(hint) is Annotated:
        return _bare(get_args(hint)[0])
    return type(None) if hint is None else hint


def _literal_fits(source: object, target: object) -> bool:
    if get_origin(target) is Literal:
        return set(get_args(source)) <= set(get_args(target))
    return all(fits(type(value), target) for value in get_args(source))


def _class_fits(source: object, target: object) -> bool:
    source_class, target_class = get_origin(source) or source, get_origin(target) or target
    if not isinstance(source_class, type) or not isinstance(target_class, type):
        return False
    if not issubclass(source_class, target_class) and target_class not in _PROMOTED.get(source_class, ()):
        return False
    wanted = get_args(target)
    given = _arguments(source, source_class, target_class)
    if not wanted or given is None:
        return True
    if source_class is tuple:
        return _tuple_fits(given, target_class, wanted)
    same = issubclass(target_class, _INVARIANT)
    return len(given) == len(wanted) and all(
        fits(one, other) and (not same or fits(other, one)) for one, other in zip(given, wanted, strict=True)
    )


def _tuple_fits(given: tuple[object, ...], target_class: type, wanted: tuple[object, ...]) -> bool:
    items = tuple(item for item in given if item is not Ellipsis)
    if target_class is not tuple or Ellipsis in wanted:
        return all(fits(item, wanted[0]) for item in items)
    return Ellipsis not in given and len(items) == len(wanted) and all(map(fits, items, wanted))


def _arguments(source: object, source_class: type, target_class: type) -> tuple[object, ...] | None:
    """What the source says of the target's type parameters; nothing where it says nothing."""
    for base in getattr(source_class, "__orig_bases__", ()):
        base_class = get_origin(base)
        if source_class is not target_class and isinstance(base_class, type) and issubclass(base_class, target_class):
            bound = dict(zip(getattr(source_class, "__parameters__", ()), get_args(source), strict=False))
            return tuple(bound.get(argument, argument) for argument in get_args(base))
    return get_args(source) or None
