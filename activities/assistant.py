"""AI participants: one activity for each reply, by any language model.

Temporal retries: clients don't. What trying again can't mend fails at once, in one line that people can read; it
never repeats what a provider said, which may hold a key.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

from pydantic_ai import ModelMessage, ModelRequest, ModelResponse, ModelSettings, TextPart, UserPromptPart
from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import (
    AgentRunError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRequestRejectedError,
    UnexpectedModelBehavior,
    UserError,
)
from pydantic_ai.messages import SystemPromptPart
from pydantic_ai.models import Model, infer_model
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import local_model
from activities.local_model import LocalModel, LocalModelError
from activities.prompting import Bounds, Prompt, PromptFiles, build_prompt, grounded, spoken
from signals.assistant import Reply, ReplyRequest
from signals.conversation import Tokens
from signals.errors import ErrorType
from workflows.conversation.stubs import Assistant

PROMPTS: Final = Path(__file__).parent / "prompts"

LOCAL: Final = "local"
SCRIPT: Final = "script:"

TIME_LIMIT: Final = timedelta(seconds=280)
"""How long a model may take over a reply: less than the activity may, so that it says itself what happened."""

HEARTBEAT: Final = 1.0
"""Seconds between two signs of life; a worker that gives none for four is taken for dead."""

PASSING: Final = frozenset({408, 409, 425, 429})
"""The HTTP statuses below 500 that trying again may mend."""

CODE: Final = re.compile(r"[a-z_]{1,40}")


class Size(NamedTuple):
    """How much a model is given, and may say."""

    bounds: Bounds
    tokens: int
    """The longest answer."""


USUAL: Final = Size(Bounds(facts=8_000, messages=16_000), tokens=300)
SMALL: Final = Size(Bounds(facts=700, messages=500, least_words=3), tokens=60)
"""For the embedded model: it reads a few hundred tokens a second, and the more it is given the less it understands."""


class AssistantActivities(Assistant):
    """Speaks for AI participants.

    A participant's model string says who speaks for it: `local` for the embedded model, `script:NAME` for a fixed
    list of replies, anything else is pydantic-ai's (`openai:gpt-5`), with its key in the provider's own environment
    variable.

    A script is said from its first line on, and from the start again after its last. The next line is the one after
    the last that the speaker said in the part of the transcript that the request has: so the same request always gives
    the same line, a reply that was interrupted is said when it is asked for again, and no length of a conversation
    matters. For that its lines must be distinct.

    Args:
        default: The model string of participants that name none.
        local: The embedded model.
        scripts: Lists of replies, by name.
        prompts: The folder of the prompt files.
        time_limit: How long a model may take over a reply.

    Raises:
        ValueError: A script is empty, or says the same twice.
    """

    def __init__(
        self,
        default: str,
        local: LocalModel,
        scripts: Mapping[str, Sequence[str]] | None = None,
        prompts: Path = PROMPTS,
        time_limit: timedelta = TIME_LIMIT,
    ) -> None:
        self._default = default
        self._local = local
        self._scripts = {name: _distinct(name, lines) for name, lines in (scripts or {}).items()}
        self._files = PromptFiles(prompts)
        self._time_limit = time_limit
        self._models: dict[str, Model] = {}
        self._making = asyncio.Lock()
        self._clients = AsyncExitStack()

    @activity.defn(name="reply")
    async def reply(self, request: ReplyRequest) -> Reply:
        """Say the next thing.

        Raises:
            ApplicationError: `AssistantFailed`, not retryable, when trying again would not help.
        """
        model = request.speaker.model or self._default
        if model.startswith(SCRIPT):
            return Reply(text=self._scripted(model, request), model=model)
        async with _heartbeats():
            try:
                return await self._spoken(model, request)
            except (UserError, ImportError, LocalModelError, AgentRunError) as error:
                # Without its cause, which may hold what the provider said.
                raise _failure(model, error) from None

    async def aclose(self) -> None:
        """Close the connections to providers."""
        self._models.clear()
        await self._clients.aclose()

    def _scripted(self, model: str, request: ReplyRequest) -> str:
        lines = self._scripts.get(model.removeprefix(SCRIPT))
        if lines is None:
            raise _final(f"{model}: there is no such script; known are: {', '.join(self._scripts) or 'none'}")
        said = (message.text for message in reversed(request.messages) if message.speaker == request.speaker.id)
        last = next((lines.index(text) for text in said if text in lines), -1)
        return lines[(last + 1) % len(lines)]

    async def _spoken(self, model: str, request: ReplyRequest) -> Reply:
        small = model == LOCAL
        size = SMALL if small else USUAL
        guidance = self._files.find(request.guidance, small=small)
        if guidance is None:
            raise _final(f"there is no prompt file {request.guidance}.md")
        prompt = build_prompt(request, guidance, self._files.nudge, size.bounds)
        settings = ModelSettings(
            temperature=0,
            max_tokens=size.tokens,
            thinking=False,
            max_retries=0,
            request_timeout=self._time_limit.total_seconds(),
        )
        client = await self._model(model)
        try:
            response = await model_request(client, _messages(prompt), model_settings=settings)
        except (AttributeError, TypeError) as error:
            # The client takes the shape of some parts of an answer for granted.
            raise UnexpectedModelBehavior(f"{model}: its answer has another shape") from error
        text = spoken(response.text or "", request, broken_off=response.finish_reason == "length")
        if small:
            text = grounded(text, request)
        elif not text and response.finish_reason in {"length", "content_filter"}:
            raise _final(f"{model}: it said nothing ({response.finish_reason})")
        return Reply(
            text=text,
            model=f"{LOCAL} ({local_model.NAME})" if small else model,
            tokens=Tokens(input=response.usage.input_tokens, output=response.usage.output_tokens),
        )

    async def _model(self, name: str) -> Model:
        async with self._making:
            if name not in self._models:
                model = await (self._local.chat_model() if name == LOCAL else asyncio.to_thread(infer_model, name))
                self._models[name] = await self._clients.enter_async_context(model)
            return self._models[name]


def _distinct(name: str, lines: Sequence[str]) -> tuple[str, ...]:
    told = tuple(line.strip() for line in lines)
    if not told or len(set(told)) < len(told):
        raise ValueError(f"script {name}: it must have lines, each of them once")
    return told


def _messages(prompt: Prompt) -> list[ModelMessage]:
    system = ModelRequest([SystemPromptPart(prompt.system)])
    return [system, *(_message(own, text) for own, text in prompt.dialogue)]


def _message(own: bool, text: str) -> ModelMessage:
    return ModelResponse([TextPart(text)]) if own else ModelRequest([UserPromptPart(text)])


@asynccontextmanager
async def _heartbeats() -> AsyncIterator[None]:
    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(HEARTBEAT)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()


def _failure(model: str, error: Exception) -> ApplicationError:
    """Sort an error: final, or to be tried again and when."""
    match error:
        case ModelHTTPError(status_code=status) if not isinstance(error, ModelQuotaExceededError) and (
            status in PASSING or status >= 500
        ):
            return _passing(f"{model}: its provider answers with HTTP status {status}", error.retry_after)
        case ModelQuotaExceededError() | ModelRequestRejectedError() | ModelHTTPError():
            return _final(f"{model}: {_refusal(error)}")
        case ModelAPIError():
            return _passing(f"{model}: its provider can't be reached, or is too slow", error.retry_after)
        case AgentRunError():
            return _passing(f"{model}: its provider answers with something else than a reply", None)
        case _:
            # Known before anything is asked: a key or a package is missing, or there is no such provider.
            return _final(f"{model} can't be used: {str(error).partition('. ')[0]}")


def _refusal(error: ModelAPIError) -> str:
    match error:
        case ModelAuthenticationError():
            reason = "its provider refuses the key; set one that may use the model in the provider's variable"
        case ModelNotFoundError():
            reason = "its provider doesn't know the model; check its name"
        case ModelContextWindowExceededError():
            reason = "the prompt is too long for it; shorten the guidance, or name another model"
        case ModelQuotaExceededError():
            reason = "the account with its provider is used up; top it up, or name another model"
        case _:
            reason = "its provider refuses the request"
    status = f"HTTP status {error.status_code}" if isinstance(error, ModelHTTPError) else ""
    # A code such as `unsupported_value` is all that is repeated of what the provider says.
    code = error.provider_error_code or ""
    details = ", ".join(part for part in (status, code if CODE.fullmatch(code) else "") if part)
    return f"{reason} ({details})" if details else reason


def _final(text: str) -> ApplicationError:
    return ApplicationError(text, type=ErrorType.ASSISTANT_FAILED, non_retryable=True)


def _passing(text: str, retry_after: float | None) -> ApplicationError:
    wait = None if retry_after is None else timedelta(seconds=retry_after)
    return ApplicationError(text, next_retry_delay=wait)
