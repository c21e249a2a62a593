"""Composites on the real server: from the command line, what they cost, cancelled, composed, replayed."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from pydantic import JsonValue
from temporalio.client import Client

from infra.devserver import DevServer
from infra.replay import replayer
from signals.errors import ErrorType
from tests.flows.composition import FLOWS, plus_one
from tests.harness import eventually, running_worker, temporal
from tests.workflows.composing import Composing, Run
from workflows.composition import (
    JoinAll,
    JoinAny,
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
from workflows.composition import run as shell
from workflows.composition import workflow as composite_workflow
from workflows.composition.plan import Plan
from workflows.composition.registry import Registry
from workflows.composition.workflow import Composite


@pytest.fixture(scope="module")
async def forgetful(client: Client, composing: Composing) -> AsyncIterator[Composing]:
    """A worker that keeps no run in memory: each task replays the whole."""
    async with running_worker(client, [*FLOWS, Composite], [plus_one], max_cached_workflows=0) as task_queue:
        yield Composing(client, task_queue)


async def from_the_command_line(server: DevServer, composing: Composing, request: str) -> Run:
    run = f"test-{uuid4()}"
    await temporal(
        server, "workflow", "start", "--type", "Composite", "--task-queue", composing.task_queue,
        "--workflow-id", run, "--input", request,
    )  # fmt: skip
    return composing.client.get_workflow_handle(run)


# From the command line


async def test_two_of_three_are_taken_and_the_third_is_cancelled(server: DevServer, composing: Composing) -> None:
    plan = {
        "kind": "parallel",
        "branches": ["Gate", "Double", "Square"],
        "join": {"kind": "n_of_m", "n": 2, "cancel": True},
    }
    run = await from_the_command_line(server, composing, json.dumps({"plan": plan, "input": {"n": 3}}))

    outcome = await composing.outcome(run)
    assert outcome.result == [{"n": 6}, {"n": 9}]
    assert [(branch.path, branch.state, branch.result) for branch in outcome.branches] == [
        ("Gate", "cancelled", None),
        ("Double", "succeeded", {"n": 6}),
        ("Square", "succeeded", {"n": 9}),
    ]
    drawn = await run.query("definition")
    assert "    class n1 cancelled" in drawn
    assert "    class n2,n3 succeeded" in drawn
    page = await temporal(server, "workflow", "metadata", "--workflow-id", run.id)
    assert "cancelled" in page
    assert "Gate" in page


async def test_runs_are_found_by_their_mode(server: DevServer, composing: Composing) -> None:
    run = await composing.start("Gate", {"n": 1})
    query = f"ParleyMode = 'workflow' AND WorkflowType = 'Composite' AND WorkflowId = '{run.id}'"
    await eventually(
        lambda: temporal(server, "workflow", "list", "--query", query, "-o", "json"), lambda text: run.id in text
    )
    await composing.open(run, "Gate-1")


async def test_children_have_ids_that_can_be_told_before_and_say_what_they_are(composing: Composing) -> None:
    plan = sequence("Double", parallel("Gate", sequence("Double", "Square", name="side")), for_each("Double"))
    run = await composing.start(plan, {"n": 1})
    await composing.until(run, side_Square="succeeded")
    assert await composing.children(run) == ["Double-1", "Gate-1", "side/Double-1", "side/Square-1"]
    assert await (await composing.child(run, "side/Square-1").describe()).static_summary() == "side/Square"
    await composing.open(run, "Gate-1")
    await composing.outcome(run)
    assert (await composing.children(run))[4:] == ["each/1/Double-1", "each/2/Double-1"]


# What it costs


@pytest.mark.parametrize("children", [1, 2, 5])
async def test_a_sequence_costs_what_its_children_do_and_a_start_and_an_end(
    composing: Composing, children: int
) -> None:
    run = await composing.start(sequence(*["Double"] * children), {"n": 1})
    await run.result()
    # An empty run has 5 events; the mode that it is found by is one more.
    assert len((await run.fetch_history()).events) == 6 + 9 * children


async def test_the_other_plans_add_no_events_of_their_own(composing: Composing) -> None:
    plan = (
        when(field("n") > 0, "Double", otherwise="Square")
        >> repeat("Double", until="is_large", most=9)
        >> choose("parity", "Double", "Square")
        >> when(field("n") < 0, "Fail")
    )
    run = await composing.start(plan, {"n": 3})
    assert (await composing.outcome(run)).result == {"n": 144}
    assert await composing.children(run) == ["Double-1", "Double-2", "Square-1"]
    assert len((await run.fetch_history()).events) == 6 + 9 * 3


# Ends


async def test_what_is_not_waited_for_holds_nothing_up_however_long_it_takes_to_stop(
    composing: Composing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "SETTLING", timedelta(seconds=1))
    run = await composing.start(parallel("Lingering", "Double", join=JoinAny(cancel=True)) >> call("Square"), {"n": 3})
    outcome = await composing.outcome(run)
    assert outcome.result == {"n": 36}
    assert {branch.path: branch.state for branch in outcome.branches} == {
        "Lingering": "cancelling", "Double": "succeeded", "Square": "succeeded"
    }  # fmt: skip
    # It is left to its cancellation, and not killed.
    await composing.signal(run, "Lingering-1", "go")
    assert await composing.became(composing.child(run, "Lingering-1")) == "CANCELED"


async def test_one_that_finished_while_it_was_cancelled_is_told_as_finished(composing: Composing) -> None:
    run = await composing.start(parallel("Stubborn", "Increment", join=JoinAny(cancel=True)), {"n": 3})
    outcome = await composing.outcome(run)
    assert outcome.result == {"n": 4}
    assert [(branch.state, branch.result) for branch in outcome.branches] == [
        ("succeeded", {"n": 3}),
        ("succeeded", {"n": 4}),
    ]


async def test_a_composite_whose_children_all_finish_while_it_is_cancelled_has_finished(composing: Composing) -> None:
    run = await composing.start("Stubborn", {"n": 3})
    await composing.until(run, Stubborn="running")
    await eventually(lambda: composing.is_running(composing.child(run, "Stubborn-1")))
    await run.cancel()
    assert (await composing.outcome(run)).result == {"n": 3}


async def test_cancelling_it_cancels_losers_too(composing: Composing) -> None:
    plan = parallel("Gate", "Double", join=JoinAny()) >> call("Gate", name="Next")
    run = await composing.start(plan, {"n": 3})
    await composing.until(run, Next="running")
    await eventually(lambda: composing.is_running(composing.child(run, "Next-1")))
    await run.cancel()
    for child in ("Gate-1", "Next-1"):
        assert await composing.became(composing.child(run, child)) == "CANCELED"
    assert await composing.became(run) == "CANCELED"


@pytest.mark.parametrize(
    ("plan", "became"),
    [
        (call("Gate"), "TERMINATED"),
        (parallel("Gate", "Double", join=JoinAny(cancel=True)) >> call("Gate", name="Next"), "CANCELED"),
        (parallel("Gate", "Fail", join=JoinNOfM(n=1)), "RUNNING"),
    ],
)
async def test_a_child_of_a_terminated_composite_ends_as_its_join_says(
    composing: Composing, plan: Plan, became: str
) -> None:
    run = await composing.start(plan, {"n": 3})
    child = composing.child(run, "Gate-1")
    await eventually(lambda: composing.is_running(child))
    await run.terminate()
    if became == "RUNNING":
        assert await composing.is_running(child)
        await composing.open(run, "Gate-1")
    else:
        assert await composing.became(child) == became


async def test_branches_that_run_on_do_so_after_a_failure_too(composing: Composing) -> None:
    run = await composing.start(parallel("Gate", "Fail"), {"n": 3})
    await composing.failure(run)
    await composing.open(run, "Gate-1")
    assert await composing.became(composing.child(run, "Gate-1")) == "COMPLETED"


# Composites of composites


async def test_a_composite_is_a_workflow_that_composes(composing: Composing) -> None:
    inner: JsonValue = {"plan": {"kind": "parallel", "branches": ["Double", "Square"], "join": "any"}}
    plan: JsonValue = [
        "Increment",
        {"workflow": "Composite", "take": {"input": ""}, "input": inner, "name": "inner"},
        {"workflow": "Describe", "take": {"n": "result.n"}},
    ]
    run = await composing.start(plan, {"n": 1})
    assert (await composing.outcome(run)).result == {"text": "it is 4"}
    assert await composing.child(run, "inner-1/Double-1").result() == {"n": 4}


async def test_a_step_runs_a_composite(composing: Composing) -> None:
    assert await (await composing.start_flow("Asking", {"n": 3})).result() == {"n": 36}


async def test_a_plan_with_a_type_of_its_own_composes(composing: Composing) -> None:
    plan = call("NextSquare") >> parallel("UpToHundred", "NextSquare", join=JoinAll())
    assert await composing.result(plan >> call("Total"), {"n": 1}) == {"n": 128 + 25}


async def test_a_plan_with_a_type_of_its_own_takes_what_its_first_workflow_takes(composing: Composing) -> None:
    error = await composing.failure(await composing.start_flow("NextSquare", {"m": 1}))
    assert error.type == ErrorType.INVALID_INPUT
    assert error.message == "n: Field required; m: Extra inputs are not permitted"


# Replay

EVERYTHING = (
    call("UpTo")
    >> for_each(when(field("n") > 2, "Double", otherwise="Increment"), at_once=2)
    >> "Total"
    >> parallel("Gate", repeat("Double", until="is_large", most=9), "Fail", join=JoinAny(cancel=True))
    >> choose("parity", "Double", "Square")
    >> parallel("Stubborn", "Increment", join=JoinNOfM(n=1, cancel=True))
)


async def test_a_composite_replays_whatever_it_goes_through(forgetful: Composing) -> None:
    run = await forgetful.start(EVERYTHING, {"n": 4})
    assert (await forgetful.outcome(run)).result == [{"n": (2 * (2 + 3 + 6 + 8)) ** 2 + 1}]
    await replay(run)


async def replay(run: Run) -> None:
    """Replay a run as a worker of a later release would.

    Raises:
        WorkflowNondeterminismError: It goes another way now.
    """
    await replayer([Composite]).replay_workflow(await run.fetch_history())


async def test_a_plan_that_was_accepted_is_not_refused_by_a_later_release(
    composing: Composing, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await composing.start(call("Increment") >> "Double", {"n": 4})
    await run.result()
    monkeypatch.setattr(composite_workflow, "REGISTRY", Registry())
    await replay(run)


async def test_a_plan_that_was_refused_is_not_accepted_by_a_later_release(
    composing: Composing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composite_workflow, "REGISTRY", Registry())
    run = await composing.start("Double", {"n": 4})
    await composing.failure(run)
    await replay(run)
