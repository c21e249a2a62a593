import socket
from typing import NoReturn

import pytest
from pydantic import JsonValue, ValidationError

from signals.errors import ErrorType
from signals.messages import Disposition
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
        ({"action": "explode"}, "action: 'explode' is not one of ["),
        ({}, "outcome: 'action' is a required property"),
        ({"action": "none", "colour": 1}, "outcome: Additional properties are not allowed ('colour' was unexpected)"),
        ("refund", "outcome: 'refund' is not of type 'object'"),
        ({"action": "refund", "order_id": "1002"}, "order_id: '1002' does not match"),
    ],
    ids=["value", "missing", "unknown", "type", "pattern"],
)
def test_an_outcome_that_does_not_fit_is_told_where_and_why(outcome: JsonValue, fault: str) -> None:
    assert (outcome_fault(SCHEMA, outcome) or "").startswith(fault)


def test_a_fault_is_told_briefly_however_large_the_outcome() -> None:
    assert len(outcome_fault({"type": "number"}, "x" * 16_000) or "") == 300


# Schemas that can't serve


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ({"type": "strange"}, "type: 'strange' is not valid under any of the given schemas"),
        ({"properties": 3}, "properties: 3 is not of type 'object'"),
        ({"pattern": "("}, "pattern: '(' is not a 'regex'"),
        ({"patternProperties": {"*": {}}}, "patternProperties: '*' is not a 'regex'"),
        ({"$ref": "#/$defs/gone"}, "'#/$defs/gone' refers to nothing in it, and nothing is fetched"),
        ({"items": {"$ref": "#gone"}}, "'#gone' refers to nothing in it, and nothing is fetched"),
        ({"not": {"$dynamicRef": "#gone"}}, "'#gone' refers to nothing in it, and nothing is fetched"),
        ({"$ref": "file:///etc/passwd"}, "'file:///etc/passwd' refers to nothing in it, and nothing is fetched"),
    ],
    ids=["type", "keyword", "pattern", "patterns", "pointer", "anchor", "dynamic", "file"],
)
def test_what_cannot_serve_as_a_schema_is_refused_at_the_start(schema: JsonSchema, fault: str) -> None:
    assert setup_fault(schema) == f"input: outcome is not a JSON Schema: {fault}"


def test_a_schema_at_an_address_is_refused_and_never_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> NoReturn:
        raise AssertionError("somebody connects")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    schema: JsonSchema = {"$ref": "http://127.0.0.1:9/schema.json"}
    assert "nothing is fetched" in setup_fault(schema)
    assert "can't be held to the schema" in (outcome_fault(schema, 1) or "")


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


# Schemas that fail only when they are applied


@pytest.mark.parametrize(
    ("schema", "outcome"),
    [
        ({"$ref": "#"}, 1),
        ({"allOf": [{"$ref": "#"}]}, 1),
        ({"title": "no schema", "$ref": "#/title"}, {}),
        ({"multipleOf": 0.1}, 10**400),
    ],
    ids=["loop", "nested loop", "no schema", "huge number"],
)
def test_an_outcome_that_a_schema_fails_on_is_refused_and_breaks_nothing(
    schema: JsonSchema, outcome: JsonValue
) -> None:
    talk = Talk(ALICE, BOB, outcome=schema)
    assert talk.propose("alice", outcome) is ErrorType.OUTCOME_INVALID
    assert "it can't be held to the schema" in talk.reason
    assert talk.turn("alice") is Disposition.RECORDED


def test_an_outcome_as_deep_as_is_allowed_is_held_to_a_recursive_schema() -> None:
    schema: JsonSchema = {"anyOf": [{"type": "array", "items": {"$ref": "#"}}, {"type": "integer"}]}
    outcome: JsonValue = 1
    for _ in range(MAX_DEPTH - 1):
        outcome = [outcome]
    assert outcome_fault(schema, outcome) is None
