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

MAX_DEPTH: Final = 32
"""How deep JSON may be nested: with what is around it in a state, it must stay readable (to 200 levels)."""


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
    """Make a validator that refuses JSON of more than `limit` bytes, or of more than `MAX_DEPTH` levels."""

    def check(value: J) -> J:
        if _depth(value) > MAX_DEPTH:
            raise ValueError(f"JSON is nested too deep, at most {MAX_DEPTH} levels are allowed")
        # NaN and the infinities are no JSON: they would come back as null from a state that was written.
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
        if size > limit:
            raise ValueError(f"JSON has {size:,} bytes, at most {limit:,} are allowed")
        return value

    return check


def _depth(value: JsonValue) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


Outcome = Annotated[JsonValue, AfterValidator(at_most(MAX_OUTCOME_BYTES))]
"""What a conversation may come to: any JSON value of at most `MAX_OUTCOME_BYTES`."""

Facts = Annotated[dict[str, JsonValue], AfterValidator(at_most(MAX_FACTS_BYTES))]
"""What is known, by name; at most `MAX_FACTS_BYTES`."""

Arguments = Annotated[dict[str, JsonValue], AfterValidator(at_most(MAX_OUTCOME_BYTES))]
"""What a fragment is given, by name; at most `MAX_OUTCOME_BYTES`."""

Brief = Annotated[str, AfterValidator(lambda text: text[:500])]
"""A reason that people are told: cut to 500 characters, never refused."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$")]
"""A participant's id, or a point's: letters, digits and `._@+-`, at most 64 characters."""


def one_line(error: ValidationError) -> str:
    """Say what doesn't fit: each field with its reason, without the values that were sent.

    Example:
        `customer.email: Field required; colour: Extra inputs are not permitted`
    """
    problems = error.errors(include_url=False, include_input=False)
    told = [f"{_where(p['loc'])}: {_reason(p['type'], p['msg'], p.get('ctx'))}" for p in problems[:5]]
    if len(problems) > len(told):
        told.append(f"and {len(problems) - len(told)} more")
    return "; ".join(told)


def _where(path: tuple[int | str, ...]) -> str:
    # A field that nobody asked for has whatever name its sender gave it.
    name = ".".join(str(part) for part in path) or "input"
    shown = "".join(char if char.isprintable() else "?" for char in name[:100])
    return shown if len(name) <= 100 else f"{shown}..."


def _reason(kind: str, message: str, context: dict[str, object] | None) -> str:
    if kind == "union_tag_invalid" and context:  # its message shows what was sent
        return f"{context['discriminator']} must be one of {context['expected_tags']}"
    return " ".join(message.removeprefix("Value error, ").split())[:300]
