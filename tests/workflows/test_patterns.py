"""Workflow patterns, each expressed as a plan and run on the real server.

The numbers and names are those of van der Aalst and others, workflowpatterns.com.
"""

import pytest

from signals.errors import ErrorType
from tests.workflows.composing import Composing
from workflows.composition import JoinAny, JoinFirst, JoinNOfM, call, choose, field, for_each, parallel, repeat, when


async def test_pattern_1_sequence(composing: Composing) -> None:
    run = await composing.start(call("Increment") >> "Double" >> "Describe", {"n": 3})
    assert (await composing.outcome(run)).result == {"text": "it is 8"}
    assert await composing.children(run) == ["Increment-1", "Double-1", "Describe-1"]


async def test_pattern_2_parallel_split(composing: Composing) -> None:
    run = await composing.start(parallel("Gate", call("Gate", name="Other")), {"n": 3})
    await composing.until(run, Gate="running", Other="running")
    assert await composing.children(run) == ["Gate-1", "Other-1"]
    await composing.open(run, "Gate-1")
    await composing.open(run, "Other-1")
    await run.result()


async def test_pattern_3_synchronisation(composing: Composing) -> None:
    run = await composing.start(parallel("Gate", "Double", "Square") >> call("Total"), {"n": 3})
    await composing.until(run, Double="succeeded", Square="succeeded", Gate="running", Total="pending")
    await composing.open(run, "Gate-1")
    assert (await composing.outcome(run)).result == {"n": 3 + 6 + 9}


@pytest.mark.parametrize(("n", "taken", "result"), [(20, "Double", 40), (3, "Square", 9)])
async def test_pattern_4_exclusive_choice(composing: Composing, n: int, taken: str, result: int) -> None:
    run = await composing.start(when("is_large", "Double", otherwise="Square"), {"n": n})
    assert (await composing.outcome(run)).result == {"n": result}
    assert await composing.children(run) == [f"{taken}-1"]


@pytest.mark.parametrize(("n", "result"), [(3, "it is 7"), (4, "it is 17")])
async def test_pattern_5_simple_merge(composing: Composing, n: int, result: str) -> None:
    plan = choose("parity", "Double", "Square") >> call("Increment") >> "Describe"
    assert await composing.result(plan, {"n": n}) == {"text": result}


MULTI_CHOICE = parallel(
    when(field("n") > 1, "Increment"), when(field("n") > 10, "Double"), when(field("n") > 100, "Square")
)


async def test_pattern_6_multi_choice(composing: Composing) -> None:
    run = await composing.start(MULTI_CHOICE, {"n": 20})
    assert (await composing.outcome(run)).result == [{"n": 21}, {"n": 40}]
    assert await composing.children(run) == ["1/Increment-1", "2/Double-1"]


@pytest.mark.parametrize(("n", "total"), [(1, 0), (2, 3), (20, 61), (200, 201 + 400 + 40_000)])
async def test_pattern_7_structured_synchronising_merge(composing: Composing, n: int, total: int) -> None:
    assert await composing.result(MULTI_CHOICE >> call("Total"), {"n": n}) == {"n": total}


async def test_pattern_9_structured_discriminator(composing: Composing) -> None:
    run = await composing.start(parallel("Gate", "Fail", "Double", join=JoinAny()) >> call("Increment"), {"n": 3})
    outcome = await composing.outcome(run)
    assert outcome.result == {"n": 7}
    assert {branch.path: branch.state for branch in outcome.branches} == {
        "Gate": "running", "Fail": "failed", "Double": "succeeded", "Increment": "succeeded"
    }  # fmt: skip
    # The loser runs on to its own end, which nobody waits for.
    await composing.open(run, "Gate-1")
    assert await composing.child(run, "Gate-1").result() == {"n": 3}


@pytest.mark.parametrize("count", [3])
async def test_pattern_13_multiple_instances_known_at_design_time(composing: Composing, count: int) -> None:
    plan = parallel(*(call("Increment", name=f"copy{number}") for number in range(count)))
    assert await composing.result(plan >> call("Total"), {"n": 1}) == {"n": 2 * count}


async def test_pattern_14_multiple_instances_known_at_run_time(composing: Composing) -> None:
    run = await composing.start(call("UpTo") >> for_each("Double") >> "Total", {"n": 4})
    assert (await composing.outcome(run)).result == {"n": 20}
    instances = [f"each/{number}/Double-1" for number in (1, 2, 3, 4)]
    assert await composing.children(run) == ["UpTo-1", *instances, "Total-1"]


@pytest.mark.parametrize(("message", "result"), [("Yes", 6), ("No", 9)])
async def test_pattern_16_deferred_choice(composing: Composing, message: str, result: int) -> None:
    # What comes first decides, and the other one is withdrawn.
    yes, no = call("Gate", name="Yes") >> "Double", call("Gate", name="No") >> "Square"
    run = await composing.start(parallel(yes, no, join=JoinFirst(cancel=True)), {"n": 3})
    number = {"Yes": 1, "No": 2}[message]
    await composing.open(run, f"{number}/{message}-1")
    assert (await composing.outcome(run)).result == {"n": result}
    other = {"Yes": "2/No-1", "No": "1/Yes-1"}[message]
    assert await composing.became(composing.child(run, other)) == "CANCELED"


