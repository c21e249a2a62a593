"""Whether one annotation accepts what another one promises, as a type checker would decide it.

The libraries that compare annotations at run time refuse `tuple[int, ...]` for `Sequence[int]` and know no
variance, so the rules that steps need are here. What can't be known at run time is accepted.
"""

import types
from collections import abc
from typing import (
    Annotated,
    Any,
    Final,
    ForwardRef,
    Literal,
    Never,
    NewType,
    NoReturn,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from pydantic import ConfigDict, JsonValue, PydanticUserError, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError
from pydantic_core import to_json

from signals.wire import one_line

UNWRITABLE: Final = (PydanticSchemaGenerationError, PydanticUserError)
"""What pydantic raises for a type that can't be written as JSON."""

IN_BASE64: Final = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
"""How bytes are written in JSON, which has only text."""

_INVARIANT: Final = (list, set, dict, abc.MutableSequence, abc.MutableSet, abc.MutableMapping)
"""What can be written to through the target: `list[bool]` is no `list[int]`."""

_PROMOTED: Final = {int: (float, complex), float: (complex,)}
"""Numbers that may stand for wider ones (PEP 484)."""

_HELD: Final[dict[type, tuple[object, ...]]] = {str: (str,), bytes: (int,)}
"""What classes hold that have no type parameter to say it with."""


def fits(source: object, target: object) -> bool:
    """Tell whether a value that is annotated `source` may be given where `target` is asked for."""
    source, target = _bare(source), _bare(target)
    if source in (Any, Never, NoReturn) or target in (Any, object) or source == target:
        return True
    source, target = _meant(source), _meant(target)
    if is_union(source):
        return all(fits(member, target) for member in get_args(source))
    if get_origin(source) is Literal:
        return all(_value_fits(value, target) for value in get_args(source))
    if is_union(target):
        return any(fits(source, member) for member in get_args(target))
    if isinstance(source, NewType):
        return fits(source.__supertype__, target)
    if is_typeddict(source) or is_typeddict(target):
        return _typeddict_fits(source, target)
    return _class_fits(source, target)


def is_union(hint: object) -> bool:
    """Tell whether an annotation is a union."""
    return get_origin(hint) in (Union, types.UnionType)


def without_none(hint: object) -> object:
    """Take `None` out of a union; what is left is the annotation of the value that is there."""
    if get_origin(hint) is Annotated:
        inner, *metadata = get_args(hint)
        return Annotated[(without_none(inner), *metadata)]
    if not is_union(hint):
        return hint
    # Union[...] of several members can only be built by subscripting at run time.
    return Union[tuple(member for member in get_args(hint) if member is not type(None))]  # noqa: UP007


def adapter(hint: object) -> TypeAdapter[object]:
    """Make what reads and writes values of an annotation."""
    # A model has a configuration of its own, and refuses another one.
    config = IN_BASE64 if _bare(without_none(hint)) is bytes else None
    return TypeAdapter(cast(Any, hint), config=config)  # Any: no type covers every annotation


def from_json(hint: object, value: JsonValue) -> object:
    """Make a value of an annotation from JSON; strict models too accept dates and the like, as JSON writes them.

    Raises:
        ValidationError: It doesn't fit.
    """
    return adapter(hint).validate_json(to_json(value))


def misfit(hint: object, value: object) -> str | None:
    """Say how a value is none of an annotation, in one line and without the value; nothing where it is one.

    Nothing is converted: text is no number, and a dict no model.
    """
    try:
        adapter(hint).validate_python(value, strict=True)
    except ValidationError as error:
        return one_line(error)
    return None


def shown(hint: object) -> str:
    """Write an annotation as a developer would."""
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("typing.", "")


def _bare(hint: object) -> object:
    if isinstance(hint, str | ForwardRef):
        return Any  # inside a recursive alias
    if isinstance(hint, TypeVar):
        return hint.__bound__ or object
    if get_origin(hint) is Annotated:
        return _bare(get_args(hint)[0])
    return type(None) if hint is None else hint


def _meant(hint: object) -> object:
    """What an alias made with `TypeAliasType` stands for, such as pydantic's `JsonValue`."""
    return _bare(getattr(hint, "__value__", hint))


def _value_fits(value: object, target: object) -> bool:
    if is_union(target):
        return any(_value_fits(value, _bare(member)) for member in get_args(target))
    if get_origin(target) is Literal:
        return any(value == other and type(value) is type(other) for other in get_args(target))
    return fits(type(value), target)


def _typeddict_fits(source: object, target: object) -> bool:
    if not is_typeddict(source):
        return False
    if not is_typeddict(target):
        return fits(abc.Mapping[str, object], target)
    return get_type_hints(target).items() <= get_type_hints(source).items()


def _class_fits(source: object, target: object) -> bool:
    (source_class, _), (target_class, wanted) = _split(source), _split(target)
    if not isinstance(source_class, type) or not isinstance(target_class, type):
        return False
    if any(issubclass(source_class, narrow) and target_class in wide for narrow, wide in _PROMOTED.items()):
        return True
    if not _is_subclass(source_class, target_class):
        return False
    given = _arguments(source, target_class)
    if not wanted or not given:
        return True
    if target_class is tuple:
        return _tuple_fits(given, wanted)
    # Of a mapping that is only iterated over, the values don't matter; so there may be more given than wanted.
    pairs = enumerate(zip(given, wanted, strict=False))
    return all(fits(one, other) and (_varies(target_class, n) or fits(other, one)) for n, (one, other) in pairs)


def _is_subclass(source: type, target: type) -> bool:
    try:
        return issubclass(source, target)
    except TypeError:
        return True  # a protocol that can't be checked at run time


def _split(hint: object) -> tuple[object, tuple[object, ...]]:
    """The class and the arguments of an annotation; pydantic makes real classes of its generic models."""
    metadata = getattr(hint, "__pydantic_generic_metadata__", None)
    if metadata and metadata["origin"]:
        return metadata["origin"], metadata["args"]
    return get_origin(hint) or hint, get_args(hint)


def _arguments(source: object, target_class: type) -> tuple[object, ...]:
    """What the source says of the target's type parameters; empty where it says nothing."""
    source_class, given = _split(source)
    if source_class is target_class or not isinstance(source_class, type):
        return given
    # Generic classes of the standard library have the parameters of what they are subclasses of.
    bases = vars(source_class).get("__orig_bases__") or (() if given else source_class.__bases__)
    for base in bases:
        base_class, _ = _split(base)
        if isinstance(base_class, type) and _is_subclass(base_class, target_class):
            return _arguments(_bound(base, source_class, given), target_class)
    if source_class is tuple:
        return (Union[tuple(item for item in given if item is not Ellipsis)],) if given else ()  # noqa: UP007
    return given or _HELD.get(source_class, ())


def _bound(base: object, source_class: type, given: tuple[object, ...]) -> object:
    """A base as a subclass has it: where `Sub[T]` is a `Base[list[T]]`, `Sub[int]` is a `Base[list[int]]`."""
    names = getattr(base, "__parameters__", ())
    values = dict(zip(getattr(source_class, "__parameters__", ()), given, strict=False))
    return cast(Any, base)[tuple(values.get(name, Any) for name in names)] if names else base


def _varies(target_class: type, index: int) -> bool:
    """Whether a narrower argument will do for a type parameter of the target."""
    parameters = getattr(target_class, "__parameters__", ())
    if index < len(parameters):
        return bool(getattr(parameters[index], "__covariant__", False))
    is_key = index == 0 and issubclass(target_class, abc.Mapping)
    return not is_key and not issubclass(target_class, _INVARIANT)


def _tuple_fits(given: tuple[object, ...], wanted: tuple[object, ...]) -> bool:
    items = tuple(item for item in given if item is not Ellipsis)
    if Ellipsis in wanted:
        return all(fits(item, wanted[0]) for item in items)
    return Ellipsis not in given and len(items) == len(wanted) and all(map(fits, items, wanted))
