"""The types of what conversations decide, from the annotations of a workflow's steps."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from pydantic import ConfigDict, JsonValue
from pydantic_core import to_json
from typing_extensions import TypedDict

from workflows.compiled.types import IN_BASE64, UNWRITABLE, adapter, without_none
from workflows.hybrid import ConversationPoint, EndRun, GoOnAt, Merge, Note, Result, RetryWith

Hints = Mapping[str, Mapping[str, object]]
"""For each step its annotations, by parameter, and `return`."""

MAX_DECISION_BYTES: Final = 48 * 1024
"""The largest schema of a decision, in bytes of JSON; a larger one leaves the types of results to the run itself."""


def outcome_type(hints: Hints, step: str | None, result: str, point: ConversationPoint) -> object:
    """The annotation that the outcome of a point must fit.

    Args:
        hints: The annotations of all steps.
        step: The point's step; none for a point of the run as a whole.
        result: The step that gives the workflow's result.
        point: The point.
    """
    own = hints.get(step, {}) if step else {}
    match point.integration:
        case Result():
            return own.get("return", Any)
        case RetryWith(parameter=parameter):
            return without_none(own.get(parameter, Any))
        case Merge(steps=names) | GoOnAt(results=names):
            return results_type(hints, names)
        case EndRun():
            return hints.get(result, {}).get("return", Any)
        case Note():
            return JsonValue


def results_type(hints: Hints, steps: Iterable[str], *, total: bool = True) -> object:
    """The type of an object of results, by step; each of the type that its step gives."""
    fields = {name: hints.get(name, {}).get("return", Any) for name in steps}
    # Built at run time, of names that are known only then.
    results = cast(Any, TypedDict)("Results", fields, total=total)
    results.__pydantic_config__ = ConfigDict(extra="forbid", **IN_BASE64)
    return cast(object, results)


def outcome_schema(hints: Hints, step: str | None, result: str, point: ConversationPoint) -> dict[str, JsonValue]:
    """The JSON Schema of the outcome; of anything where the annotation has none (a finding says so)."""
    try:
        return adapter(outcome_type(hints, step, result, point)).json_schema()
    except UNWRITABLE:
        return {}


def decision_schema(hints: Hints, steps: Iterable[str]) -> dict[str, JsonValue]:
    """The JSON Schema of a `RunDecision` about a workflow: results by step, and the step to go on at.

    Args:
        hints: The annotations of all steps.
        steps: The steps, in their order.
    """
    names = list(steps)
    try:
        results = adapter(results_type(hints, names, total=False)).json_schema()
    except UNWRITABLE:
        results = {}
    definitions = results.pop("$defs", {})
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {
            "results": results,
            "resume_at": {"enum": [*names, None]},
            "note": {"type": "string"},
        },
        "additionalProperties": False,
        "$defs": definitions,
    }
    if len(to_json(schema)) > MAX_DECISION_BYTES:
        known: dict[str, JsonValue] = dict.fromkeys(names, True)
        schema["properties"] = {
            **cast(dict[str, JsonValue], schema["properties"]),
            "results": {"type": "object", "properties": known, "additionalProperties": False},
        }
        del schema["$defs"]
    return schema
