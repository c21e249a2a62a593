"""AI participants, and advice about conversations, by any language model: an activity for each reply or question."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pydantic_ai import ModelRequest, ModelResponse
from pydantic_ai.messages import ToolReturnPart
from pydantic_ai.models import ModelRequestParameters
from temporalio import activity

from activities.advising import extract, finding_in, shape_of
from activities.failures import RefusedRequest, final
from activities.models import LOCAL, LanguageModels, called, cost_of, heartbeats, messages_of, tokens_of
from activities.prompting import Bounds, Guidance, PromptFiles, build_prompt, build_question
from activities.scripts import SCRIPT, Script, ScriptError, Scripts
from activities.speech import grounded, spoken
from activities.tools import Toolbox, Wishes
from signals.assistant import Consultation, Finding, Purpose, Reply, ReplyRequest
from signals.participants import Permission
from workflows.conversation.stubs import Adviser, Assistant

PROMPTS: Final = Path(__file__).parent / "prompts"

NEEDS_TOOLS: Final = (Permission.INVOKE, Permission.DECIDE, Permission.MODERATE)
"""What a participant can only do by a tool: it would be in vain with a model that has none."""

TRIES: Final = 2
"""How often a model is asked for one reply, where what it wants done doesn't fit."""


class Size(NamedTuple):
    """How much a model is given, and may say."""

    bounds: Bounds
    tokens: int
    """The longest answer."""


USUAL: Final = Size(
    Bounds(facts=8_000, messages=16_000, summary=8_500, proposals=8_000, people=4_000),
    tokens=1_200,  # a proposal has more words than what is said
)
SMALL: Final = Size(Bounds(facts=700, messages=500, summary=200, least_words=3), tokens=60)
"""For the embedded model: it reads a few hundred tokens a second, and the more it is given the less it understands."""

SMALL_QUESTION: Final = Size(Bounds(facts=300, messages=1_500, summary=400, people=600, least_words=3), tokens=80)
"""For its answers to questions."""


