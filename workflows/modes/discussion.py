"""A task that is talked about: a run whose only step is a conversation, and what its outcome may be."""

from collections.abc import Mapping
from typing import Final, cast

from pydantic import JsonValue

from signals.adaptive import AdaptiveRequest, Selection
from workflows.compiled import compiled, step
from workflows.compiled.types import adapter
from workflows.conversation.coordination import FreeForm
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import ConversationPoint
from workflows.modes.talking import ends_for

POINT: Final = "talk"

_ANYTHING_ELSE: Final[dict[str, JsonValue]] = {"not": {"type": "object", "required": ["workflow"]}}


def _as_asked(request: ConversationSetup) -> ConversationSetup:
    return request


@compiled
class Discussion:
    """Talk about a task until an outcome emerges."""

    @step(result=True, talk=ConversationPoint(POINT, _as_asked))
    def outcome(self, request: ConversationSetup) -> JsonValue:
        """Say what is to come of it."""
        raise NotImplementedError("people say it")


def setup_of(request: AdaptiveRequest, selection: Selection, inputs: Mapping[str, object]) -> ConversationSetup:
    """Set up the conversation about a task.

    Args:
        request: The task, its participants, and what the conversation is to be like.
        selection: Why it is talked about.
        inputs: The workflows that people may decide to go on with, with the annotation of what each takes.

    Raises:
        pydantic.ValidationError: What was asked for doesn't fit.
    """
    people = request.participants
    traits = selection.traits
    usual: dict[str, object] = {
        "topic": request.task.goal,
        "participants": people,
        "facts": request.task.facts,
        "emergence": ends_for(people),
        "outcome": outcome_of(request.task.outcome, inputs),
    }
    if traits.emergent or traits.dynamic_participants:
        usual["coordination"] = FreeForm()
    return ConversationSetup.model_validate({**usual, **request.setup})


def outcome_of(outcome: Mapping[str, JsonValue] | None, inputs: Mapping[str, object]) -> dict[str, JsonValue] | None:
    """The JSON Schema of what may come of a conversation: an outcome, or a workflow to go on with and its input.

    Args:
        outcome: The schema of the outcome itself; anything will do where there is none.
        inputs: The workflows, with the annotation of what each takes.
    """
    if not inputs:
        return dict(outcome) if outcome is not None else None
    # Whoever means a workflow must name one that there is, with an input that it takes.
    own: dict[str, JsonValue] = dict(outcome or _ANYTHING_ELSE)
    definitions = cast(dict[str, JsonValue], own.pop("$defs", {}))
    choices: list[JsonValue] = [own]
    for name, hint in inputs.items():
        schema = adapter(hint).json_schema(ref_template=f"#/$defs/{name}.{{model}}")
        inner = schema.pop("$defs", {})
        definitions |= {f"{name}.{model}": part for model, part in inner.items()}
        choices.append(
            {
                "type": "object",
                "properties": {"workflow": {"const": name}, "input": schema},
                "required": ["workflow", "input"],
                "additionalProperties": False,
            }
        )
    return {"anyOf": choices, "$defs": definitions}


def going_on(outcome: JsonValue, inputs: Mapping[str, object]) -> tuple[str, JsonValue] | None:
    """The workflow that an outcome names, with its input; nothing where it is an outcome itself."""
    match outcome:
        case {"workflow": str(name), "input": value, **rest} if name in inputs and not rest:
            return name, value
        case _:
            return None
