import socket
import time
from pathlib import Path

import pytest
from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from signals.support import Decision
from signals.wire import MAX_DEPTH, one_line
from tests.unit.conversation.talk import Talk, person
from workflows.conversation.outcomes import JsonSchema, outcome_fault, schema_fault
from workflows.conversation.setup import MAX_SCHEMA_BYTES

ALICE, BOB = person("alice"), person("bob")

SCHEMA: JsonSchema = Decision.model_json_schema()


def setup_fault(schema: JsonSchema) -> str:
    """What a setup with this schema is told."""
    with pytest.raises(ValidationError) as caught:
        Talk(ALICE, BOB, outcome=schema)
    return one_line(caught.value)


def test_any_outcome_will_do_where_there_is_no_schema() -> None:
    assert outcome_fault(None, {"anything": ["at", "all"]}) is None


def test_an_outcome_that_fits_has_no_fault() -> None:
    assert outcome_fault(SCHEMA, {"action": "refund", "order_id": "A-1002", "amount": "180.00"}) is None


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        ({"action": "explode"}, 'action: "explode" is not one of "refund", '),
        ({}, 'outcome: "action" is a required property'),
        ({"action": "none", "colour": 1}, "outcome: Additional properties are not allowed ('colour' was unexpected)"),
        ("refund", 'outcome: "refund" is not of type "object"'),
        ({"action": "refund", "order_id": "1002"}, 'order_id: "1002" does not match "^[A-Z]'),
    ],
    ids=["value", "missing", "unknown", "type", "pattern"],
)
def test_an_outcome_that_does_not_fit_is_told_where_and_why(outcome: JsonValue, fault: str) -> None:
    assert (outcome_fault(SCHEMA, outcome) or "").startswith(fault)


def test_a_fault_is_told_briefly_however_large_the_outcome() -> None:
    fault = outcome_fault({"type": "number"}, "x" * 16_000) or ""
    assert len(fault) <= 300
    assert fault.endswith('x" is not of type "number"')


def test_a_fault_is_told_on_one_line_whatever_the_names() -> None:
    fault = outcome_fault({"additionalProperties": {"type": "null"}}, {"a\n" * 1_000: 1}) or ""
    assert len(fault) <= 300
    assert "\n" not in fault


@pytest.mark.parametrize(
    ("branches", "outcome", "fault"),
    [
        ([{"type": "integer"}, {"type": "null"}], "x", """outcome: "x" is not of type "integer" or outcome: """),
        ([{"minimum": 3}, {"type": "null"}], 2, "outcome: 2 is less than the minimum of 3"),
        (
            [{"properties": {"kind": {"const": kind}, "n": {"minimum": low}}} for kind, low in (("a", 1), ("b", 5))],
            {"kind": "b", "n": 3},
            "n: 3 is less than the minimum of 5",
        ),
    ],
    ids=["types", "optional", "tagged"],
)
def test_of_a_union_the_branch_that_came_nearest_is_told(
    branches: list[JsonValue], outcome: JsonValue, fault: str
) -> None:
    assert (outcome_fault({"anyOf": branches}, outcome) or "").startswith(fault)


# Schemas that can't serve


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ({"type": "strange"}, 'type: "strange" is not '),
        ({"properties": 3}, 'properties: 3 is not of type "object"'),
        ({"pattern": "("}, 'pattern: "(" is not a "regex"'),
        ({"patternProperties": {"*": {}}}, 'patternProperties.*: "*" is not a "regex"'),
        ({"$ref": "#/$defs/gone"}, "schema: Pointer '/$defs/gone' does not exist"),
        ({"items": {"$ref": "#gone"}}, "schema: Anchor 'gone' does not exist"),
        ({"not": {"$dynamicRef": "#gone"}}, "schema: Anchor 'gone' does not exist"),
        ({"title": "no schema", "$ref": "#/title"}, 'title: "no schema" is not of type'),
    ],
    ids=["type", "keyword", "pattern", "patterns", "pointer", "anchor", "dynamic", "no schema"],
)
def test_what_cannot_serve_as_a_schema_is_refused_at_the_start(schema: JsonSchema, fault: str) -> None:
    assert setup_fault(schema).startswith(f"input: outcome is not a JSON Schema: {fault}")


def test_a_schema_at_an_address_is_refused_and_never_fetched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        schema: JsonSchema = {"$ref": f"http://127.0.0.1:{server.getsockname()[1]}/schema.json"}
        assert "Retrieval is disabled" in setup_fault(schema)
        assert "Retrieval is disabled" in (outcome_fault(schema, 1) or "")
        with pytest.raises(BlockingIOError):  # nobody has connected
            server.accept()


