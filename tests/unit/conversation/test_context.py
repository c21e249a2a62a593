"""What people write for what a fragment needs is read by the schema of the field that it is for."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

import pytest
from pydantic import Field, JsonValue

from signals.wire import Wire
from workflows.conversation.context import (
    context_fault,
    fields_of,
    misfit,
    read,
    required_by,
    told,
    whole_misfit,
    without,
)


class Size(StrEnum):
    """One of some."""

    SMALL = "small"
    LARGE = "large"


class Place(Wire):
    """A model within."""

    city: str
    zip: str = ""


class Needs(Wire):
    """All that may be needed."""

    text: str
    code: Annotated[str, Field(pattern=r"^[A-Z]-\d+$", examples=["A-1"])]
    count: int = Field(ge=1)
    """How many."""

    share: float
    sure: bool
    size: Size
    kind: Literal["Day", "Night"]
    on: date
    at: datetime
    price: Decimal
    place: Place
    names: tuple[str, ...]
    many: int | str
    anything: JsonValue
    hint: str | None = None


CONTEXT = Needs.model_json_schema()


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("text", "A-1", "A-1"),
        ("text", " 12 ", "12"),
        ("text", "two\nlines", "two\nlines"),
        ("text", '{"a": 1}', '{"a": 1}'),
        ("text", "text: yes", "yes"),
        ("code", "B-7", "B-7"),
        ("count", "3", 3),
        ("count", "count = 3", 3),
        ("share", "0.5", 0.5),
        ("share", "1e3", 1000.0),
        ("sure", "Yes", True),
        ("sure", "no", False),
        ("sure", "true", True),
        ("size", "LARGE", "large"),
        ("kind", "day", "Day"),
        ("on", "2026-03-01", "2026-03-01"),
        ("at", "2026-03-01T12:00", "2026-03-01T12:00"),
        ("at", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
        ("price", "20.50", "20.50"),
        ("place", '{"city": "Rome"}', {"city": "Rome"}),
        ("names", '["a", "b"]', ["a", "b"]),
        ("many", "5", "5"),
        ("anything", '{"b": [1]}', {"b": [1]}),
        ("anything", "words", "words"),
    ],
)
def test_plain_text_is_read_as_what_the_field_takes(field: str, text: str, value: JsonValue) -> None:
    said = read(CONTEXT, text, [field, "text"])
    assert said == {field: value}
    assert misfit(CONTEXT, said) is None


@pytest.mark.parametrize(
    ("field", "text", "fault"),
    [
        ("code", "nonsense", 'code: "nonsense" does not match "^[A-Z]-\\d+$"'),
        ("count", "many", 'count: "many" is not of type "integer"'),
        ("count", "0", "count: 0 is less than the minimum of 1"),
        ("count", "NaN", 'count: "NaN" is not of type "integer"'),
        ("sure", "perhaps", 'sure: "perhaps" is not of type "boolean"'),
        ("size", "huge", 'size: "huge" is not one of "small" or "large"'),
        ("on", "2026-13-01", 'on: "2026-13-01" is not a "date"'),
        ("at", "soon", 'at: "soon" is not a "date-time"'),
        ("place", '{"zip": "1"}', 'place: "city" is a required property'),
    ],
)
def test_what_does_not_fit_is_said_with_the_field_s_name(field: str, text: str, fault: str) -> None:
    assert misfit(CONTEXT, read(CONTEXT, text, [field])) == fault


def test_several_fields_are_given_by_lines_or_as_a_json_object() -> None:
    assert read(CONTEXT, 'count: 2\n\nsure = yes\nplace: {"city": "Oslo"}', ["text"]) == {
        "count": 2,
        "sure": True,
        "place": {"city": "Oslo"},
    }
    assert read(CONTEXT, '{"count": 2, "size": "small"}', ["text"]) == {"count": 2, "size": "small"}


def test_lines_of_which_one_names_no_field_are_the_text_of_the_first_that_is_missing() -> None:
    address = "12 High Street\nNote: ring twice"
    assert read(CONTEXT, address, ["text", "count"]) == {"text": address}


def test_an_object_that_names_no_fields_is_the_value_of_the_first_that_is_missing() -> None:
    assert read(CONTEXT, '{"city": "Rome", "zip": "1"}', ["place"]) == {"place": {"city": "Rome", "zip": "1"}}


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("text", "text (text)"),
        ("code", "code (text such as A-1)"),
        ("count", "count (a whole number; How many.)"),
        ("sure", "sure (yes or no)"),
        ("size", "size (one of small, large)"),
        ("on", "on (a date such as 2026-03-01)"),
        ("many", "many (a whole number or text)"),
        ("anything", "anything (JSON)"),
        ("unheard-of", "unheard-of (JSON)"),
    ],
)
def test_a_field_is_asked_for_with_what_is_to_be_given(field: str, asked: str) -> None:
    assert told(CONTEXT, field) == asked


def test_fields_are_found_where_a_schema_refers_to_a_part_of_itself() -> None:
    recursive: dict[str, JsonValue] = {
        "$ref": "#/$defs/Node",
        "$defs": {
            "Node": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
                },
                "required": ["name", "next"],
            }
        },
    }
    assert context_fault(recursive) is None
    assert list(fields_of(recursive)) == ["name", "next"]
    assert required_by(recursive) == ("name", "next")
    assert misfit(recursive, {"next": None}) is None
    assert misfit(recursive, {"next": 5}) is not None
    assert whole_misfit(recursive, {"next": None}) == '"name" is a required property'
    assert told(recursive, "next") == "next (a JSON object or null)"


@pytest.mark.parametrize(
    "schema",
    [{}, {"type": "string"}, {"type": "object"}, {"type": "object", "properties": []}, {"$ref": "#/$defs/Gone"}],
)
def test_what_has_no_fields_is_no_context(schema: dict[str, JsonValue]) -> None:
    assert context_fault(schema)


def test_fields_can_be_left_out_and_then_nothing_is_required() -> None:
    left = without(CONTEXT, ["count", "place"])
    assert set(fields_of(left)) == set(fields_of(CONTEXT)) - {"count", "place"}
    assert required_by(left) == ()


def test_unknown_fields_do_not_fit_where_the_model_refuses_them() -> None:
    assert misfit(CONTEXT, {"colour": 1}) == "Additional properties are not allowed ('colour' was unexpected)"