async def test_pattern_19_cancel_task(composing: Composing) -> None:
    run = await composing.start(parallel("Gate", call("Gate", name="Other"), join=JoinAny()), {"n": 3})
    await composing.until(run, Gate="running", Other="running")
    await composing.cancel(run, "Gate-1")
    await composing.open(run, "Other-1")
    outcome = await composing.outcome(run)
    assert outcome.result == {"n": 3}
    assert {branch.path: branch.state for branch in outcome.branches} == {"Gate": "cancelled", "Other": "succeeded"}


async def test_pattern_19_cancel_task_that_is_needed(composing: Composing) -> None:
    run = await composing.start(call("Gate") >> "Double", {"n": 3})
    await composing.until(run, Gate="running")
    await composing.cancel(run, "Gate-1")
    error = await composing.failure(run)
    assert (error.type, error.message) == (ErrorType.BRANCH_CANCELLED, "Gate was cancelled")


async def test_pattern_20_cancel_case(composing: Composing) -> None:
    run = await composing.start(parallel("Gate", call("Double") >> call("Gate", name="Last")), {"n": 3})
    await composing.until(run, Gate="running", **{"2_Last": "running"})
    await run.cancel()
    assert await composing.became(run) == "CANCELED"
    assert await composing.became(composing.child(run, "Gate-1")) == "CANCELED"
    assert await composing.became(composing.child(run, "2/Last-1")) == "CANCELED"
    assert await composing.progress(run) == {
        "Gate-1": "cancelled", "2-1": "cancelled", "2/Double-1": "succeeded", "2/Last-1": "cancelled"
    }  # fmt: skip


async def test_pattern_21_structured_loop(composing: Composing) -> None:
    run = await composing.start(repeat("Double", until=field("n") >= 20, most=9), {"n": 3})
    assert (await composing.outcome(run)).result == {"n": 24}
    assert await composing.children(run) == ["Double-1", "Double-2", "Double-3"]


async def test_pattern_22_recursion(composing: Composing) -> None:
    run = await composing.start_flow("CountDown", {"n": 3})
    assert await run.result() == {"n": 0}
    deepest = composing.child(run, "CountDown-1/CountDown-1/LessOne-1")
    assert await deepest.result() == {"n": 0}


async def test_pattern_25_cancel_region(composing: Composing) -> None:
    region = parallel("Gate", call("Double") >> call("Gate", name="Last"), name="region")
    run = await composing.start(parallel(region, call("Gate", name="Stop"), join=JoinAny(cancel=True)), {"n": 3})
    await composing.until(run, region_Gate="running", region_2_Last="running")
    await composing.open(run, "Stop-1")
    outcome = await composing.outcome(run)
    assert outcome.result == {"n": 3}
    assert {branch.path: branch.state for branch in outcome.branches} == {
        "region": "cancelled", "region/Gate": "cancelled", "region/2": "cancelled", "region/2/Double": "succeeded",
        "region/2/Last": "cancelled", "Stop": "succeeded",
    }  # fmt: skip
    assert await composing.became(composing.child(run, "region/2/Last-1")) == "CANCELED"


async def test_pattern_29_cancelling_discriminator(composing: Composing) -> None:
    run = await composing.start(parallel("Gate", "Double", join=JoinAny(cancel=True)), {"n": 3})
    outcome = await composing.outcome(run)
    assert outcome.result == {"n": 6}
    assert {branch.path: branch.state for branch in outcome.branches} == {"Gate": "cancelled", "Double": "succeeded"}
    assert await composing.became(composing.child(run, "Gate-1")) == "CANCELED"


async def test_pattern_30_structured_partial_join(composing: Composing) -> None:
    run = await composing.start(parallel("Gate", "Double", "Square", join=JoinNOfM(n=2)) >> call("Total"), {"n": 3})
    assert (await composing.outcome(run)).result == {"n": 15}
    await composing.open(run, "Gate-1")
    assert await composing.became(composing.child(run, "Gate-1")) == "COMPLETED"


async def test_pattern_32_cancelling_partial_join(composing: Composing) -> None:
    join = JoinNOfM(n=2, cancel=True)
    run = await composing.start(parallel("Gate", "Double", "Square", join=join) >> call("Total"), {"n": 3})
    outcome = await composing.outcome(run)
    assert outcome.result == {"n": 15}
    assert outcome.branches[0].state == "cancelled"
    assert await composing.became(composing.child(run, "Gate-1")) == "CANCELED"


async def test_patterns_34_and_35_partial_joins_of_multiple_instances(composing: Composing) -> None:
    plan = call("UpTo") >> for_each(when(field("n") > 2, "Gate", otherwise="Double"), join=JoinNOfM(n=2, cancel=True))
    run = await composing.start(plan, {"n": 4})
    outcome = await composing.outcome(run)
    assert outcome.result == [{"n": 2}, {"n": 4}]
    assert await composing.became(composing.child(run, "each/3/Gate-1")) == "CANCELED"


async def test_pattern_43_explicit_termination(composing: Composing) -> None:
    # The composite is over as soon as its plan is, though a branch that isn't needed still runs.
    run = await composing.start(parallel("Gate", "Double", join=JoinAny()), {"n": 3})
    assert (await composing.outcome(run)).result == {"n": 6}
    assert await composing.is_running(composing.child(run, "Gate-1"))
    await composing.open(run, "Gate-1")
