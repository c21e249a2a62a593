"""The input of a run is held to what it comes to first, before anything is started."""

from typing import Any

import pytest
from pydantic import JsonValue

from tests.flows.composition import Describe, Double, Increment, Number, Total, UpTo
from tests.unit.composition.driven import REGISTRY
from workflows.composition import call, choose, field, for_each, parallel, repeat, sequence, when
from workflows.composition.entry import MAX_FINDINGS, asked_of, misfits
from workflows.composition.layout import lay_out
from workflows.composition.plan import Plan

FIT = {"n": 3}
NO_NUMBER = "n: Field required; m: Extra inputs are not permitted"


def refused(plan: Plan, value: JsonValue) -> list[str]:
    findings = misfits(lay_out(plan), value, REGISTRY, "Composite")
    return [f"{finding.place}: {finding.message}" for finding in findings]


@pytest.mark.parametrize(
    ("plan", "value"),
    [
        (call("Double") >> "Total", FIT),
        (parallel("Double", "Square"), FIT),
        (repeat("Double", until="is_large", most=3), FIT),
        (for_each("Double"), [FIT, FIT]),
        (for_each("Double", items="all"), {"all": []}),
        (when(field("n") > 5, "Total", otherwise="Double"), FIT),
        (when(field("n") > 5, "Total") >> call("Double"), FIT),
        (choose("parity", "Double", call("Total", name="Square")), FIT),
        (call("Double", take={"n": "a.b"}), {"a": {"b": 1}}),
        (call("Double", input={"n": 1}), {"n": "what is here is replaced"}),
        (call("Double", take={}, input={"n": 1}), None),
        (call("Unknown"), None),
    ],
)
def test_an_input_that_fits_is_not_refused(plan: Plan, value: JsonValue) -> None:
    assert refused(plan, value) == []


@pytest.mark.parametrize(
    ("plan", "value", "lines"),
    [
        (call("Double"), {"m": 3}, [f"plan: the input doesn't fit Double: {NO_NUMBER}"]),
        (
            sequence("Double", "Square"),
            {"m": 3},
            [f"plan.steps.0: the input doesn't fit Double: {NO_NUMBER}"],
        ),
        (
            parallel("Double", sequence("Square"), "Total"),
            {"m": 3},
            [
                f"plan.branches.0: the input doesn't fit Double: {NO_NUMBER}",
                f"plan.branches.1.steps.0: the input doesn't fit Square: {NO_NUMBER}",
                "plan.branches.2: the input doesn't fit Total: input: Input should be a valid array",
            ],
        ),
        (
            when(field("m") > 5, "Double") >> call("Square"),
            {"m": 3},
            [f"plan.steps.1: the input doesn't fit Square: {NO_NUMBER}"],
        ),
        (for_each("Double"), FIT, ["plan: the value is no list"]),
        (for_each("Double", items="n"), FIT, ["plan: there is no list at 'n'"]),
        (for_each("Double"), [FIT, {"m": 3}], [f"plan.body: the input doesn't fit Double: {NO_NUMBER}"]),
        (choose("astray", "Double"), FIT, ["plan: selector 'astray' chose 'Nowhere', which is not among: Double"]),
        (choose("parity", "Total"), {"m": 3}, [f"plan: 'parity' is given what it doesn't accept: {NO_NUMBER}"]),
        (when("breaks", "Double"), FIT, ["plan: 'breaks' raised ZeroDivisionError: division by zero"]),
        (
            call("Double", take={"n": "m"}),
            {"m": "x"},
            [
                "plan: the input doesn't fit Double: n: Input should be a valid integer, "
                "unable to parse string as an integer"
            ],
        ),
    ],
)
def test_an_input_that_does_not_fit_is_refused_where_it_arrives(plan: Plan, value: JsonValue, lines: list[str]) -> None:
    assert refused(plan, value) == lines


def test_of_many_misfits_some_are_told() -> None:
    assert len(refused(for_each("Double"), [{}] * 1_000)) == MAX_FINDINGS


@pytest.mark.parametrize(
    ("plan", "asked"),
    [
        (call(Double), [Number]),
        (call(Increment) >> Describe, [Number]),
        (parallel(Double, Total), [Number, list[Number]]),
        (when("is_large", Double, otherwise=UpTo), [Number, Number]),
        (repeat(Double, until="is_large", most=2), [Number]),
        (for_each(Double), [list[Number]]),
        (for_each(Double, items="all"), None),
        (call(Double, take={"n": "x"}), None),
        (parallel(Double, "Unknown"), None),
    ],
)
def test_what_a_plan_takes_is_seen_from_its_first_workflows(plan: Plan, asked: list[Any] | None) -> None:
    assert asked_of(lay_out(plan), REGISTRY) == asked
