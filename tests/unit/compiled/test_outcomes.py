"""What conversations may decide, as JSON Schemas that are made of the steps' annotations."""

from datetime import date
from typing import Annotated

import pytest
from jsonschema import Draft202012Validator
from pydantic import Field, JsonValue
from pydantic_core import to_json

from signals.run import RunDecision
from signals.wire import Wire
from workflows.compiled.outcomes import MAX_DECISION_BYTES, decision_schema, outcome_schema
from workflows.conversation.outcomes import schema_fault
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import ConversationPoint, EndRun, GoOnAt, Integration, Merge, Note, Result, RetryWith


class Leg(Wire):
    """A part of a journey."""

    to: str
    on: date


class Journey(Wire):
    """All of it."""

    legs: tuple[Leg, ...] = Field(min_length=1)


class Opaque:
    """What can't be written as JSON."""


HINTS: dict[str, dict[str, object]] = {
    "price": {"return": Annotated[int, Field(gt=0)], "choice": Leg | None},
    "journey": {"return": Journey},
    "told": {"return": str},
}
ROME: JsonValue = {"legs": [{"to": "Rome", "on": "2026-01-05"}]}


def accepts(schema: dict[str, JsonValue], value: JsonValue) -> bool:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema).is_valid(value)


# About the run as a whole


@pytest.mark.parametrize(
    "decision",
    [
        {},
        {"note": "go on"},
        {"resume_at": "journey"},
        {"resume_at": None},
        {"results": {"price": 7}},
        {"results": {"journey": ROME, "told": "Rome"}, "resume_at": "told", "note": "as they like"},
    ],
)
def test_people_may_decide_results_where_to_go_on_and_why(decision: dict[str, JsonValue]) -> None:
    assert accepts(decision_schema(HINTS, HINTS), decision)
    RunDecision.model_validate(decision)


@pytest.mark.parametrize(
    "decision",
    [
        "go on",
        {"resume_at": "the moon"},
        {"results": {"moon": 1}},
        {"results": {"price": "7"}},
        {"results": {"price": 0}},
        {"results": {"journey": {"legs": []}}},
        {"results": {"journey": {"legs": [{"to": "Rome"}]}}},
        {"result": {"price": 7}},
        {"note": 1},
    ],
)
def test_what_is_no_decision_is_refused(decision: JsonValue) -> None:
    assert not accepts(decision_schema(HINTS, HINTS), decision)


def test_the_schema_is_one_that_a_conversation_takes() -> None:
    assert schema_fault(decision_schema(HINTS, HINTS)) is None


def test_where_the_types_would_fill_the_setup_only_the_steps_are_named() -> None:
    wide = {f"step_{number}": {"return": Annotated[str, Field(description="x" * 1000)]} for number in range(100)}
    schema = decision_schema(wide, wide)
    assert len(to_json(schema)) < MAX_DECISION_BYTES
    assert accepts(schema, {"results": {"step_7": {"whatever": 1}}, "resume_at": "step_99"})
    assert not accepts(schema, {"results": {"step_100": "x"}})
    assert not accepts(schema, {"resume_at": "step_100"})


def test_where_a_type_has_no_schema_results_are_left_to_the_run() -> None:
    hints: dict[str, dict[str, object]] = {**HINTS, "odd": {"return": Opaque}}
    assert accepts(decision_schema(hints, hints), {"results": {"odd": 1}, "resume_at": "odd"})


# About a step


def about(request: str) -> ConversationSetup:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("step", "integration", "fits", "misfits"),
    [
        ("price", Result(), 7, 0),
        ("price", RetryWith("choice"), {"to": "Rome", "on": "2026-01-05"}, None),
        ("price", Merge("price", "told"), {"price": 7, "told": "Rome"}, {"price": 7}),
        ("price", GoOnAt("told", "journey"), {"journey": ROME}, {"journey": ROME, "told": "Rome"}),
        ("price", GoOnAt("told"), {}, {"told": "Rome"}),
        (None, Merge("journey"), {"journey": ROME}, ROME),
        (None, EndRun(), "Rome", 7),
    ],
    ids=str,
)
def test_the_outcome_of_a_point_is_what_becomes_of_it(
    step: str | None, integration: Integration, fits: JsonValue, misfits: JsonValue
) -> None:
    point = ConversationPoint("p", about, integration=integration)
    schema = outcome_schema(HINTS, step, "told", point)
    assert accepts(schema, fits)
    assert not accepts(schema, misfits)


@pytest.mark.parametrize("value", [None, 7, "why not", [1], {"a": 1}])
def test_what_is_only_noted_may_be_anything(value: JsonValue) -> None:
    point = ConversationPoint("p", about, integration=Note())
    assert accepts(outcome_schema(HINTS, "price", "told", point), value)


def test_a_type_without_a_schema_asks_for_nothing() -> None:
    assert outcome_schema({"odd": {"return": Opaque}}, "odd", "odd", ConversationPoint("p", about)) == {}
