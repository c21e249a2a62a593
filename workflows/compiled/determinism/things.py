"""Python objects as analysis sees them: their full names, their members, the classes that annotations name."""

import functools
import inspect
import sys
from collections import abc, deque
from collections.abc import Iterator
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Annotated, Final, TypeVar, get_args, get_origin, get_type_hints

from workflows.compiled.types import is_union

UNKNOWN: Final = object()
"""The value of something that is known by name alone."""

CONTAINERS: Final = (abc.MutableMapping, abc.MutableSequence, abc.MutableSet, deque)
"""What can be changed in place."""


@dataclass(frozen=True, eq=False)
class Thing:
    """What an expression refers to."""

    names: tuple[str, ...]
    """Its full names, the one by which it was reached first; none for an object that has no name of its own."""

    value: object
    shared: bool
    """Whether it was there before the function ran, for all runs in the process."""

    owner: type | None = None
    """The class that a call of it would get as its first argument, or an instance of."""


def known(value: object, owner: type | None = None) -> Thing:
    """The thing for an object of the process."""
    return Thing(full_names(value), value, shared=True, owner=owner)


def plain_function(value: object) -> FunctionType | None:
    """The function within whatever is wrapped around it; nothing if what is within isn't written in Python."""
    while value is not None and not isinstance(value, FunctionType):
        if isinstance(value, functools.partial):
            value = value.func
        elif isinstance(value, staticmethod | classmethod | MethodType):
            value = value.__func__
        else:
            # Not getattr: some objects have an answer to any name.
            value = None if inspect.isclass(value) else inspect.getattr_static(value, "__wrapped__", None)
    inner = inspect.unwrap(value) if value is not None else None
    return inner if isinstance(inner, FunctionType) else None


def full_names(value: object) -> tuple[str, ...]:
    """The names of a module, class or function; of anything else none."""
    if isinstance(value, ModuleType):
        return (value.__name__,)
    if not isinstance(value, type | FunctionType | BuiltinFunctionType | MethodType):
        return ()
    instance = getattr(value, "__self__", None)
    if instance is None or isinstance(instance, ModuleType):
        return (f"{value.__module__}.{value.__qualname__}",)
    if inspect.isclass(instance):
        return of_instance(instance, value.__name__)
    # `random.choice` is the method of an object that its module keeps to itself.
    cls = type(instance)
    return (f"{cls.__module__}.{value.__name__}", *of_instance(cls, value.__name__))


def of_instance(cls: type, name: str) -> tuple[str, ...]:
    """The names of a member of a class, or of its instances."""
    return tuple(f"{base.__module__}.{base.__qualname__}.{name}" for base in cls.__mro__ if base is not object)


def member(thing: Thing, name: str) -> Thing:
    """What an attribute of a thing refers to."""
    value = thing.value
    reached = tuple(f"{prefix}.{name}" for prefix in thing.names)
    if value is UNKNOWN:
        return Thing(reached, UNKNOWN, thing.shared)
    if isinstance(value, ModuleType):
        # Not getattr: some modules import others when they are asked for a name.
        inner = vars(value).get(name, sys.modules.get(f"{value.__name__}.{name}", UNKNOWN))
        return Thing((*reached, *full_names(inner)), inner, thing.shared)
    cls = value if inspect.isclass(value) else type(value)
    inner = inspect.getattr_static(value, name, UNKNOWN)
    # A container in a class is everybody's, also by way of `self`.
    return Thing((*reached, *of_instance(cls, name)), inner, thing.shared or isinstance(inner, CONTAINERS), cls)


def classes(hint: object) -> tuple[type, ...]:
    """The classes that an annotation stands for, without `None`; none if it doesn't say."""
    if isinstance(hint, TypeVar):
        return classes(hint.__bound__)
    if get_origin(hint) is Annotated:
        return classes(get_args(hint)[0])
    if is_union(hint):
        members = [classes(inner) for inner in get_args(hint) if inner is not type(None)]
        return tuple(cls for inner in members for cls in inner) if all(members) else ()
    plain = get_origin(hint) or hint
    return (plain,) if isinstance(plain, type) and plain is not type(None) else ()


@functools.lru_cache(maxsize=4096)
def hints(thing: type | FunctionType) -> dict[str, object]:
    """The annotations of a class, inherited ones too, or of a function; none where one can't be read."""
    try:
        return get_type_hints(thing, include_extras=True)
    except (NameError, TypeError, AttributeError, SyntaxError):
        return {}  # a name under TYPE_CHECKING, mostly: nothing is said then, and nothing is found


def attribute_classes(cls: type, name: str) -> tuple[type, ...]:
    """The classes that an attribute of an instance may have, by annotation."""
    static = inspect.getattr_static(cls, name, None)
    if isinstance(static, property) and isinstance(static.fget, FunctionType):
        return classes(hints(static.fget).get("return"))
    return classes(hints(cls).get(name))


def handed_over(cls: type) -> Iterator[tuple[str, object]]:
    """The fields of a dataclass or a pydantic model that a function fills when no value is given."""
    fields = getattr(cls, "__pydantic_fields__", None) or getattr(cls, "__dataclass_fields__", None)
    for name, field in (fields or {}).items():
        factory = getattr(field, "default_factory", None)
        if callable(factory):
            yield name, factory
