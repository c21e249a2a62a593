"""Composites that can't be run, or can't give their result, on the real server: they fail once, with the reason."""

from uuid import uuid4

import pytest
from pydantic import JsonValue
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowQueryFailedError
from temporalio.common import RawValue

from signals.errors import ErrorType
from tests.flows.composition import Text
from tests.workflows.composing import Composing
from workflows.composition import JoinAll, JoinAny, call, parallel


@pytest.mark.parametrize(
    ("plan", "value", "lines"),
    [
        ("Incremet", {"n": 1}, ["plan: there is no workflow 'Incremet'; did you mean 'Increment'? [unknown-workflow]"]),
        (
            {"kind": "parallel", "branches": ["Double", "Square"], "join": {"kind": "n_of_m", "n": 3}},
            {"n": 1},
            ["plan.join: it waits for 3 branches of 2; ask for 2 at most [join-count]"],
        ),
        (
            ["Increment", "Describe", "Double", "Total"],
            {"n": 1},
            [
                "plan.steps.2: Double takes Number, but is given Text; "
                "say with 'take' which of its fields it needs [type-mismatch]",
                "plan.steps.3: Total takes list[Number], but is given Number; "
                "say with 'take' which of its fields it needs [type-mismatch]",
            ],
        ),
        (
            ["Increment", "Double"],
            {"m": 1},
            [
                "plan.steps.0: the input doesn't fit Increment: n: Field required; m: Extra inputs are not permitted; "
                "mend the input [input]"
            ],
        ),
        ({"kind": "parallel"}, None, ["plan.parallel.branches: Field required"]),
        ([["Double"]] * 500, None, [
            "plan: too large: at most 500 plans in all are allowed; "
            "make workflows of its parts, and a plan of those [too-large]",
        ]),
    ],
)  # fmt: skip
async def test_a_bad_plan_fails_at_once_with_a_line_for_each_finding(
    composing: Composing, plan: JsonValue, value: JsonValue, lines: list[str]
) -> None:
    run = await composing.start(plan, value)
    error = await composing.failure(run)
    assert error.type == ErrorType.INVALID_INPUT
    assert error.message.splitlines() == lines
    assert await composing.children(run) == []


@pytest.mark.parametrize("depth", [51, 60, 100, 10_000])
async def test_a_plan_that_is_nested_too_deep_fails_at_once_with_one_line(composing: Composing, depth: int) -> None:
    text = '{"plan": ' + "[" * depth + '"Double"' + "]" * depth + "}"
    payload = Payload(metadata={"encoding": b"json/plain"}, data=text.encode())
    error = await composing.failure(await composing.start_flow("Composite", RawValue(payload)))
    assert error.type == ErrorType.INVALID_INPUT
    assert "nested too deep" in error.message or "recursion limit" in error.message
    assert "\n" not in error.message


async def test_a_plan_of_a_megabyte_fails_at_once(composing: Composing) -> None:
    error = await composing.failure(await composing.start(["Double"] * 100_000))
    assert error.message == "plan: too large: at most 500 plans in all, and 20,000 values, are allowed"


async def test_a_refused_run_can_be_asked_why_nothing_is_to_be_seen(composing: Composing) -> None:
    run = await composing.start("Nowhere")
    await composing.failure(run)
    with pytest.raises(WorkflowQueryFailedError, match="nothing was run"):
        await run.query("progress")


async def test_an_id_that_would_be_too_long_fails_its_branch(composing: Composing) -> None:
    run = await composing.start(call("Double", name="x" * 60), {"n": 1}, run="r" * 960)
    error = await composing.failure(run)
    assert error.type == ErrorType.COMPOSITE_TOO_LARGE
    assert "its workflow id would be longer than 1,000 bytes" in error.message


async def test_more_than_one_answer_to_the_server_can_carry_is_sent_in_several(composing: Composing) -> None:
    plan = parallel(*(call("Length", name=f"part{number}") for number in range(4)))
    run = await composing.start(plan, Text(text="x" * 1_500_000))
    assert (await composing.outcome(run)).result == [{"n": 1_500_000}] * 4


async def test_a_result_that_cannot_be_carried_fails_the_composite(composing: Composing) -> None:
    plan = parallel("Echo", call("Echo", name="again"))
    error = await composing.failure(await composing.start(plan, Text(text="x" * 1_200_000)))
    assert error.type == ErrorType.INVALID_INPUT
    assert error.message.startswith("CompositeResult: 2,400,")


async def test_a_result_is_not_carried_twice_where_there_is_no_room(composing: Composing) -> None:
    outcome = await composing.outcome(await composing.start("Echo", Text(text="x" * 1_200_000)))
    assert outcome.result == {"text": "x" * 1_200_000}
    assert (outcome.branches[0].result, outcome.branches[0].omitted) == (None, True)


async def test_a_child_whose_result_is_no_json_has_failed(composing: Composing) -> None:
    error = await composing.failure(await composing.start("Blob"))
    assert (error.type, error.message) == (ErrorType.INVALID_INPUT, "Blob: its result isn't JSON")


async def test_a_child_that_runs_already_is_not_run_twice(composing: Composing) -> None:
    name = f"test-{uuid4()}"
    await composing.start_flow("Gate", {"n": 1}, run=f"{name}/Gate-1")
    run = await composing.start(parallel("Gate", "Double", join=JoinAny()), {"n": 2}, run=name)
    outcome = await composing.outcome(run)
    assert outcome.result == {"n": 4}
    error = outcome.branches[0].error
    assert error is not None
    assert error.message == f"'{name}/Gate-1' is running already"
    await composing.open(run, "Gate-1")


async def test_a_branch_that_takes_too_long_has_failed(composing: Composing) -> None:
    run = await composing.start(call("Gate", timeout=1), {"n": 1})
    error = await composing.failure(run)
    assert error.type == "TimeoutError"
    assert error.message.startswith("Gate: ")


async def test_a_failure_says_what_became_of_each_branch(composing: Composing) -> None:
    run = await composing.start(parallel("Double", "Fail", join=JoinAll()), {"n": 1})
    error = await composing.failure(run)
    assert error.type == ErrorType.JOIN_FAILED
    assert error.message == "of 2 branches all must succeed, but Fail failed (no such number)"
    states = {branch["path"]: branch["state"] for branch in error.details[0]["branches"]}
    assert states["Fail"] == "failed"


async def test_a_composite_fails_as_its_only_child_does(composing: Composing) -> None:
    error = await composing.failure(await composing.start(call("Double") >> "Fail", {"n": 1}))
    assert (error.type, error.message) == ("NotFound", "Fail: no such number")
