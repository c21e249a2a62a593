"""Functions that the samples of chains call; they are the second module of the chain."""

import time
from decimal import Decimal
from functools import cache


def stamp() -> float:
    return read_the_clock()


def read_the_clock() -> float:
    return time.time()


def ping(times: int) -> float:
    return pong(times - 1) if times else 0


def pong(times: int) -> float:
    return ping(times - 1) if times else time.monotonic()


@cache
def remembered(name: str) -> float:
    return hash(name) / 2


class Price:
    """An amount that notes when it was made."""

    def __init__(self, amount: Decimal) -> None:
        self.amount = amount
        self.made = time.time()

    def doubled(self) -> Decimal:
        return self.amount * 2

    @property
    def age(self) -> float:
        return time.time() - self.made

    @classmethod
    def free(cls) -> "Price":
        return cls(Decimal(0))
