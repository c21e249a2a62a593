"""Conditions on a value: small expressions that can be written as JSON, or as Python. Pure.

In Python, `field("total") > 100` is `{"field": "total", "op": "gt", "value": 100}`; conditions are joined
with `&`, `|` and `~`, which are `all`, `any` and `not` in JSON.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, TypeAlias, Union

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, JsonValue, PrivateAttr, StringConstraints, Tag

from signals.wire import Wire
from workflows.composition.paths import Path, value_at

FunctionName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""The name of a registered function."""

Predicates: TypeAlias = Callable[["Named", JsonValue], bool]
"""Looks a named predicate up, and asks it."""


class Op(StrEnum):
    """How a field is compared."""

    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"
    EQ = "eq"
    NE = "ne"
    IN = "in"
    EXISTS = "exists"


ORDERING = frozenset({Op.GT, Op.GE, Op.LT, Op.LE})
"""The comparisons that need an order."""


class Condition(Wire, ABC):
    """What all conditions can do."""

    @abstractmethod
    def holds(self, value: JsonValue, predicates: Predicates) -> bool:
        """Whether it is so.

        Raises:
            FunctionError: A predicate has no answer.
        """

    @property
    @abstractmethod
    def told(self) -> str:
        """It as people read it."""

    @property
    def parts(self) -> tuple["Condition", ...]:
        """The conditions that it is made of."""
        return ()

    def __and__(self, other: "Condition") -> "Every":
        return Every.model_validate({"all": (self, other)})

    def __or__(self, other: "Condition") -> "Some":
        return Some.model_validate({"any": (self, other)})

    def __invert__(self) -> "Not":
        return Not.model_validate({"not": self})


class Compare(Condition):
    """A field of the value is compared with a constant.

    A field that isn't there is null. Numbers written as strings, as decimals are on the wire, compare as
    numbers with a number. What has no order, such as null or a text and a number, is neither more nor less.

    Example:
        {"field": "order.total", "op": "gt", "value": 100}
    """

    field: Path
    """Where in the value, such as `order.total` or `items.0`; empty for the value itself."""

    op: Op
    value: JsonValue = None
    """What it is compared with; a list for `in`, a truth value for `exists` (left out: true)."""

    def holds(self, value: JsonValue, predicates: Predicates) -> bool:
        """Whether it is so."""
        found = value_at(value, self.field)
        match self.op:
            case Op.EXISTS:
                return (found is not None) is (self.value is not False)
            case Op.IN:
                return isinstance(self.value, list) and any(_same(found, one) for one in self.value)
            case Op.EQ:
                return _same(found, self.value)
            case Op.NE:
                return not _same(found, self.value)
            case Op.GT | Op.GE | Op.LT | Op.LE:
                return _in_order(self.op, found, self.value)

    @property
    def told(self) -> str:
        """It as people read it."""
        return f"{self.field or 'value'} {self.op}" + ("" if self.op is Op.EXISTS else f" {self.value}")


class Every(Condition):
    """All of several conditions hold."""

    all: tuple["AnyCondition", ...]

    def holds(self, value: JsonValue, predicates: Predicates) -> bool:
        """Whether it is so."""
        return all(condition.holds(value, predicates) for condition in self.all)

    @property
    def told(self) -> str:
        """It as people read it."""
        return " and ".join(condition.told for condition in self.all)

    @property
    def parts(self) -> tuple[Condition, ...]:
        """The conditions that it is made of."""
        return self.all


class Some(Condition):
    """One of several conditions holds, or more."""

    any: tuple["AnyCondition", ...]

    def holds(self, value: JsonValue, predicates: Predicates) -> bool:
        """Whether it is so."""
        return any(condition.holds(value, predicates) for condition in self.any)

    @property
    def told(self) -> str:
        """It as people read it."""
        return f"({' or '.join(condition.told for condition in self.any)})"

    @property
    def parts(self) -> tuple[Condition, ...]:
        """The conditions that it is made of."""
        return self.any


class Not(Condition):
    """A condition doesn't hold."""

    model_config = ConfigDict(serialize_by_alias=True)

    condition: "AnyCondition" = Field(alias="not")

    def holds(self, value: JsonValue, predicates: Predicates) -> bool:
        """Whether it is so."""
        return not self.condition.holds(value, predicates)

    @property
    def told(self) -> str:
        """It as people read it."""
        return f"not {self.condition.told}"

    @property
    def parts(self) -> tuple[Condition, ...]:
        """The conditions that it is made of."""
        return (self.condition,)


