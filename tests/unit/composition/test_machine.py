"""A composite goes through its plan as it is defined, whatever its children do and whenever they end."""

import pytest
from pydantic import JsonValue

from signals.errors import ErrorType
from tests.unit.composition.driven import Driven
from workflows.composition import (
    JoinAll,
    JoinAny,
    JoinFirst,
    JoinNOfM,
    call,
    choose,
    field,
    for_each,
    parallel,
    repeat,
    sequence,
    when,
)
from workflows.composition.frames import Fate
from workflows.composition.outcomes import Cancelled, Failed, Outcome, Skipped, Succeeded
from workflows.composition.plan import Plan

# Sequence


def test_each_step_is_given_what_the_one_before_gave() -> None:
    run = Driven(call("A") >> "B" >> "A", 1)
    run.succeed("A-1", 2)
    run.succeed("B-1", 3)
    run.succeed("A-2", 4)
    assert run.given == {"A-1": 1, "B-1": 2, "A-2": 3}
    assert run.outcome == Succeeded(4)


def test_a_step_that_fails_is_the_last_one() -> None:
    run = Driven(call("A") >> "B")
    run.fail("A-1", "no")
    assert run.outcome == Failed("Broken", "no", "A")
    assert list(run.given) == ["A-1"]


def test_a_step_that_somebody_cancelled_is_the_last_one() -> None:
    run = Driven(call("A") >> "B")
    run.cancelled("A-1")
    assert run.outcome == Cancelled("A")


def test_what_is_taken_and_constants_make_an_input() -> None:
    run = Driven(call("A", take={"id": "order.id", "none": "x.y"}, input={"how": "fast"}), {"order": {"id": 7}})
    assert run.given == {"A-1": {"id": 7, "none": None, "how": "fast"}}


def test_constants_are_put_over_the_value() -> None:
    assert Driven(call("A", input={"b": 2}), {"a": 1, "b": 1}).given == {"A-1": {"a": 1, "b": 2}}


def test_an_input_that_is_no_object_is_given_as_it_is() -> None:
    assert Driven(call("A", input=[1]), {"a": 1}).given == {"A-1": [1]}


# Parallel


def test_all_branches_are_given_the_same_and_their_results_are_joined_in_the_order_of_the_plan() -> None:
    run = Driven(parallel("A", "B", "C") >> call("D"), 1)
    assert run.given == {"A-1": 1, "B-1": 1, "C-1": 1}
    for name, value in (("C-1", 30), ("A-1", 10), ("B-1", 20)):
        run.succeed(name, value)
    assert run.given["D-1"] == [10, 20, 30]


def test_the_first_to_succeed_gives_its_own_result() -> None:
    run = Driven(parallel("A", "B", "C", join=JoinAny()) >> call("D"))
    run.fail("A-1")
    run.succeed("C-1", 30)
    assert run.given["D-1"] == 30


def test_a_join_without_cancelling_lets_the_others_run_on() -> None:
    run = Driven(parallel("A", "B", join=JoinAny()))
    run.succeed("A-1", 1)
    assert run.outcome == Succeeded(1)
    assert run.cancelling == []
    assert run.states() == {"A-1": "succeeded", "B-1": "running"}


def test_a_cancelling_join_cancels_the_others() -> None:
    run = Driven(parallel("A", "B", "C", join=JoinNOfM(n=2, cancel=True)))
    run.succeed("C-1", 3)
    run.succeed("A-1", 1)
    assert run.outcome == Succeeded([1, 3])
    assert run.cancelling == ["B-1"]
    assert run.states()["B-1"] == "cancelling"


@pytest.mark.parametrize(
    ("became", "state"),
    [(Cancelled("B"), "cancelled"), (Succeeded(2), "succeeded"), (Failed("X", "y", "B"), "failed")],
)
def test_what_is_cancelled_is_told_as_what_it_became(became: Outcome, state: str) -> None:
    run = Driven(parallel("A", "B", join=JoinAny(cancel=True)))
    run.succeed("A-1", 1)
    run.end("B-1", became)
    assert run.states()["B-1"] == state
    assert run.outcome == Succeeded(1)


