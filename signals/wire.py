"""The base of every model on the wire, its size limits, and how a misfit is told in one line."""

import json
from collections.abc import Callable
from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue, StringConstraints, ValidationError

MAX_TEXT_BYTES: Final = 16 * 1024
"""Longest text of one turn, reason or comment, in bytes of UTF-8."""

MAX_OUTCOME_BYTES: Final = 16 * 1024
"""Largest outcome that people may propose, in bytes of JSON."""

MAX_FACTS_BYTES: Final = 64 * 1024
"""Largest set of known facts, in bytes of JSON."""


class Wire(BaseModel):
    """A frozen model that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def _fits(text: str) -> str:
    size = len(text.encode())
    if size > MAX_TEXT_BYTES:
        raise ValueError(f"text has {size:,} bytes, at most {MAX_TEXT_BYTES:,} are allowed")
    return text


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_fits)]
"""What somebody says: not blank, at most `MAX_TEXT_BYTES`."""

J = TypeVar("J", JsonValue, dict[str, JsonValue])


def at_most(limit: int) -> Callable[[J], J]:
    """Make a validator that refuses JSON of more than `limit` bytes."""

    def check(value: J) -> J:
        size = len(json.dumps(value, ensure_ascii=False).encode())
        if size > limit:
            raise ValueError(f"JSON has {size:,} bytes, at most {limit:,} are allowed")
        return value

    return check


Outcome = Annotated[JsonValue, AfterValidator(at_most(MAX_OUTCOME_BYTES))]
"""What a conversation may come to: any JSON value of at most `MAX_OUTCOME_BYTES`."""

Facts = Annotated[dict[str, JsonValue], AfterValidator(at_most(MAX_FACTS_BYTES))]
"""What is known, by name; at most `MAX_FACTS_BYTES`."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$")]
"""A participant's id, or a point's: letters, digits and `._@+-`, at most 64 characters."""


def one_line(error: ValidationError) -> str:
    """Say what doesn't fit: each field with its reason, without the values that were sent.

    Example:
        `customer.email: Field required; colour: Extra inputs are not permitted`
    """
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    told = [f"{'.'.join(str(part) for part in p['loc']) or 'input'}: {_reason(p['msg'])}" for p in problems[:5]]
    if len(problems) > len(told):
        told.append(f"and {len(problems) - len(told)} more")
    return "; ".join(told)


def _reason(message: str) -> str:
    return " ".join(message.removeprefix("Value error, ").split())[:300]