class Named(Condition):
    """A registered predicate: a pure function of the value that says yes or no.

    In JSON its bare name will do.
    """

    predicate: FunctionName
    _function: Callable[..., bool] | None = PrivateAttr(default=None)

    @classmethod
    def of(cls, function: Callable[..., bool]) -> "Named":
        """Make a condition of a predicate that is at hand."""
        named = cls(predicate=function.__name__)
        named._function = function
        return named

    @property
    def function(self) -> Callable[..., bool] | None:
        """The predicate, where it was given and not only named."""
        return self._function

    def holds(self, value: JsonValue, predicates: Predicates) -> bool:
        """Whether it is so."""
        return predicates(self, value)

    @property
    def told(self) -> str:
        """It as people read it."""
        return self.predicate


def _tag(condition: object) -> str | None:
    # By the key that only one of them has: nobody has to write the kind as well.
    for tag, model in (("field", Compare), ("all", Every), ("any", Some), ("not", Not), ("predicate", Named)):
        if isinstance(condition, model) or (isinstance(condition, dict) and tag in condition):
            return tag
    return None


def _written_out(condition: object) -> object:
    return {"predicate": condition} if isinstance(condition, str) else condition


_Written = Annotated[
    Union[  # noqa: UP007  `|` doesn't take the names of classes that are still to come
        Annotated[Compare, Tag("field")],
        Annotated[Every, Tag("all")],
        Annotated[Some, Tag("any")],
        Annotated[Not, Tag("not")],
        Annotated[Named, Tag("predicate")],
    ],
    Discriminator(
        _tag,
        custom_error_type="condition",
        custom_error_message="a condition has one of the keys field, all, any, not, predicate",
    ),
]

AnyCondition = Annotated[_Written, BeforeValidator(_written_out, json_schema_input_type=str | _Written)]
"""A condition as it is written in JSON."""

for _model in (Every, Some, Not):
    _model.model_rebuild()


class field:  # noqa: N801  reads as a function in a plan
    """A place in the value, to be compared: `field("order.total") > 100`."""

    def __init__(self, path: str = "") -> None:
        self._path = path

    def _compared(self, op: Op, value: JsonValue = None) -> Compare:
        return Compare(field=self._path, op=op, value=value)

    def __gt__(self, value: JsonValue) -> Compare:
        return self._compared(Op.GT, value)

    def __ge__(self, value: JsonValue) -> Compare:
        return self._compared(Op.GE, value)

    def __lt__(self, value: JsonValue) -> Compare:
        return self._compared(Op.LT, value)

    def __le__(self, value: JsonValue) -> Compare:
        return self._compared(Op.LE, value)

    def __eq__(self, value: JsonValue) -> Compare:  # type: ignore[override]  # compares later
        return self._compared(Op.EQ, value)

    def __ne__(self, value: JsonValue) -> Compare:  # type: ignore[override]  # compares later
        return self._compared(Op.NE, value)

    __hash__ = None  # type: ignore[assignment]  # what compares later can't be a key

    def among(self, *values: JsonValue) -> Compare:
        """One of several values."""
        return self._compared(Op.IN, list(values))

    def exists(self) -> Compare:
        """Not null."""
        return self._compared(Op.EXISTS)


def simple_ones(condition: Condition) -> Iterator[Compare | Named]:
    """All the conditions that a condition comes down to."""
    left = [condition]
    while left:
        one = left.pop()
        left += reversed(one.parts)
        if isinstance(one, Compare | Named):
            yield one


def depth_of(condition: Condition) -> int:
    """How many conditions are inside each other, it included."""
    depth = 0
    level: tuple[Condition, ...] = (condition,)
    while level:
        depth, level = depth + 1, tuple(part for one in level for part in one.parts)
    return depth


def _same(one: JsonValue, other: JsonValue) -> bool:
    # In Python 1 is True; in JSON it is not.
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    numbers = _numbers(one, other)
    return numbers[0] == numbers[1] if numbers else one == other


def _in_order(op: Op, one: JsonValue, other: JsonValue) -> bool:
    numbers = _numbers(one, other)
    if numbers:
        return _ordered(op, *numbers)
    return isinstance(one, str) and isinstance(other, str) and _ordered(op, one, other)


def _ordered(op: Op, one: str | Decimal, other: str | Decimal) -> bool:
    less, same = bool(one < other), one == other  # type: ignore[operator]  # both are of one kind
    match op:
        case Op.GT:
            return not less and not same
        case Op.GE:
            return not less
        case Op.LT:
            return less
        case _:
            return less or same


def _numbers(one: JsonValue, other: JsonValue) -> tuple[Decimal, Decimal] | None:
    """Both as numbers, if one is a number and the other is one too or reads as one."""
    if not (_is_number(one) or _is_number(other)):
        return None
    first, second = _number(one), _number(other)
    return (first, second) if first is not None and second is not None else None


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: JsonValue) -> Decimal | None:
    if not (_is_number(value) or isinstance(value, str)):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
