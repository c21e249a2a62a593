"""What an AI participant may do beside saying something, as tools for its language model. Pure: nothing runs here.

The model asks; its calls become the reply's actions, and the conversation does with them as with a person's messages.
Only what the speaker's permissions and the request allow is offered.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue, ValidationError
from pydantic_ai import ToolDefinition
from pydantic_ai.messages import ToolCallPart

from signals.assistant import Action, ReplyRequest, Tool
from signals.messages import Grant, Invoke, Propose, Vote
from signals.participants import Kind, Permission
from signals.wire import one_line
from workflows.conversation.outcomes import JsonSchema, value_fault

MAX_ACTIONS: Final = 10
"""How many things one reply may want done."""

LONGEST_NAME: Final = 64
"""How long a tool's name may be, with any provider."""

RUN: Final = "run_"
"""What the names of the tools begin with that run a fragment."""

ASKED_FOR: Final = "Leave out what you don't know: it is taken from what is known, or asked for."

SHARED: Final[tuple[str, ...]] = ("$defs", "definitions")
"""Where a JSON Schema has what it refers to, at its root."""

COMMENT: Final[JsonSchema] = {"type": "string", "maxLength": 500, "description": "why, for all to read"}

Arguments = dict[str, JsonValue]


@dataclass(slots=True)
class Wishes:
    """What a model's tool calls come to."""

    text: str = ""
    """What it says by a tool."""

    to: tuple[str, ...] = ()
    """Whom that is for."""

    actions: list[Action] = field(default_factory=list)
    hand_off: str | None = None
    passes: bool = False
    """Whether it chose to say nothing."""

    faults: dict[str, str] = field(default_factory=dict)
    """Why calls come to nothing, by the calls' ids."""


@dataclass(frozen=True, slots=True)
class _Offer:
    definition: ToolDefinition
    take: Callable[[Wishes, Arguments], None]
    """Adds what a call asks for to the wishes."""


class Toolbox:
    """The tools for one reply.

    Args:
        request: What the reply is asked for with.
    """

    def __init__(self, request: ReplyRequest) -> None:
        self._offers = {offer.definition.name: offer for offer in _offers(request)}

    @property
    def definitions(self) -> list[ToolDefinition]:
        """The tools, as a model's client takes them."""
        return [offer.definition for offer in self._offers.values()]

    def read(self, calls: Sequence[ToolCallPart]) -> Wishes:
        """Take what a model's calls come to; one that doesn't fit is a fault."""
        wishes = Wishes()
        for call in calls:
            try:
                self._take(wishes, call)
            except ValidationError as error:
                wishes.faults[call.tool_call_id] = one_line(error)
            except ValueError as error:
                wishes.faults[call.tool_call_id] = str(error)
        return wishes

    def _take(self, wishes: Wishes, call: ToolCallPart) -> None:
        offer = self._offers.get(call.tool_name)
        if offer is None:
            raise ValueError(f"there is no such tool; use one of {', '.join(self._offers) or 'none'}")
        try:
            arguments: Arguments = call.args_as_dict(raise_if_invalid=True)
        except (ValueError, AssertionError):
            raise ValueError("its arguments are no JSON object") from None
        if fault := value_fault(offer.definition.parameters_json_schema, arguments, "arguments"):
            raise ValueError(fault)
        offer.take(wishes, arguments)
        if len(wishes.actions) > MAX_ACTIONS:
            wishes.actions.pop()
            raise ValueError(f"that is too much at once: at most {MAX_ACTIONS}")


def _offers(request: ReplyRequest) -> Iterator[_Offer]:
    may = request.speaker.may
    if may(Permission.SPEAK):
        yield _passing()
        yield _proposing(request)
        if request.proposals:
            yield _voting(request)
        if len(request.others) > 1:
            yield _telling(request)
    if may(Permission.INVOKE):
        taken: set[str] = set()
        for fragment in request.tools:
            yield _running(request, fragment, taken)
    if may(Permission.MODERATE) and request.others:
        yield _granting(request)
    if any(who.kind is Kind.HUMAN and who.may(Permission.SPEAK) for who in request.others):
        yield _handing_off(request)


