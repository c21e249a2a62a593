"""Whether one annotation accepts another is decided as a type checker would."""

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Iterator, Mapping, MutableMapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Generic, Literal, NewType, NoReturn, Optional, Protocol, TypedDict, TypeVar, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, JsonValue, ValidationError

from workflows.compiled.outcomes import results_type
from workflows.compiled.running import as_json
from workflows.compiled.types import adapter, fits, from_json, shown, without_none

T = TypeVar("T")
Out = TypeVar("Out", covariant=True)


class Animal:
    """Any animal."""


class Dog(Animal):
    """A narrower class."""


class Box(Generic[T]):
    """What is in it can be changed."""


class Source(Generic[Out]):
    """What comes out of it can't be changed."""


class AnimalBox(Box[Animal]):
    """A generic class with its parameter given."""


class Crate(Box[list[T]], Generic[T]):
    """A generic class whose parameter is a part of its base's."""


class IntCrate(Crate[int]):
    """The same, with its parameter given."""


class Ints(list[int]):
    """A list of one kind."""


class Page(BaseModel, Generic[T]):
    """A generic model."""

    item: T


class IntPage(Page[int]):
    """A generic model with its parameter given."""


class Named(TypedDict):
    """Keys with types."""

    name: str


class Aged(TypedDict):
    """One key more."""

    name: str
    age: int


class Numbered(TypedDict):
    """The same key with another type."""

    name: int


class HasId(Protocol):
    """What can only be checked by a type checker."""

    id: str


class Colour(Enum):
    """A closed set."""

    RED = 1


UserId = NewType("UserId", str)

ACCEPTED: list[tuple[object, object]] = [
    (int, int),
    (None, None),
    (Dog, Animal),
    (datetime, date),
    (Colour, Enum),
    (Any, Dog),
    (Dog, Any),
    (Dog, object),
    (NoReturn, int),
    (int, float),
    (int, complex),
    (bool, float),
    (int, int | None),
    (None, Optional[int]),  # noqa: UP045 the older spelling
    (int | str, int | str | None),
    (int | str, object),
    (Dog | None, Animal | None),
    (Literal["a"], str),
    (Literal["a"], Literal["a", "b"]),
    (Literal["a", None], str | None),
    (Literal[1], float),
    (Literal[Colour.RED], Colour),
    (Annotated[int, Field(gt=0)], int),
    (int, Annotated[int, Field(gt=0)]),
    (list[Annotated[int, Field(gt=0)]], list[int]),
    (list, list[int]),
    (list[int], list),
    (list[Any], list[int]),
    (list[Dog], Sequence[Animal]),
    (list[int], Sequence[float]),
    (list[list[bool]], Sequence[Sequence[int]]),
    (set[bool], AbstractSet[int]),
    (frozenset[bool], frozenset[int]),
    (deque[int], Sequence[int]),
    (Iterator[int], Iterable[int]),
    (dict[str, bool], Mapping[str, int]),
    (dict[str, int], MutableMapping[str, int]),
    (defaultdict[str, int], dict[str, int]),
    (dict[str, int], Iterable[str]),
    (dict[str, int], dict[str, Any]),
    (tuple[bool, str], tuple[int, str]),
    (tuple[int, int], tuple[int, ...]),
    (tuple[bool, ...], tuple[int, ...]),
    (tuple[int, ...], Sequence[int]),
    (tuple[int, str], Sequence[int | str]),
    (str, Sequence[str]),
    (bytes, Sequence[int]),
    (int, Hashable),
    (type[Dog], type[Animal]),
    (Box, Box[int]),
    (Box[int], Box),
    (Source[Dog], Source[Animal]),
    (AnimalBox, Box[Animal]),
    (Crate[int], Box[list[int]]),
    (IntCrate, Box[list[int]]),
    (IntCrate, Crate[int]),
    (Ints, Sequence[int]),
    (Page[int], Page[int]),
    (Page[int], Page),
    (Page, Page[int]),
    (IntPage, Page[int]),
    (Page[int], BaseModel),
    (Aged, Named),
    (Named, Mapping[str, object]),
    (UserId, str),
    (list[UserId], Sequence[str]),
    (str, JsonValue),
    (dict[str, JsonValue], JsonValue),
    (Dog, HasId),
]

