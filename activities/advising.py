"""Questions about a conversation to a language model: the shape of the answer, and what is taken from it. Pure."""

import json
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue
from pydantic_ai import ModelResponse, ToolDefinition
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.profiles import ModelProfile

from activities.plain import one_line, plain_lines
from activities.speech import finished, first_sentence
from signals.assistant import Consultation, Finding, Purpose
from signals.conversation import MessageKind
from workflows.conversation.outcomes import JsonSchema

ANSWER: Final = "answer"
"""What the shape of the answer is called."""

MAX_REASON: Final = 300
"""The longest reason, in characters."""

MAX_SUMMARY: Final = 1_500
"""The longest summary, in characters: it is in every prompt from then on."""

MAX_EXTRACT: Final = 1_000
"""The longest extract, in characters."""

MAX_SENTENCE: Final = 160
"""The longest beginning of a turn in it, in characters."""

MISFIT: Final = "the model's answer has another shape"
"""The reason, where there is no answer in what a model says."""


def shape_of(consultation: Consultation, profile: ModelProfile, *, small: bool) -> ModelRequestParameters | None:
    """The shape of the answer, in the way that a model can be held to it; none for a text.

    Args:
        consultation: The question.
        profile: What the model can do.
        small: Whether it should say as little as possible.
    """
    match consultation.purpose:
        case Purpose.CHOOSE:
            ids: list[JsonValue] = [who.id for who in consultation.candidates]
            schema = _object(choice={"type": "string", "enum": ids})
        case Purpose.JUDGE if small:
            schema = _object(verdict={"type": "boolean"})
        case Purpose.JUDGE:
            schema = _object(reason={"type": "string"}, verdict={"type": "boolean"})
        case Purpose.SUMMARISE:
            return None
    native = profile.get("supports_json_schema_output", False)
    if not native and profile.get("supports_tools", True):
        tool = ToolDefinition(name=ANSWER, parameters_json_schema=schema, kind="output")
        return ModelRequestParameters(output_mode="tool", output_tools=[tool], allow_text_output=False)
    shape = OutputObjectDefinition(json_schema=schema, name=ANSWER)
    return ModelRequestParameters(output_mode="native" if native else "prompted", output_object=shape)


def _object(**properties: JsonValue) -> JsonSchema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def extract(consultation: Consultation) -> str:
    """Keep the beginnings of the latest turns, instead of a summary: what a small model sums up was never said."""
    kept = (consultation.summary or "").splitlines()
    turns = (message for message in consultation.messages if message.kind is MessageKind.TURN)
    kept += [f"{turn.speaker}: {first_sentence(one_line(turn.text), MAX_SENTENCE)}" for turn in turns]
    while sum(len(line) + 1 for line in kept) > MAX_EXTRACT:
        kept.pop(0)
    return "\n".join(kept)


def finding_in(response: ModelResponse, consultation: Consultation, model: str) -> Finding:
    """Take the answer from what a model says; one that doesn't fit is no answer, and asking the same again no help.

    Args:
        response: What it says.
        consultation: What it was asked.
        model: What the model is called.
    """
    if consultation.purpose is Purpose.SUMMARISE:
        text = "\n".join(plain_lines(response.text or ""))
        return Finding(text=finished(text, MAX_SUMMARY, broken_off=response.finish_reason == "length"), model=model)
    answer = _json_in(response)
    if consultation.purpose is Purpose.CHOOSE:
        choice = answer.get("choice")
        if not isinstance(choice, str):
            return Finding(text=MISFIT, model=model)
        return Finding(choice=choice, model=model)
    verdict, reason = answer.get("verdict"), answer.get("reason", "")
    if not isinstance(verdict, bool):
        return Finding(text=MISFIT, model=model)
    return Finding(verdict=verdict, text=one_line(str(reason))[:MAX_REASON], model=model)


def _json_in(response: ModelResponse) -> Mapping[str, JsonValue]:
    if response.tool_calls:
        return response.tool_calls[0].args_as_dict()
    text = response.text or ""
    try:
        # Where a model is only asked to, it likes to say something around it.
        answer = json.loads(text[text.index("{") : text.rindex("}") + 1])
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