def test_a_child_that_was_cancelled_before_it_was_started_is_skipped() -> None:
    run = Driven(parallel("A", "B", join=JoinAny(cancel=True)))
    run.succeed("A-1", 1)
    run.never_began("B-1")
    assert run.states()["B-1"] == "skipped"


@pytest.mark.parametrize("other", [call("B"), call("B") >> "C", when(field() == [], "B")])
def test_a_child_that_would_be_started_and_cancelled_at_once_never_is(other: Plan) -> None:
    # A list of nothing is done at once, and then nobody needs the other branch.
    run = Driven(parallel(for_each("A"), other, join=JoinAny(cancel=True)), [])
    assert run.outcome == Succeeded([])
    assert (run.given, run.cancelling) == ({}, [])
    assert "skipped" in run.states().values()


def test_a_join_that_is_out_of_reach_fails_at_once_and_says_why() -> None:
    run = Driven(parallel("A", "B", "C", "D", join=JoinNOfM(n=3)))
    run.fail("B-1", "no stock")
    run.cancelled("D-1")
    reason = "of 4 branches 3 must succeed, but B failed (no stock), D was cancelled"
    assert run.outcome == Failed(ErrorType.JOIN_FAILED, reason, "")


def test_all_with_cancel_cancels_the_rest_when_one_fails() -> None:
    run = Driven(parallel("A", "B", "C", join=JoinAll(cancel=True)))
    run.fail("B-1")
    assert run.cancelling == ["A-1", "C-1"]
    assert isinstance(run.outcome, Failed)


def test_the_first_to_finish_fails_the_join_if_it_failed() -> None:
    run = Driven(parallel("A", "B", join=JoinFirst()))
    run.fail("A-1")
    reason = "of 2 branches the first to finish must succeed, but A failed (broken)"
    assert run.outcome == Failed(ErrorType.JOIN_FAILED, reason, "")


def test_a_skipped_branch_is_not_waited_for_and_gives_nothing() -> None:
    plan = parallel("A", when(field("x") == 1, "B"), when(field("x") == 2, "C"))
    run = Driven(plan, {"x": 2})
    run.succeed("A-1", "a")
    run.succeed("3/C-1", "c")
    assert run.outcome == Succeeded(["a", "c"])
    assert run.states() == {"A-1": "succeeded", "2-1": "skipped", "3-1": "succeeded", "3/C-1": "succeeded"}


def test_a_branch_that_failed_inside_is_named_by_its_path() -> None:
    run = Driven(parallel(sequence("A", parallel("B", "C", join=JoinAny()), name="left"), "D"))
    run.succeed("left/A-1", 1)
    run.fail("left/B-1", "b")
    run.fail("left/C-1", "c")
    reason = (
        "of 2 branches all must succeed, but left failed (of 2 branches one must succeed, "
        "but left/B failed (b), left/C failed (c))"
    )
    assert run.outcome == Failed(ErrorType.JOIN_FAILED, reason, "")


def test_a_message_that_names_many_failures_stays_short() -> None:
    run = Driven(for_each("A", join=JoinNOfM(n=10), at_once=20), list(range(20)))
    for number in range(1, 12):
        run.fail(f"each/{number}/A-1", "x" * 10_000)
    assert isinstance(run.outcome, Failed)
    assert run.outcome.message.endswith("and 6 more")
    assert len(run.outcome.message) < 1_500


def test_losers_in_a_sequence_go_on_as_long_as_the_composite_runs() -> None:
    run = Driven(parallel("A", call("B") >> "C", join=JoinAny()) >> call("D"))
    run.succeed("A-1", 1)
    run.succeed("2/B-1", 2)
    assert "2/C-1" in run.running
    run.succeed("D-1", 4)
    run.succeed("2/C-1", 3)
    assert run.outcome == Succeeded(4)
    assert run.states()["2-1"] == "succeeded"


def test_nothing_is_begun_after_the_composite_has_ended() -> None:
    run = Driven(parallel("A", call("B") >> "C", join=JoinAny()))
    run.succeed("A-1", 1)
    run.succeed("2/B-1", 2)
    assert run.running == {}
    assert "2/C-1" not in run.given


