"""A plan is the same from Python and from JSON, and JSON that is none is refused in one line."""

import gc
import json
import time

import jsonschema
import pytest
from pydantic import BaseModel, JsonValue, ValidationError

from signals.wire import one_line
from tests.flows.composition import Double, Increment, Square, Total, UpTo, parity
from workflows.composition import (
    CompositeRequest,
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
from workflows.composition.layout import TooLargeError, lay_out
from workflows.composition.plan import MAX_DEPTH, MAX_JSON_VALUES, MAX_SIZE, Call, Plan, Sequential

JSON: JsonValue = [
    "Increment",
    {"kind": "conditional", "when": {"field": "n", "op": "gt", "value": 3}, "then": "Double", "otherwise": "Square"},
    {"kind": "loop", "body": "Double", "until": "is_large", "most": 5},
    {"kind": "dynamic", "selector": "parity", "among": ["Double", {"workflow": "Square", "timeout": 60}]},
    {"workflow": "UpTo", "take": {"n": "n"}, "input": {"n": 3}, "name": "numbers"},
    {"kind": "for_each", "body": "Increment", "at_once": 2, "join": {"kind": "n_of_m", "n": 2, "cancel": True}},
    {"kind": "parallel", "branches": ["Total", {"workflow": "Total", "name": "again"}], "join": "any"},
]

PYTHON = (
    call(Increment)
    >> when(field("n") > 3, Double, otherwise=Square)
    >> repeat("Double", until="is_large", most=5)
    >> choose(parity, "Double", call(Square, timeout=60))
    >> call(UpTo, take={"n": "n"}, input={"n": 3}, name="numbers")
    >> for_each(Increment, at_once=2, join=JoinNOfM(n=2, cancel=True))
    >> parallel(Total, call("Total", name="again"), join=JoinAny())
)


def dumped(plan: BaseModel) -> object:
    return plan.model_dump(mode="json")


def nested(depth: int) -> str:
    """The JSON of a plan of so many plans inside each other."""
    return '{"plan": ' + '{"kind": "sequential", "steps": [' * (depth - 1) + '"A"' + "]}" * (depth - 1) + "}"


def refusal(text: str) -> str:
    with pytest.raises(ValidationError) as error:
        CompositeRequest.model_validate_json(text)
    return one_line(error.value)


def test_python_and_json_write_the_same_plan() -> None:
    assert dumped(PYTHON) == dumped(CompositeRequest.model_validate({"plan": JSON}).plan)


def test_what_is_written_reads_back_as_the_same_plan() -> None:
    request = CompositeRequest.model_validate({"plan": PYTHON, "input": {"n": 1}})
    assert dumped(CompositeRequest.model_validate_json(request.model_dump_json())) == dumped(request)


def test_sequences_that_are_joined_become_one() -> None:
    joined = "A" >> (call("B") >> "C") >> Double
    assert [inner.plan.workflow for inner in joined.inner() if isinstance(inner.plan, Call)] == [
        "A",
        "B",
        "C",
        "Double",
    ]


def test_a_sequence_with_a_name_stays_one() -> None:
    assert isinstance((sequence("A", "B", name="both") >> "C").steps[0], Sequential)


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ("3", "plan: a plan is a workflow's name, a list, or an object whose kind is one of"),
        ('{"kind": "sequence"}', "plan: a plan is a workflow's name, a list, or an object whose kind is one of"),
        ('{"kind": ["sequential"]}', "plan: a plan is a workflow's name, a list, or an object whose kind is one of"),
        ('["A", {"kind": "parallel"}]', "plan.sequential.steps.1.parallel.branches: Field required"),
        ('""', "plan.workflow.workflow: String should have at least 1 character"),
        ('{"workflow": "A", "colour": 1}', "plan.workflow.colour: Extra inputs are not permitted"),
        ('{"workflow": "A", "name": "a/b"}', "plan.workflow.name: String should match pattern"),
        ('{"workflow": "A", "timeout": 0}', "plan.workflow.timeout: Input should be greater than 0"),
        ('{"kind": "loop", "body": "A", "until": "x", "most": 0}', "plan.loop.most: Input should be greater than"),
        ('{"kind": "loop", "body": "A", "until": 3, "most": 1}', "plan.loop.until: a condition has one of the keys"),
        (
            '{"kind": "parallel", "branches": ["A"], "join": "most"}',
            "plan.parallel.join: 'kind' must be one of 'all', 'any', 'n_of_m', 'first'",
        ),
        (
            '{"kind": "parallel", "branches": ["A"], "join": {"kind": "n_of_m", "n": 0}}',
            "plan.parallel.join.n_of_m.n: Input should be greater than or equal to 1",
        ),
    ],
)
def test_json_that_is_no_plan_is_refused_in_one_line(plan: str, reason: str) -> None:
    line = refusal(f'{{"plan": {plan}}}')
    assert line.startswith(reason)
    assert "\n" not in line


@pytest.mark.parametrize("depth", [80, 120, 190, 10_000])
def test_json_that_is_nested_too_deep_is_refused_in_one_line(depth: int) -> None:
    line = refusal(nested(depth))
    assert "nested too deep" in line or "recursion limit" in line
    assert "\n" not in line


def test_json_may_be_nested_as_deep_as_plans_may() -> None:
    lay_out(CompositeRequest.model_validate_json(nested(MAX_DEPTH)).plan)
    with pytest.raises(TooLargeError, match="nested too deep"):
        lay_out(CompositeRequest.model_validate_json(nested(MAX_DEPTH + 1)).plan)


def test_python_that_is_nested_too_deep_is_refused() -> None:
    plan: Plan = call("A")
    for _ in range(10_000):
        plan = when("x", plan)
    with pytest.raises(TooLargeError, match="nested too deep"):
        lay_out(plan)


@pytest.mark.parametrize("item", ['"A"', '[["A"]]', "3", '{"workflow": "A", "input": [1, 2, 3, 4]}'])
def test_json_that_is_far_too_large_is_refused_at_once(item: str) -> None:
    text = '{"plan": [' + ",".join([item] * (1_000_000 // (len(item) + 1))) + "]}"
    gc.freeze()  # what other tests have left is not to be gone through meanwhile
    start = time.thread_time()
    line = refusal(text)
    assert time.thread_time() - start < 1.5  # a workflow task is given up after two seconds
    gc.unfreeze()
    assert line == f"plan: too large: at most {MAX_SIZE} plans in all, and {MAX_JSON_VALUES:,} values, are allowed"


def test_a_plan_of_too_many_parts_is_refused() -> None:
    lay_out(sequence(*["A"] * (MAX_SIZE - 1)))
    with pytest.raises(TooLargeError, match="at most 500 plans in all"):
        lay_out(sequence(*["A"] * MAX_SIZE))


def test_the_schema_takes_what_is_written_by_hand() -> None:
    schema = json.loads(json.dumps(CompositeRequest.model_json_schema()))
    jsonschema.validate({"plan": JSON, "input": {"n": 1}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"plan": ["A", {"kind": "parallel"}]}, schema)


def test_parts_are_called_by_name_by_type_or_by_number() -> None:
    plan = sequence(
        "A",
        parallel("B", call("C", name="c"), sequence("D", "E"), sequence("F", "G", name="two")),
        for_each(when("x", "H")),
    )
    segments = [part.segment for part in lay_out(plan).walk()]
    assert segments == [None, "A", None, "B", "c", "3", "D", "E", "two", "F", "G", "each", None, "H"]
