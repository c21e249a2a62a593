"""Conditions hold as their definition says, and are the same from Python and from JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, TypeAdapter, ValidationError

from signals.wire import one_line
from workflows.composition.conditions import AnyCondition, Condition, Named, field

CONDITION: TypeAdapter[Condition] = TypeAdapter(AnyCondition)

VALUE: JsonValue = {
    "order": {"total": 120, "paid": "99.50", "lines": [{"sku": "A"}, {"sku": "B"}]},
    "status": "shipped",
    "note": None,
    "urgent": True,
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def holds(condition: object, value: JsonValue = VALUE) -> bool:
    return CONDITION.validate_python(condition).holds(value, lambda named, _: named.predicate == "yes")


@pytest.mark.parametrize(
    "condition",
    [
        {"field": "order.total", "op": "gt", "value": 100},
        {"field": "order.total", "op": "ge", "value": 120},
        {"field": "order.total", "op": "lt", "value": 120.5},
        {"field": "order.total", "op": "le", "value": 120},
        {"field": "order.total", "op": "eq", "value": 120.0},
        {"field": "order.paid", "op": "lt", "value": 100},
        {"field": "order.paid", "op": "eq", "value": 99.5},
        {"field": "order.lines.1.sku", "op": "eq", "value": "B"},
        {"field": "status", "op": "in", "value": ["packed", "shipped"]},
        {"field": "status", "op": "gt", "value": "packed"},
        {"field": "status", "op": "ne", "value": "packed"},
        {"field": "status", "op": "exists"},
        {"field": "note", "op": "exists", "value": False},
        {"field": "order.lines.2", "op": "exists", "value": False},
        {"field": "nowhere.at.all", "op": "eq", "value": None},
        {"field": "urgent", "op": "eq", "value": True},
        {"all": [{"field": "urgent", "op": "eq", "value": True}, "yes"]},
        {"any": ["no", {"predicate": "yes"}]},
        {"not": "no"},
        {"all": []},
    ],
)
def test_a_condition_holds(condition: object) -> None:
    assert holds(condition)
    assert not holds({"not": condition})


@pytest.mark.parametrize(
    "condition",
    [
        {"field": "order.total", "op": "gt", "value": 120},
        {"field": "status", "op": "gt", "value": 3},
        {"field": "status", "op": "lt", "value": 3},
        {"field": "note", "op": "lt", "value": 3},
        {"field": "note", "op": "ge", "value": None},
        {"field": "urgent", "op": "eq", "value": 1},
        {"field": "urgent", "op": "in", "value": [1]},
        {"field": "urgent", "op": "gt", "value": 0},
        {"field": "status", "op": "eq", "value": 0},
        {"all": ["yes", "no"]},
        {"any": []},
    ],
)
def test_a_condition_does_not_hold(condition: object) -> None:
    assert not holds(condition)


@given(st.integers(), st.integers())
def test_numbers_are_ordered_as_numbers_also_where_one_is_written_as_a_text(one: int, other: int) -> None:
    for value in (one, str(one)):
        assert (field() > other).holds(value, lambda *_: False) is (one > other)
        assert (field() <= other).holds(value, lambda *_: False) is (one <= other)
        assert (field() == other).holds(value, lambda *_: False) is (one == other)


@given(JSON, JSON, st.sampled_from(["gt", "ge", "lt", "le", "eq", "ne", "in", "exists"]))
def test_any_comparison_of_any_values_has_an_answer(found: JsonValue, value: JsonValue, op: str) -> None:
    assert holds({"field": "", "op": op, "value": value}, found) in (True, False)


@given(JSON, JSON)
def test_equal_is_the_opposite_of_not_equal(found: JsonValue, value: JsonValue) -> None:
    assert (field() == value).holds(found, lambda *_: False) is not (field() != value).holds(found, lambda *_: False)


def test_python_and_json_write_the_same() -> None:
    python = (field("order.total") > 100) & ~(field("status").among("new", "paid") | field("note").exists())
    json = (
        '{"all": [{"field": "order.total", "op": "gt", "value": 100}, {"not": {"any": '
        '[{"field": "status", "op": "in", "value": ["new", "paid"]}, {"field": "note", "op": "exists"}]}}]}'
    )
    assert python == CONDITION.validate_json(json)
    assert CONDITION.validate_json(CONDITION.dump_json(python)) == python


def test_a_predicate_is_named_by_its_bare_name() -> None:
    assert CONDITION.validate_python("is_large") == Named(predicate="is_large")


def test_what_is_no_condition_is_refused_with_what_would_be() -> None:
    with pytest.raises(ValidationError) as error:
        CONDITION.validate_python({"fields": "a"})
    assert one_line(error.value) == "input: a condition has one of the keys field, all, any, not, predicate"


def test_conditions_are_told_as_people_read_them() -> None:
    condition = (field("a.b") > 1) & (~field("c").exists() | field("d").among("x"))
    assert condition.told == "a.b gt 1 and (not c exists or d in ['x'])"