def test_a_child_that_may_be_left_over_runs_on_wherever_it_is_in_the_plan() -> None:
    stays = parallel("A", parallel("B", join=JoinAny(cancel=True), name="in"), name="stays")
    goes = parallel("C", name="goes", join=JoinAny(cancel=True))
    run = Driven(parallel(stays, goes, join=JoinAll(cancel=True)))
    fates = {name: call.fate for name, call in run.running.items()}
    assert fates == {"stays/A-1": Fate.RUNS_ON, "stays/in/B-1": Fate.RUNS_ON, "goes/C-1": Fate.IS_CANCELLED}
    assert Driven(call("A")).running["A-1"].fate is Fate.ENDS


# Choice


@pytest.mark.parametrize(("value", "started"), [(20, "A-1"), (3, "B-1")])
def test_a_condition_decides(value: JsonValue, started: str) -> None:
    assert list(Driven(when(field() > 10, "A", otherwise="B"), value).given) == [started]


def test_without_an_else_the_value_goes_on() -> None:
    run = Driven(when(field() > 10, "A") >> call("B"), 3)
    assert run.given == {"B-1": 3}


def test_a_plan_of_which_nothing_had_to_be_done_gives_its_input() -> None:
    assert Driven(when(field() > 10, "A"), 3).outcome == Skipped(3)


def test_a_selector_chooses() -> None:
    assert list(Driven(choose("parity", "Double", "Square"), {"n": 3}).given) == ["Double-1"]


@pytest.mark.parametrize(
    ("plan", "value", "reason"),
    [
        (choose("astray", "A", "B"), {"n": 1}, "selector 'astray' chose 'Nowhere', which is not among: A, B"),
        (choose("gone", "A"), {"n": 1}, "selector 'gone' is not known to this worker"),
        (choose("parity", "A"), {"m": 1}, "'parity' is given what it doesn't accept: n: Field required; "
         "m: Extra inputs are not permitted"),
        (when("gone", "A"), None, "predicate 'gone' is not known to this worker"),
        (when("breaks", "A"), {"n": 1}, "'breaks' raised ZeroDivisionError: division by zero"),
    ],
)  # fmt: skip
def test_a_function_without_a_good_answer_fails_the_composite(plan: Plan, value: JsonValue, reason: str) -> None:
    assert Driven(plan, value).outcome == Failed(ErrorType.FUNCTION_FAILED, reason, "")


# Loops and lists


def test_a_loop_ends_when_its_condition_holds() -> None:
    run = Driven(repeat("A", until=field() >= 3, most=9), 0)
    for number in (1, 2, 3):
        assert run.given[f"A-{number}"] == number - 1
        run.succeed(f"A-{number}", number)
    assert run.outcome == Succeeded(3)


def test_a_loop_fails_after_its_last_round() -> None:
    run = Driven(repeat("A", until=field() >= 3, most=2, name="count"), 0)
    run.succeed("count/A-1", 1)
    run.succeed("count/A-2", 2)
    assert run.outcome == Failed(ErrorType.LOOP_LIMIT, "'value ge 3' did not come true in 2 rounds", "count")


def test_a_long_loop_of_what_is_skipped_does_not_nest_calls() -> None:
    run = Driven(repeat(when(field() > 1, "A"), until=field() > 1, most=5_000), 0)
    assert isinstance(run.outcome, Failed)
    assert run.outcome.type is ErrorType.LOOP_LIMIT


def test_loops_in_loops_of_what_is_skipped_come_to_an_end() -> None:
    never = field() > 1
    inner = repeat(when(never, "A"), until=~never, most=1)
    run = Driven(call("B") >> parallel(repeat(inner, until=never, most=10_000), "B"), 0)
    run.succeed("B-1", 0)
    assert isinstance(run.outcome, Failed)
    assert run.outcome.type is ErrorType.COMPOSITE_TOO_LARGE
    assert run.running == {}


