"""What one workflow gives may be sent to another one if it is that on the wire; places in it have its types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, TypedDict

import pytest
from pydantic import BaseModel, Field, JsonValue

from workflows.composition.paths import Nowhere, hint_at, value_at
from workflows.composition.types import feeds, named


class Line(BaseModel):
    """A model inside another one."""

    sku: str = Field(alias="SKU")


class Order(BaseModel):
    """A model."""

    id: str
    lines: list[Line] = []
    due: date | None = None
    extra: dict[str, JsonValue] = {}
    paid: Annotated[float, Field(ge=0)] = 0


class BigOrder(Order):
    """One that may stand for it."""


class LookAlike(BaseModel):
    """One that has the same fields, and may not."""

    id: str
    lines: list[Line] = []
    due: date | None = None


class Tree(BaseModel):
    """One that is made of itself."""

    trees: list["Tree"] = []


@dataclass
class Parcel:
    """A dataclass."""

    order: Order
    weight: float = 1


class Label(TypedDict):
    """A dictionary with known keys."""

    text: str


FED: list[tuple[object, object]] = [
    (Order, Order),
    (BigOrder, Order),
    (Any, Order),
    (Order, JsonValue),
    (JsonValue, Order),
    (Order, dict[str, JsonValue]),
    (dict[str, Any], Order),
    (Order, Mapping[str, object]),
    (Order, Order | None),
    (Annotated[Order, "note"], Order),
    (tuple[Order, BigOrder], list[Order]),
    (list[BigOrder], list[Order]),
    (list[Order], tuple[Order, ...]),
    (set[int], Sequence[float]),
    (list[int], frozenset[int]),
    (list[int | str], list[int | str | None]),
    (tuple[int, str], tuple[float, str]),
    (list, list[int]),
    (Literal["a", "b"], Literal["a", "b", "c"]),
    (Literal[1, "a"], int | str),
    (bool, int),
]

NOT_FED: list[tuple[object, object]] = [
    (Order, BigOrder),
    (LookAlike, Order),
    (Order, Parcel),
    (Order | None, Order),
    (Order, list[Order]),
    (list[Order], Order),
    (list[Order], list[BigOrder]),
    (tuple[Order, str], list[Order]),
    (list[int], tuple[int, int]),
    (tuple[int], tuple[int, int]),
    (str, Sequence[str]),
    (dict[str, int], Order),
    (Order, dict[str, int]),
    (None, Order),
    (str, int),
]


@pytest.mark.parametrize(("source", "target"), FED)
def test_it_may_be_sent(source: object, target: object) -> None:
    assert feeds(source, target)


@pytest.mark.parametrize(("source", "target"), NOT_FED)
def test_it_may_not_be_sent(source: object, target: object) -> None:
    assert not feeds(source, target)


@pytest.mark.parametrize(
    ("hint", "path", "found"),
    [
        (Order, "", Order),
        (Order, "id", str),
        (Order, "lines", list[Line]),
        (Order, "lines.0.SKU", str),
        (Order, "due", date | None),
        (Order, "extra.anything", JsonValue),
        (Order, "extra.anything.at.all", Any),
        (Parcel, "order.id", str),
        (Label, "text", str),
        (JsonValue, "a.b", Any),
        (dict, "a", Any),
        (tuple[Order, Line], "1.SKU", str),
        (list[Order], "7.id", str),
        (Tree, "trees.0.trees.0", Tree),
        (Order | Parcel, "weight", float | None),
        (Order | None, "id", str | None),
    ],
)
def test_a_place_has_its_type(hint: object, path: str, found: object) -> None:
    assert hint_at(hint, path) == found


@pytest.mark.parametrize(
    ("hint", "path", "nowhere"),
    [
        (Line, "sku", Nowhere("sku", ("SKU",))),
        (Parcel, "order.name", Nowhere("name", ("id", "lines", "due", "extra", "paid"))),
        (tuple[Order, Line], "2", Nowhere("2", ("0", "1"))),
        (list[Order], "first", Nowhere("first", ())),
        (str, "x", Nowhere("x", ())),
        (Parcel | Label, "id", Nowhere("id", ("order", "weight", "text"))),
    ],
)
def test_a_place_that_is_nowhere_is_told_with_what_is_there(hint: object, path: str, nowhere: Nowhere) -> None:
    assert hint_at(hint, path) == nowhere


@pytest.mark.parametrize(
    ("path", "found"),
    [("a.1.b", 2), ("a.2.b", None), ("a.-1", None), ("x", None), ("a.b", None), ("", {"a": [1, {"b": 2}]})],
)
def test_the_value_at_a_place(path: str, found: JsonValue) -> None:
    assert value_at({"a": [1, {"b": 2}]}, path) == found


def test_annotations_are_written_without_modules() -> None:
    assert named(list[Order | None]) == "list[Order | None]"