def _tool(name: str, description: str, required: JsonSchema, optional: JsonSchema | None = None) -> ToolDefinition:
    schema: JsonSchema = {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }
    return ToolDefinition(name=name, description=description, parameters_json_schema=schema)


def _passing() -> _Offer:
    def take(wishes: Wishes, arguments: Arguments) -> None:
        wishes.passes = True

    return _Offer(_tool("pass", "Say nothing this time.", {}), take)


def _telling(request: ReplyRequest) -> _Offer:
    def take(wishes: Wishes, arguments: Arguments) -> None:
        if wishes.to:
            raise ValueError("once in a reply is all")
        wishes.text, wishes.to = str(arguments["text"]), tuple(dict.fromkeys(map(str, _list(arguments["to"]))))

    ids: JsonSchema = {"type": "array", "items": _one_of(who.id for who in request.others), "minItems": 1}
    about = "Say something that is for some of those here, instead of writing it for all."
    return _Offer(_tool("tell", about, {"to": ids, "text": {"type": "string", "minLength": 1}}), take)


def _proposing(request: ReplyRequest) -> _Offer:
    def take(wishes: Wishes, arguments: Arguments) -> None:
        wishes.actions.append(Propose.model_validate({"speaker": request.speaker.id, **arguments}))

    about = "Put an outcome of the conversation forward."
    if request.speaker.may(Permission.DECIDE):
        about += " You may decide: it can be the end of the conversation."
    outcome = dict(request.outcome or {})
    shared: JsonSchema = {key: outcome.pop(key) for key in SHARED if key in outcome}
    tool = _tool("propose", about, {"outcome": outcome}, {"comment": COMMENT})
    tool.parameters_json_schema.update(shared)
    return _Offer(tool, take)


def _voting(request: ReplyRequest) -> _Offer:
    def take(wishes: Wishes, arguments: Arguments) -> None:
        wishes.actions.append(Vote.model_validate({"speaker": request.speaker.id, **arguments}))

    numbers: JsonSchema = {"enum": [proposal.number for proposal in request.proposals], "type": "integer"}
    required: JsonSchema = {"proposal": numbers, "approve": {"type": "boolean"}}
    return _Offer(_tool("vote", "Approve or refuse a proposal.", required, {"comment": COMMENT}), take)


def _running(request: ReplyRequest, fragment: Tool, taken: set[str]) -> _Offer:
    def take(wishes: Wishes, arguments: Arguments) -> None:
        wishes.actions.append(Invoke(speaker=request.speaker.id, fragment=fragment.name, arguments=arguments))

    plain = re.sub(r"[^A-Za-z0-9_-]", "_", RUN + fragment.name)[:LONGEST_NAME]
    name = plain if plain not in taken else f"{plain[: LONGEST_NAME - 3]}_{len(taken)}"
    taken.add(name)
    schema = {"type": "object", **fragment.context}
    about = f"{fragment.about} {ASKED_FOR}".strip()
    return _Offer(ToolDefinition(name=name, description=about, parameters_json_schema=schema), take)


def _granting(request: ReplyRequest) -> _Offer:
    def take(wishes: Wishes, arguments: Arguments) -> None:
        wishes.actions.append(Grant.model_validate({"speaker": request.speaker.id, **arguments}))

    return _Offer(_tool("grant", "Give somebody the floor.", {"to": _one_of(who.id for who in request.others)}), take)


def _handing_off(request: ReplyRequest) -> _Offer:
    def take(wishes: Wishes, arguments: Arguments) -> None:
        wishes.hand_off = str(arguments["to"])

    people = (who.id for who in request.others if who.kind is Kind.HUMAN and who.may(Permission.SPEAK))
    about = "Have a person go on in your place; you say no more until somebody addresses you."
    return _Offer(_tool("hand_off", about, {"to": _one_of(people)}), take)


def _one_of(ids: Iterator[str]) -> JsonSchema:
    return {"type": "string", "enum": list(ids)}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
