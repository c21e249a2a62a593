from signals.wire import Wire
from workflows.compiled import step
from workflows.compiled.compiler import compile_class
from workflows.compiled.paths import critical_path, waves
from workflows.compiled.plan import Plan


class Parcel(Wire):
    """An input."""

    weight: int


class Trip:
    """Steps that wait for each other in two ways."""

    @step
    def price(self, request: Parcel) -> int:
        return request.weight

    @step
    def route(self, request: Parcel) -> str:
        return "by sea"

    @step
    def port(self, route: str) -> str:
        return f"{route}, from Genoa"

    @step(result=True)
    def bill(self, price: int, port: str) -> str:
        return f"{port}: {price}"

    @step
    def note(self, price: int) -> None:
        return None


def plan() -> Plan:
    return compile_class(Trip, frozenset())


def test_steps_that_wait_for_equally_many_others_are_in_one_wave() -> None:
    assert [[one.name for one in wave] for wave in waves(plan())] == [["price", "route"], ["port", "note"], ["bill"]]


def test_the_critical_path_is_the_longest_chain() -> None:
    assert critical_path(plan()) == ("route", "port", "bill")


class Alone:
    """A single step."""

    @step(result=True)
    def price(self, request: Parcel) -> int:
        return request.weight


def test_a_single_step_is_its_own_critical_path() -> None:
    alone = compile_class(Alone, frozenset())
    assert critical_path(alone) == ("price",)
    assert [len(wave) for wave in waves(alone)] == [1]
