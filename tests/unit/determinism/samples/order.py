# ruff: noqa: C414, C416, PERF401, SIM118
import asyncio
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

COLOURS = {"red", "green"}
SIZES = frozenset({"s", "m", "l"})


@dataclass
class Basket:
    """What somebody buys."""

    items: list[str]
    tags: set[str] = field(default_factory=set)

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(self.items)


def _labels(basket: Basket) -> set[str]:
    return {item.lower() for item in basket.items}


def a_loop(names: list[str]) -> list[str]:
    greeted = []
    for name in set(names):  # expect: nondeterministic-set-order
        greeted.append(f"Hello {name}")
    return greeted


def a_name_for_a_set(names: list[str]) -> list[str]:
    wanted = {name.lower() for name in names}
    return [name for name in wanted]  # expect: nondeterministic-set-order


def a_set_of_the_module() -> str:
    return ", ".join(COLOURS)  # expect: nondeterministic-set-order


def a_field_that_is_a_set(basket: Basket) -> list[str]:
    return list(basket.tags)  # expect: nondeterministic-set-order


def a_property_that_is_a_set(basket: Basket) -> tuple[str, ...]:
    return tuple(basket.kinds)  # expect: nondeterministic-set-order


def a_function_that_gives_a_set(basket: Basket) -> dict[str, int]:
    return {label: len(label) for label in _labels(basket)}  # expect: nondeterministic-set-order


def a_parameter_that_is_a_set(left: AbstractSet[str]) -> str:
    return next(iter(left))  # expect: nondeterministic-set-order


def what_two_sets_share(mine: dict[str, int], yours: dict[str, int]) -> list[str]:
    return [name for name in mine.keys() & yours.keys()]  # expect: nondeterministic-set-order


def what_is_left(names: list[str]) -> list[tuple[int, str]]:
    left = SIZES.difference(names)
    return list(enumerate(left))  # expect: nondeterministic-set-order


def a_member_taken_out(names: list[str]) -> str:
    pending = set(names)
    return pending.pop()  # expect: nondeterministic-set-order


def members_unpacked(names: set[str]) -> list[str]:
    first, *others = names  # expect: nondeterministic-set-order
    return [first, *others, *names]  # expect: nondeterministic-set-order


async def tasks_in_a_set(names: list[str]) -> None:
    tasks = {asyncio.create_task(asyncio.sleep(1), name=name) for name in names}
    await asyncio.gather(*tasks)  # expect: nondeterministic-set-order


def members_in_order(names: list[str], basket: Basket) -> list[str]:
    wanted = set(names)
    upper = sorted(list(map(str.upper, wanted)))
    return [*sorted(wanted), *sorted(list(basket.tags)), *sorted(name.upper() for name in wanted), *upper]


def questions_that_need_no_order(names: set[str]) -> tuple[int, bool, bool, str, int]:
    longest = max(len(name) for name in names)
    there = "a" in names and "A" in [name.upper() for name in names]
    return len(names), any(name.isupper() for name in names), there, min(names), longest


def sets_of_sets(names: set[str]) -> set[str]:
    known = frozenset(names | COLOURS)
    known.union(list(names))
    return {name.lower() for name in known} - SIZES


def the_only_member(names: list[str]) -> str:
    (only,) = set(names)
    return only


def what_keeps_its_order(names: list[str], seen: dict[str, int]) -> list[str]:
    unique = list(dict.fromkeys(names))
    return [*unique, *(name for name in seen.keys()), *seen]


def a_name_that_is_sorted_first(names: list[str]) -> list[str]:
    found = set(names)
    ordered = sorted(found)
    return [name for name in ordered if name in found]


def a_name_that_is_not_always_a_set(names: list[str]) -> list[str]:
    found = set(names)
    found, rest = _halves(names)  # type: ignore[assignment]  # it is what people write
    return [*found, *rest]


def _halves(names: list[str]) -> tuple[list[str], list[str]]:
    return names[::2], names[1::2]


def a_name_that_becomes_a_list(names: set[str]) -> str:
    chosen: list[str] = sorted(names)
    return ", ".join(chosen)