def test_every_item_of_a_list_has_a_child() -> None:
    run = Driven(for_each("A", items="list"), {"list": ["x", "y"]})
    assert run.given == {"each/1/A-1": "x", "each/2/A-1": "y"}
    run.succeed("each/2/A-1", "Y")
    run.succeed("each/1/A-1", "X")
    assert run.outcome == Succeeded(["X", "Y"])


def test_so_many_at_once_and_the_next_when_one_has_ended() -> None:
    run = Driven(for_each("A", at_once=2), [1, 2, 3])
    assert list(run.running) == ["each/1/A-1", "each/2/A-1"]
    run.succeed("each/1/A-1", None)
    assert list(run.running) == ["each/2/A-1", "each/3/A-1"]


def test_no_more_items_are_begun_when_the_join_is_decided() -> None:
    run = Driven(for_each("A", at_once=1, join=JoinAny()) >> call("B"), [1, 2])
    run.succeed("each/1/A-1", 5)
    assert list(run.running) == ["B-1"]


def test_an_item_that_is_a_plan_is_a_branch_of_its_own() -> None:
    run = Driven(for_each(call("A") >> "B"), [1])
    run.succeed("each/1/A-1", 2)
    run.succeed("each/1/B-1", 3)
    assert run.states() == {
        "each-1": "succeeded",
        "each/1-1": "succeeded",
        "each/1/A-1": "succeeded",
        "each/1/B-1": "succeeded",
    }


def test_an_empty_list_is_done_at_once() -> None:
    assert Driven(for_each("A"), []).outcome == Succeeded([])


def test_of_an_empty_list_none_can_succeed() -> None:
    outcome = Driven(for_each("A", join=JoinAny()), []).outcome
    assert outcome == Failed(ErrorType.JOIN_FAILED, "of 0 branches one must succeed, but there are too few", "each")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"list": 3}, "there is no list at 'list'"),
        ({}, "there is no list at 'list'"),
        ({"list": [0] * 5_001}, "the list has 5,001 items, at most 5,000 are allowed"),
    ],
)
def test_what_is_no_list_to_go_through_fails(value: JsonValue, reason: str) -> None:
    assert Driven(for_each("A", items="list"), value).outcome == Failed(ErrorType.INVALID_INPUT, reason, "each")


# Cancelling


def test_cancelling_the_composite_cancels_all_that_runs_also_losers() -> None:
    run = Driven(parallel("A", "B", join=JoinAny()) >> parallel("C", "D"))
    run.succeed("A-1", 1)
    run.cancel()
    assert run.cancelling == ["B-1", "C-1", "D-1"]
    for name in ("B-1", "C-1", "D-1"):
        run.cancelled(name)
    assert run.outcome == Cancelled("")


def test_what_is_cancelled_begins_nothing_more() -> None:
    run = Driven(call("A") >> "B")
    run.cancel()
    run.succeed("A-1", 1)
    assert run.outcome == Cancelled("")
    assert list(run.given) == ["A-1"]


def test_a_composite_that_finishes_while_it_is_cancelled_has_finished() -> None:
    run = Driven(parallel("A", "B"))
    run.cancel()
    run.succeed("A-1", 1)
    run.succeed("B-1", 2)
    assert run.outcome == Succeeded([1, 2])


def test_a_region_that_is_cancelled_stops_at_its_next_step() -> None:
    region = parallel(call("A") >> "B", repeat("C", until=field() > 5, most=9), for_each("E", at_once=1), name="region")
    run = Driven(parallel(region, "D", join=JoinAny(cancel=True)), [1, 2])
    run.succeed("D-1", 0)
    assert run.cancelling == ["region/1/A-1", "region/2/C-1", "region/3/1/E-1"]
    for name in run.cancelling:
        run.succeed(name, 1)
    assert run.running == {}
    assert run.states() == {
        "region-1": "cancelled", "D-1": "succeeded", "region/1-1": "cancelled", "region/2-1": "cancelled",
        "region/3-1": "cancelled", "region/1/A-1": "succeeded", "region/2/C-1": "succeeded",
        "region/3/1/E-1": "succeeded",
    }  # fmt: skip
