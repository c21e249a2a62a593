import os
import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal


def a_reason_is_given() -> float:
    return time.time()  # parley: allow nondeterministic-clock - only the log shows it


def a_reason_for_two() -> float:
    return time.time() + random.random()  # parley: allow nondeterministic-clock, nondeterministic-random - for a demo


def a_reason_at_the_end_of_the_statement() -> list[float]:
    return [
        time.time(),
        time.monotonic(),
    ]  # parley: allow nondeterministic-clock - only the log shows it


def a_reason_beside_the_head_of_a_loop(names: set[str]) -> int:
    total = 0
    for name in names:  # parley: allow nondeterministic-set-order - the sum is the same in any order
        total += len(name)
    return total


def no_reason_is_given() -> float:
    return time.time()  # parley: allow nondeterministic-clock  # expect: unexplained-allow


def a_reason_for_something_else() -> str | None:
    return os.getenv("HOME")  # parley: allow nondeterministic-clock - no  # expect: nondeterministic-environment


def a_reason_beside_the_head_does_not_reach_the_body(names: set[str]) -> None:
    for _ in names:  # parley: allow nondeterministic-set-order - nothing depends on it
        time.sleep(1)  # expect: nondeterministic-thread


def a_reason_in_the_body_does_not_reach_the_head(names: set[str]) -> None:
    for _ in names:  # expect: nondeterministic-set-order
        time.sleep(1)  # parley: allow nondeterministic-thread, nondeterministic-set-order - only here


def what_only_the_type_checker_sees(price: "Decimal") -> "Decimal":
    if TYPE_CHECKING:
        print(time.time())
    return price