class AssistantActivities(Assistant, Adviser):
    """Speaks for AI participants, and answers questions about conversations.

    A model string says who does: `local` for the embedded model, `script:NAME` for a fixed list of lines, anything else
    is pydantic-ai's (`openai:gpt-5`), with its key in the provider's own environment variable.

    Args:
        default: The model string where none is named.
        models: The language models.
        scripts: The lines of simulated participants and advisers, by name.
        prompts: The folder of the prompt files.
    """

    def __init__(
        self,
        default: str,
        models: LanguageModels,
        scripts: Mapping[str, Script] | None = None,
        prompts: Path = PROMPTS,
    ) -> None:
        self._default = default
        self._models = models
        self._scripts = Scripts(scripts or {})
        self._files = PromptFiles(prompts)

    @activity.defn(name="reply")
    async def reply(self, request: ReplyRequest) -> Reply:
        """Say the next thing, and say what is to be done.

        Raises:
            ApplicationError: `AssistantFailed`, not retryable, when trying again would not help.
        """
        model = request.speaker.model or self._default
        if model.startswith(SCRIPT):
            try:
                return self._scripts.reply(model, request)
            except ScriptError as error:
                raise final(str(error)) from None
        async with heartbeats():
            return await (self._small_reply(request) if model == LOCAL else self._full_reply(model, request))

    @activity.defn(name="consult")
    async def consult(self, consultation: Consultation) -> Finding:
        """Answer a question about a conversation.

        Raises:
            ApplicationError: `AssistantFailed`, not retryable, when trying again would not help.
        """
        model = consultation.model or self._default
        if model.startswith(SCRIPT):
            try:
                return self._scripts.answer(model, consultation)
            except ScriptError as error:
                raise final(str(error)) from None
        async with heartbeats():
            return await self._finding(model, consultation)

    def expect(self, models: Sequence[str | None]) -> None:
        """Make models ready that may be asked before long, beside everything else.

        Args:
            models: Their model strings; nothing for the default.
        """
        for model in models:
            name = model or self._default
            if not name.startswith(SCRIPT):
                self._models.expect(name)

    async def _small_reply(self, request: ReplyRequest) -> Reply:
        guidance = self._guidance(request.guidance, small=True)
        prompt = build_prompt(request, guidance, self._files.nudge, SMALL.bounds)
        response = await self._models.ask(LOCAL, messages_of(prompt), SMALL.tokens)
        said = spoken(response.text or "", request, broken_off=response.finish_reason == "length")
        text = grounded(said, request)
        if any(message.speaker == request.speaker.id and message.text == text for message in request.messages):
            text = ""  # it has nothing new to say
        return Reply(text=text, model=called(LOCAL), tokens=tokens_of([response]))

    async def _full_reply(self, model: str, request: ReplyRequest) -> Reply:
        guidance = self._guidance(request.guidance)
        client = await self._models.client(model)
        in_vain = [permission.value for permission in NEEDS_TOOLS if request.speaker.may(permission)]
        remedy = (
            f"to {', '.join(in_vain)} needs a model that can, or leave {request.speaker.id!r} only 'speak' in 'can'"
        )
        if client.profile.get("supports_tools", True):
            try:
                return await self._reply_with(Toolbox(request), model, request, guidance)
            except RefusedRequest as error:
                if in_vain:
                    raise final(f"{error.message}; perhaps it can't use tools: {remedy}") from None
        elif in_vain:
            raise final(f"{model} can't use tools: {remedy}")
        return await self._reply_with(None, model, request, guidance)

    async def _reply_with(
        self, toolbox: Toolbox | None, model: str, request: ReplyRequest, guidance: Guidance
    ) -> Reply:
        bounds = USUAL.bounds
        if toolbox is None:
            bounds = bounds._replace(people=0)  # their ids are for tools
        else:
            guidance = guidance.beside(self._files.tools)
        messages = messages_of(build_prompt(request, guidance, self._files.nudge, bounds))
        parameters = ModelRequestParameters(function_tools=toolbox.definitions if toolbox else [])
        responses: list[ModelResponse] = []
        wishes = Wishes()
        while not responses or (wishes.faults and len(responses) < TRIES):
            response = await self._models.ask(model, messages, USUAL.tokens, parameters)
            wishes = toolbox.read(response.tool_calls) if toolbox else Wishes()
            responses.append(response)
            messages += [response, _sent_back(response, wishes)]
        return Reply(
            text=_said(model, responses[-1], wishes, request),
            to=wishes.to,
            actions=tuple(wishes.actions),
            hand_off=wishes.hand_off,
            model=model,
            tokens=tokens_of(responses),
            cost=cost_of(responses),
        )

    async def _finding(self, model: str, consultation: Consultation) -> Finding:
        small = model == LOCAL
        if small and consultation.purpose is Purpose.SUMMARISE:
            return Finding(text=extract(consultation), model=LOCAL)
        size = SMALL_QUESTION if small else USUAL
        guidance = self._guidance(consultation.purpose.value, small=small)
        client = await self._models.client(model)
        prompt = build_question(consultation, guidance, size.bounds)
        shape = shape_of(consultation, client.profile, small=small)
        response = await self._models.ask(model, messages_of(prompt), size.tokens, shape)
        finding = finding_in(response, consultation, called(model))
        return finding.model_copy(update={"tokens": tokens_of([response]), "cost": cost_of([response])})

    def _guidance(self, name: str, *, small: bool = False) -> Guidance:
        guidance = self._files.find(name, small=small)
        if guidance is None:
            raise final(f"there is no prompt file {name}.md")
        return guidance


def _sent_back(response: ModelResponse, wishes: Wishes) -> ModelRequest:
    """What a model is told that is to answer again: all of it, so that nothing is done twice."""
    told = "not done yet: ask for it again, together with what is mended"
    return ModelRequest(
        [
            ToolReturnPart(
                call.tool_name,
                f"this can't be done: {fault}" if (fault := wishes.faults.get(call.tool_call_id)) else told,
                call.tool_call_id,
                outcome="retried",
            )
            for call in response.tool_calls
        ]
    )


def _said(model: str, response: ModelResponse, wishes: Wishes, request: ReplyRequest) -> str:
    """What the participant says, where it says or does anything at all.

    Raises:
        ApplicationError: All that it wants can't be done, or it was stopped before a word.
    """
    broken_off = response.finish_reason == "length"
    parts = (spoken(text, request, broken_off=broken_off) for text in (response.text or "", wishes.text))
    text = "" if wishes.passes else "\n".join(part for part in parts if part)
    for fault in wishes.faults.values():
        activity.logger.warning("%s wants what can't be done, which is left out: %s", model, fault)
    if text or wishes.passes or wishes.actions or wishes.hand_off:
        return text
    if wishes.faults:
        raise final(f"{model}: it wants what can't be done: {next(iter(wishes.faults.values()))}")
    if response.finish_reason in {"length", "content_filter"}:
        raise final(f"{model}: it said nothing ({response.finish_reason})")
    return text