REFUSED: list[tuple[object, object]] = [
    (int, str),
    (float, int),
    (Decimal, float),
    (Animal, Dog),
    (object, Dog),
    (Colour, int),
    (int | None, int),
    (int | None, int | str),
    (Annotated[int | None, Field()], int),
    (str, Literal["a"]),
    (Literal["a", "b"], Literal["a"]),
    (Literal[True], Literal[1]),
    (list[bool], list[int]),
    (list[int], list[float]),
    (list[int], tuple[int, ...]),
    (set[int], frozenset[int]),
    (deque[bool], MutableSequence[int]),
    (dict[str, bool], dict[str, int]),
    (dict[bool, int], Mapping[int, int]),
    (dict[str, int], Iterable[int]),
    (tuple[int, str], tuple[str, int]),
    (tuple[int, str], tuple[int]),
    (tuple[int, ...], tuple[int, int]),
    (tuple[int, str], tuple[int, ...]),
    (tuple[int, str], Sequence[int]),
    (str, Sequence[int]),
    (type[Animal], type[Dog]),
    (Box[int], Box[str]),
    (Box[Dog], Box[Animal]),
    (Source[Animal], Source[Dog]),
    (AnimalBox, Box[Dog]),
    (Crate[int], Box[list[str]]),
    (IntCrate, Box[list[str]]),
    (Ints, Sequence[str]),
    (Page[int], Page[str]),
    (Page[bool], Page[int]),
    (IntPage, Page[str]),
    (Named, Aged),
    (Numbered, Named),
    (Named, dict[str, object]),
    (dict[str, object], Named),
    (str, UserId),
    (UserId, int),
    (Dog, JsonValue),
    (JsonValue, str),
]


def _named(pair: object) -> str:
    return shown(pair)


@pytest.mark.parametrize(("source", "target"), ACCEPTED, ids=_named)
def test_what_a_type_checker_accepts_is_accepted(source: object, target: object) -> None:
    assert fits(source, target)


@pytest.mark.parametrize(("source", "target"), REFUSED, ids=_named)
def test_what_a_type_checker_refuses_is_refused(source: object, target: object) -> None:
    assert not fits(source, target)


# Any: no type covers what is built at run time.
LIST: Any = list
SEQUENCE: Any = Sequence
TUPLE: Any = tuple
DICT: Any = dict
BOX: Any = Box
UNION: Any = Union
NOTED: Any = Annotated


def _wider(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        inner.map(lambda hint: LIST[hint]),
        inner.map(lambda hint: SEQUENCE[hint]),
        inner.map(lambda hint: TUPLE[hint, ...]),
        inner.map(lambda hint: DICT[str, hint]),
        inner.map(lambda hint: BOX[hint]),
        inner.map(lambda hint: UNION[hint, None]),
        inner.map(lambda hint: NOTED[hint, "note"]),
        several.map(lambda hints: TUPLE[tuple(hints)]),
        several.map(lambda hints: UNION[tuple(hints)]),
    )


LEAVES = (int, bool, float, str, bytes, None, Dog, Animal, Literal["a"], Literal[1, True], UserId, JsonValue, Page[int])
hints = st.recursive(st.sampled_from(LEAVES), _wider, max_leaves=6)


@given(hints)
def test_every_annotation_accepts_itself(hint: object) -> None:
    assert fits(hint, hint)


@given(hints)
def test_anything_accepts_every_annotation(hint: object) -> None:
    assert fits(hint, object)
    assert fits(hint, Any)
    assert fits(Any, hint)


@given(hints, hints, hints)
def test_a_union_accepts_what_a_member_accepts_and_is_accepted_where_all_are(
    one: object, other: object, target: object
) -> None:
    both = UNION[one, other]
    assert fits(one, both)
    assert fits(other, both)
    assert fits(both, target) == (fits(one, target) and fits(other, target))


@given(hints, hints)
def test_immutable_containers_follow_what_they_hold(one: Any, other: Any) -> None:
    assert fits(TUPLE[one, ...], SEQUENCE[other]) == fits(one, other)
    assert fits(LIST[one], LIST[other]) == (fits(one, other) and fits(other, one))


def test_without_none_takes_only_none_away() -> None:
    assert without_none(int | None) is int
    assert without_none(int | str | None) == int | str
    assert without_none(Dog) is Dog
    assert without_none(JsonValue) is JsonValue


def test_without_none_keeps_the_rules_that_a_value_must_follow() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        adapter(without_none(Annotated[int | None, Field(gt=0)])).validate_python(-1)


@pytest.mark.parametrize(
    ("hint", "text"),
    [(int, "int"), (Dog, "Dog"), (list[int], "list[int]"), (int | None, "int | None"), (Any, "Any"), (None, "None")],
)
def test_annotations_are_shown_as_written(hint: object, text: str) -> None:
    assert shown(hint) == text


@pytest.mark.parametrize("value", [b"", b"abc", b"\xff\x00"])
@pytest.mark.parametrize("hint", [bytes, bytes | None, Annotated[bytes, Field(max_length=3)]], ids=str)
def test_bytes_come_back_from_json_as_they_were(hint: object, value: bytes) -> None:
    assert from_json(hint, as_json(value)) == value
    assert from_json(results_type({"scan": {"return": hint}}, ["scan"]), {"scan": as_json(value)}) == {"scan": value}
