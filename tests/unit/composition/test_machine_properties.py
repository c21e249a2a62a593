"""Any plan, whatever its children do and in whatever order they end: it comes to one end."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from tests.unit.composition.driven import Driven
from workflows.composition import (
    JoinAll,
    JoinAny,
    JoinFirst,
    JoinNOfM,
    call,
    field,
    for_each,
    parallel,
    repeat,
    sequence,
    when,
)
from workflows.composition.joins import Join
from workflows.composition.outcomes import Cancelled, Failed, Outcome, Succeeded
from workflows.composition.plan import Plan

NAMES = st.sampled_from("ABCDEF")
JOINS: st.SearchStrategy[Join] = st.builds(
    lambda kind, cancel: kind(cancel), st.sampled_from([
        lambda cancel: JoinAll(cancel=cancel), lambda cancel: JoinAny(cancel=cancel),
        lambda cancel: JoinFirst(cancel=cancel), lambda cancel: JoinNOfM(n=2, cancel=cancel),
    ]), st.booleans(),
)  # fmt: skip


def numbered(branches: list[Plan]) -> list[Plan]:
    return [branch.model_copy(update={"name": f"b{number}"}) for number, branch in enumerate(branches)]


def plans(joins: st.SearchStrategy[Join]) -> st.SearchStrategy[Plan]:
    def compound(inner: st.SearchStrategy[Plan]) -> st.SearchStrategy[Plan]:
        several = st.lists(inner, min_size=1, max_size=3)
        return st.one_of(
            several.map(lambda steps: sequence(*steps)),
            st.builds(lambda branches, join: parallel(*numbered(branches), join=join), several, joins),
            st.builds(lambda then, other: when(field("yes").among(True), then, other), inner, inner),
            st.builds(lambda then: when(field("yes").among(False), then), inner),
            st.builds(
                lambda body, most: repeat(body, until=field("stop").among(True), most=most), inner, st.integers(1, 3)
            ),
            st.builds(lambda body, join: for_each(body, items="items", at_once=2, join=join), inner, joins),
        )

    return st.recursive(NAMES.map(call), compound, max_leaves=8)


VALUE: JsonValue = {"yes": True, "stop": True, "items": [{"items": []}, {"items": []}, {"yes": True, "items": [1]}]}


def drive(run: Driven, draw: Callable[[int], int], outcome: Callable[[], Outcome]) -> None:
    """End children in any order until none runs."""
    while run.running:
        names = list(run.running)
        before = run.outcome
        started = len(run.given)
        run.end(names[draw(len(names))], outcome())
        if before is not None:
            assert run.outcome == before, "what a composite came to never changes"
            assert len(run.given) == started, "nothing is started after the end"


@given(plans(JOINS), st.data())
def test_every_plan_comes_to_one_end_in_whatever_order_and_way_its_children_end(
    plan: Plan, data: st.DataObject
) -> None:
    run = Driven(plan, VALUE)
    ends: list[Outcome] = [Succeeded(VALUE), Failed("Broken", "broken", "?"), Cancelled("?")]
    drive(run, lambda count: data.draw(st.integers(0, count - 1)), lambda: data.draw(st.sampled_from(ends)))
    assert run.outcome is not None
    assert not run.machine.live
    assert set(run.states().values()) <= {"succeeded", "failed", "cancelled", "skipped"}


@given(plans(JOINS), st.data())
def test_a_composite_may_be_cancelled_at_any_time_and_then_starts_nothing(plan: Plan, data: st.DataObject) -> None:
    run = Driven(plan, VALUE)
    for _ in range(data.draw(st.integers(0, 4))):
        if run.running:
            run.succeed(data.draw(st.sampled_from(list(run.running))), VALUE)
    run.cancel()
    started = len(run.given)
    assert set(run.running) <= set(run.cancelling)
    ends: list[Outcome] = [Succeeded(VALUE), Cancelled("?")]
    drive(run, lambda count: data.draw(st.integers(0, count - 1)), lambda: data.draw(st.sampled_from(ends)))
    assert len(run.given) == started
    assert run.outcome is not None


@given(plans(st.just(JoinAll())), st.data())
def test_if_everything_succeeds_the_order_makes_no_difference(plan: Plan, data: st.DataObject) -> None:
    first, second = Driven(plan, VALUE), Driven(plan, VALUE)
    drive(first, lambda count: 0, lambda: Succeeded(VALUE))
    drive(second, lambda count: data.draw(st.integers(0, count - 1)), lambda: Succeeded(VALUE))
    assert first.outcome == second.outcome
    assert first.given == second.given
