import itertools
from collections import Counter, defaultdict, deque
from contextvars import ContextVar
from typing import ClassVar, Final

from signals.support import Order

CACHE: dict[str, Order] = {}
RECENT: deque[str] = deque(maxlen=10)
LIMITS: Final = {"EUR": 50}
_numbers = itertools.count(1)
_total = 0
_language: ContextVar[str] = ContextVar("language", default="en")


class Desk:
    """Where requests are taken."""

    open: ClassVar[list[str]] = []
    calls = 0

    def __init__(self) -> None:
        self.mine: list[str] = []

    def take(self, name: str) -> None:
        self.open.append(name)  # expect: nondeterministic-global-state

    def take_for_itself(self, name: str) -> None:
        self.mine.append(name)


DESK = Desk()


def a_name_of_the_module() -> int:
    global _total  # expect: nondeterministic-global-state
    _total += 1
    return _total


def a_cache(order: Order) -> Order:
    if order.id not in CACHE:
        CACHE[order.id] = order  # expect: nondeterministic-global-state
    return CACHE[order.id]


def a_list_that_grows(order: Order) -> None:
    RECENT.append(order.id)  # expect: nondeterministic-global-state
    CACHE.setdefault(order.id, order)  # expect: nondeterministic-global-state
    del CACHE["old"]  # expect: nondeterministic-global-state


def a_counter_that_counts_on() -> int:
    return next(_numbers)  # expect: nondeterministic-global-state


def a_class_and_an_object_of_the_module() -> None:
    Desk.calls += 1  # expect: nondeterministic-global-state
    DESK.calls = 7  # expect: nondeterministic-global-state
    DESK.mine.append("alice")  # expect: nondeterministic-global-state


def containers_of_its_own(orders: list[Order]) -> dict[str, list[str]]:
    by_item: defaultdict[str, list[str]] = defaultdict(list)
    counted = Counter(order.item for order in orders)
    for order in orders:
        by_item[order.item].append(order.id)
        counted.update([order.item])
    counted["all"] = len(orders)
    desk = Desk()
    desk.calls = 1
    desk.mine.append("alice")
    return dict(by_item)


def constants_that_are_read(currency: str) -> int:
    return LIMITS.get(currency, 0) + LIMITS["EUR"] + len(CACHE)


def a_parameter_of_the_same_name(CACHE: dict[str, int]) -> None:  # noqa: N803
    CACHE["a"] = 1
    CACHE.update(b=2)


def an_iterator_of_its_own(orders: list[Order]) -> Order | None:
    numbers = itertools.count()
    next(numbers)
    return next(iter(orders), None)
