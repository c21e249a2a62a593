import functools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from jsonschema import Draft202012Validator

from signals.support import Order
from tests.unit.determinism.samples import helpers
from tests.unit.determinism.samples.chance import Note
from tests.unit.determinism.samples.helpers import Price, ping, remembered, stamp


class Refund:
    """A workflow class, as far as analysis is concerned."""

    def receipt(self, order: Order) -> float:
        return self._stamped(order)

    def _stamped(self, order: Order) -> float:
        return stamp()

    def twice(self, order: Order) -> float:
        return stamp() + helpers.stamp() + helpers.read_the_clock()


def around_in_circles() -> float:
    return ping(10)


def a_class() -> Price:
    return Price(Decimal(1))


def a_property(price: Price) -> float:
    return price.age


def a_harmless_method(price: Price) -> Decimal:
    return price.doubled()


def a_class_method() -> Decimal:
    return Price.free().amount


def a_function_that_is_cached() -> float:
    return remembered("alice")


def a_function_that_is_handed_on(names: list[str]) -> list[str]:
    return sorted(names, key=_by_chance)


def _by_chance(name: str) -> int:
    return hash(name)


def a_field_that_is_filled() -> Note:
    return Note(text="called back")


def an_installed_package(schema: dict[str, object]) -> None:
    Draft202012Validator.check_schema(schema)


def _wrapping(function: Callable[[], float]) -> Callable[[], float]:
    @functools.wraps(function)
    def wrapper() -> float:
        return function() * 2

    return wrapper


@_wrapping
def a_decorated_function() -> float:
    return stamp()


def a_function_within() -> list[float]:
    def inner() -> float:
        return stamp()

    return [inner(), *map(lambda name: remembered(name), ["a"])]  # noqa: C417


class Query:
    """Something that is put together by a chain of calls."""

    def where(self, name: str) -> "Query":
        return self


def a_long_chain(query: Query, flags: int, others: list[Any]) -> bool:
    found = (
        query.where("a").where("b").where("c").where("d").where("e").where("f").where("g").where("h").where("i")
        .where("j").where("k").where("l").where("m").where("n").where("o").where("p").where("q").where("r")
        .where("s").where("t").where("u").where("v").where("w").where("x").where("y").where(str(stamp()))
    )  # fmt: skip
    mask = flags | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 | 17 | 18 | 19 | 20 | 21 | 22
    mask = mask | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 | 17 | 18 | 19 | 20 | 21 | 22
    return any(one.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z == (found, mask) for one in others)