def test_a_schema_in_a_file_is_refused_and_never_read(tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    file.write_text("{}", encoding="utf-8")
    assert (schema_fault({"$ref": file.as_uri()}) or "").startswith("schema: Resource 'file:///")


def test_a_schema_whose_own_address_is_none_is_refused() -> None:
    assert setup_fault({"$id": "http://[half", "$ref": "#"}).startswith("input: ")


def test_a_schema_may_have_as_many_bytes_as_are_allowed_and_no_more() -> None:
    assert "outcome: JSON has" in setup_fault({"description": "x" * MAX_SCHEMA_BYTES})


def test_a_schema_is_not_nested_without_end() -> None:
    schema: JsonSchema = {}
    for _ in range(MAX_DEPTH):
        schema = {"not": schema}
    assert "nested too deep" in setup_fault(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}},
        {"$ref": "#a", "$defs": {"a": {"$anchor": "a"}}},
        {"$id": "http://example.com/a", "properties": {"x": {"$ref": "a"}}},
        {"$ref": "http://example.com/b", "$defs": {"b": {"$id": "http://example.com/b"}}},
        {"properties": {"$ref": {"type": "string"}}},
        {"enum": [{"$ref": "http://example.com/"}]},
        {"properties": {"next": {"$ref": "#"}}},
        {"items": False},
        SCHEMA,
    ],
    ids=["pointer", "anchor", "base", "embedded", "property", "value", "recursive", "boolean", "support"],
)
def test_references_within_a_schema_are_fine(schema: JsonSchema) -> None:
    assert schema_fault(schema) is None


# Schemas and outcomes that are hard on whoever applies them


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}], ids=["loop", "nested loop"])
def test_a_schema_that_goes_round_in_circles_asks_for_nothing(schema: JsonSchema) -> None:
    assert schema_fault(schema) is None
    assert outcome_fault(schema, 1) is None


def test_a_huge_number_is_held_to_a_schema() -> None:
    assert outcome_fault({"multipleOf": 0.1}, 10**400) is None
    assert (outcome_fault({"maximum": 10}, 10**400) or "").endswith("is greater than the maximum of 10")


def test_what_is_nested_too_deep_to_be_read_is_refused() -> None:
    outcome: JsonValue = 1
    for _ in range(100_000):
        outcome = [outcome]
    assert "it can't be read" in (schema_fault({"enum": [outcome]}) or "")
    assert "it can't be held to the schema" in (outcome_fault({"const": 1}, outcome) or "")


def test_what_is_no_text_is_refused() -> None:
    assert "it can't be read" in (schema_fault({"const": "\ud800"}) or "")
    assert "it can't be held to the schema" in (outcome_fault({"type": "integer"}, "\ud800") or "")


class Sum(BaseModel):
    """A term, which leads to others by several ways."""

    left: "Sum | Product | int"
    right: "Sum | Product | int"


class Product(BaseModel):
    """A term as well, told from the other by nothing."""

    left: "Sum | Product | int"
    right: "Sum | Product | int"


def a_term(depth: int) -> JsonValue:
    """A term that is wrong at the very bottom."""
    return {"left": a_term(depth - 1), "right": 1} if depth else "wrong"


DECIMAL: JsonSchema = {"pattern": r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$"}
"""A decimal as pydantic has described it, in some of its versions."""


@pytest.mark.parametrize(
    ("schema", "outcome"),
    [
        (DECIMAL, "1" * 16_000 + "x"),
        ({"pattern": "^(a+)+$"}, "a" * 16_000 + "x"),
        ({"pattern": r"^(a|aa)+\1$"}, "a" * 16_000 + "x"),
        ({"items": {"pattern": r"^((a|aa)+\2b|.*)$"}}, ["a" * 25 + "x"] * 500),
        ({"uniqueItems": True}, [{"n": [n]} for n in range(1_500)] + [{"n": [0]}]),
        (TypeAdapter(Sum | Product).json_schema(), a_term(MAX_DEPTH - 2)),
        ({"items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, [1] * 8_000),
        ({"anyOf": [{"items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, {"type": "null"}]}, [1] * 8_000),
    ],
    ids=["decimal", "linear", "backtracking", "often", "unique", "recursive", "wide", "wide union"],
)
def test_no_outcome_keeps_a_run_busy(schema: JsonSchema, outcome: JsonValue) -> None:
    start = time.perf_counter()
    fault = outcome_fault(schema, outcome)
    assert time.perf_counter() - start < 1
    assert fault is not None
    assert len(fault) <= 300


def test_where_reasons_would_be_too_many_none_is_told() -> None:
    schema = TypeAdapter(Sum | Product).json_schema()
    assert outcome_fault(schema, a_term(20)) == "outcome: it does not fit the schema"
    assert (outcome_fault(schema, a_term(2)) or "").startswith("left.left: ")


def test_a_pattern_gives_up_after_the_same_number_of_steps_each_time() -> None:
    def first_refused() -> int:
        schema: JsonSchema = {"pattern": r"^(a|aa)+\1$"}
        return next(n for n in range(100) if "backtracking" in (outcome_fault(schema, "a" * n + "x") or ""))

    assert {first_refused() for _ in range(20)} == {first_refused()}


def test_an_outcome_as_deep_as_is_allowed_is_held_to_a_recursive_schema() -> None:
    schema: JsonSchema = {"anyOf": [{"type": "array", "items": {"$ref": "#"}}, {"type": "integer"}]}
    outcome: JsonValue = 1
    for _ in range(MAX_DEPTH - 1):
        outcome = [outcome]
    assert outcome_fault(schema, outcome) is None
