"""The type of a conversation point's outcome, from the annotations of its step."""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from workflows.compiled.types import UNWRITABLE, adapter, without_none
from workflows.hybrid import ConversationPoint, Result


def outcome_type(hints: Mapping[str, object], point: ConversationPoint) -> object:
    """The annotation that the outcome must fit.

    Args:
        hints: The annotations of the step.
        point: The point.
    """
    if isinstance(point.integration, Result):
        return hints.get("return", Any)
    return without_none(hints.get(point.integration.parameter, Any))


def outcome_schema(hints: Mapping[str, object], point: ConversationPoint) -> dict[str, JsonValue]:
    """The JSON Schema of the outcome; of anything where the annotation has none (a finding says so)."""
    try:
        return adapter(outcome_type(hints, point)).json_schema()
    except UNWRITABLE:
        return {}
