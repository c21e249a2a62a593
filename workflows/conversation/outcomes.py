"""Typed outcomes: a proposal is held to the JSON Schema that the conversation was opened with.

Whoever takes part must not be able to keep a run busy: the library's patterns give up after a number of steps (not
after a time, which a replay would not repeat), its verdicts take time that grows with schema and outcome alone,
and only its reasons, which list every branch of every union, are asked for where that is cheap.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import Final

from jsonschema_rs import Draft202012Validator, FancyRegexOptions, ValidationError, ValidationErrorKind
from pydantic import JsonValue

JsonSchema = dict[str, JsonValue]

_PATTERNS: Final = FancyRegexOptions(backtrack_limit=10_000)
"""How many steps back one pattern may take in one text: about a millisecond's worth."""

_REASONS: Final = 10_000
"""From how many reasons on nobody collects them: about half a second's worth."""

_LONGEST: Final = 300
"""How many characters a fault has at most."""


def _reads(read: Callable[[str], object]) -> Callable[[str], bool]:
    def reads(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return True

    return reads


_FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    # As Python's types read them: JSON Schema's own would insist on a time zone.
    "date-time": _reads(datetime.fromisoformat),
    "time": _reads(time.fromisoformat),
}


def schema_fault(schema: JsonSchema) -> str | None:
    """Say why something can't serve as a JSON Schema; nothing if it can.

    Returns:
        One line of at most 300 characters, or None.
    """
    try:
        _validator(schema)
    except ValidationError as error:
        return _told(error, root="schema")
    except Exception as problem:  # of any kind: it may be nested too deep, or have text that is no Unicode
        return _brief(f"schema: it can't be read: {type(problem).__name__}: {problem}")
    return None


def outcome_fault(schema: JsonSchema | None, outcome: JsonValue) -> str | None:
    """Say why an outcome doesn't fit; nothing if it does, or if any outcome will do.

    Returns:
        One line of at most 300 characters that names the place, or None.
    """
    return None if schema is None else value_fault(schema, outcome, "outcome")


def value_fault(schema: JsonSchema, value: JsonValue, root: str, *, formats: bool = False) -> str | None:
    """Say why a value doesn't fit a schema; nothing if it does.

    Args:
        schema: The schema.
        value: The value.
        root: What the value is called, where not a part of it but the whole doesn't fit.
        formats: Whether dates and the like must be such, and not only texts.

    Returns:
        One line of at most 300 characters that names the place, or None.
    """
    try:
        validator = _validator(schema, formats=formats)  # made each time: it takes less than a millisecond
        if validator.is_valid(value):
            return None
        if _cost(value, _branches(schema)) <= _REASONS:
            validator.validate(value)
    except ValidationError as error:
        return _told(error, root)
    except Exception as problem:  # of any kind: the value may be nested too deep, or have text that is no Unicode
        return _brief(f"{root}: it can't be held to the schema: {type(problem).__name__}: {problem}")
    return f"{root}: it does not fit the schema"


def _validator(schema: JsonSchema, *, formats: bool = False) -> Draft202012Validator:
    # Offline: a schema that refers to an address or a file must not make anybody fetch it.
    return Draft202012Validator(
        schema,
        offline=True,
        pattern_options=_PATTERNS,
        validate_formats=formats,
        formats=dict(_FORMATS) if formats else None,
    )


def _branches(schema: JsonValue) -> int:
    """How many branches of unions within unions a value may be tried by at one place, at most."""
    if isinstance(schema, list):
        return max(map(_branches, schema), default=1)
    if not isinstance(schema, dict):
        return 1
    return max(
        (
            (len(part) if key in ("anyOf", "oneOf") and isinstance(part, list) else 1) * _branches(part)
            for key, part in schema.items()
        ),
        default=1,
    )


def _cost(outcome: JsonValue, branches: int) -> int:
    """How many reasons there may be: each value's, in each branch at its place, for each branch around it."""
    inner = outcome.values() if isinstance(outcome, dict) else outcome if isinstance(outcome, list) else ()
    return branches * (1 + sum(_cost(part, branches) for part in inner))


def _told(error: ValidationError, root: str) -> str:
    """A fault's place and reason; for a union those of the branches that got furthest."""
    return _brief(" or ".join(dict.fromkeys(_placed(leaf, root) for leaf in _leaves(error))))


def _placed(error: ValidationError, root: str) -> str:
    where = ".".join(str(part) for part in error.instance_path) or root
    # The reason stands behind the value, or before it: a long message goes without its middle.
    message = error.message if len(error.message) <= 160 else f"{error.message[:40]} ... {error.message[-115:]}"
    return f"{where}: {message}"


def _leaves(error: ValidationError) -> list[ValidationError]:
    kind = error.kind
    if not isinstance(kind, ValidationErrorKind.AnyOf | ValidationErrorKind.OneOfNotValid):
        return [error]
    faults = [leaf for branch in kind.context for inner in branch for leaf in _leaves(inner)]
    if not faults:
        return [error]
    furthest = max(map(_progress, faults))
    return [fault for fault in faults if _progress(fault) == furthest]


def _progress(error: ValidationError) -> tuple[int, bool]:
    # Where a value is of another type, or not the one there may be, the branch was hardly meant.
    stray = isinstance(error.kind, ValidationErrorKind.Type | ValidationErrorKind.Constant)
    return len(error.instance_path), not stray


def _brief(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]
