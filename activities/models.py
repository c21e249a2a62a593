"""Language models by their model strings: one client for each, how long it may take, and what an answer cost."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

from pydantic_ai import ModelMessage, ModelRequest, ModelResponse, ModelSettings, TextPart, UserPromptPart
from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import AgentRunError, UnexpectedModelBehavior, UserError
from pydantic_ai.messages import SystemPromptPart
from pydantic_ai.models import Model, ModelRequestParameters, infer_model
from pydantic_ai.models.instrumented import InstrumentationSettings, instrument_model
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import local_model
from activities.failures import failure
from activities.local_model import LocalModel, LocalModelError
from activities.prompting import Prompt, Said
from signals.conversation import Tokens

LOCAL: Final = "local"

TIME_LIMIT: Final = timedelta(seconds=280)
"""How long a model may take over an answer: less than the activity may, so that it says itself what happened."""

HEARTBEAT: Final = 1.0
"""Seconds between two signs of life; a worker that gives none for four is taken for dead."""


class LanguageModels:
    """The clients of language models, each with its connections; made when first needed, kept until they are closed.

    Args:
        local: The embedded model.
        time_limit: How long a model may take over an answer.
        infer: Makes the client for a model string of any other.
        traced: How the clients tell of what they are asked; they don't where it isn't given.
    """

    def __init__(
        self,
        local: LocalModel,
        time_limit: timedelta = TIME_LIMIT,
        infer: Callable[[str], Model] = infer_model,
        traced: InstrumentationSettings | None = None,
    ) -> None:
        self._local = local
        self._time_limit = time_limit
        self._infer = infer
        self._traced = traced
        self._clients: dict[str, Model] = {}
        self._making = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self._expected: dict[str, asyncio.Task[None]] = {}
        self._open = AsyncExitStack()

    async def client(self, name: str) -> Model:
        """The client of a model.

        Raises:
            ApplicationError: It can't be used; not retryable.
        """
        async with self._making[name]:  # of its own: who asks one model waits for no other's
            if name not in self._clients:
                try:
                    model = await (self._local.chat_model() if name == LOCAL else asyncio.to_thread(self._infer, name))
                except (UserError, ImportError, LocalModelError) as error:
                    raise failure(name, error) from None
                opened = await self._open.enter_async_context(model)
                self._clients[name] = instrument_model(opened, self._traced or False)
            return self._clients[name]

    async def ask(
        self,
        name: str,
        messages: Sequence[ModelMessage],
        tokens: int,
        parameters: ModelRequestParameters | None = None,
    ) -> ModelResponse:
        """Ask a model once.

        Args:
            name: Its model string.
            messages: What it is asked with.
            tokens: The longest answer.
            parameters: The tools, or the shape of the answer.

        Raises:
            ApplicationError: It gives no answer; not retryable, when trying again would not help.
        """
        settings = ModelSettings(
            temperature=0,
            max_tokens=tokens,
            thinking=False,
            max_retries=0,
            request_timeout=self._time_limit.total_seconds(),
        )
        client = await self.client(name)
        try:
            return await model_request(client, messages, model_settings=settings, model_request_parameters=parameters)
        except (AttributeError, TypeError):
            # The client takes the shape of some parts of an answer for granted.
            raise failure(name, UnexpectedModelBehavior("its answer has another shape")) from None
        except (UserError, AgentRunError) as error:
            # Without its cause, which may hold what the provider said.
            raise failure(name, error) from None

    def expect(self, name: str) -> None:
        """Make a model ready that may be asked before long, beside everything else; what is wrong is told when it is.

        Args:
            name: Its model string.
        """
        if name not in self._expected:
            self._expected[name] = asyncio.create_task(self._make_ready(name))

    async def _make_ready(self, name: str) -> None:
        with suppress(ApplicationError, LocalModelError, AgentRunError):
            await self.client(name)
            if name == LOCAL:
                await self._local.warm()

    async def aclose(self) -> None:
        """Close the connections to providers."""
        for making in self._expected.values():
            making.cancel()
        await asyncio.gather(*self._expected.values(), return_exceptions=True)
        self._expected.clear()
        self._clients.clear()
        await self._open.aclose()


def messages_of(prompt: Prompt) -> list[ModelMessage]:
    """A prompt as a model's client takes it."""
    return [ModelRequest([SystemPromptPart(prompt.system)]), *map(_message, prompt.dialogue)]


def _message(said: Said) -> ModelMessage:
    return ModelResponse([TextPart(said.text)]) if said.own else ModelRequest([UserPromptPart(said.text)])


def called(name: str) -> str:
    """What a model is called where it is told which one answered."""
    return f"{LOCAL} ({local_model.NAME})" if name == LOCAL else name


def tokens_of(responses: Sequence[ModelResponse]) -> Tokens:
    """What answers used."""
    usages = [response.usage for response in responses]
    return Tokens(input=sum(one.input_tokens for one in usages), output=sum(one.output_tokens for one in usages))


def cost_of(responses: Sequence[ModelResponse]) -> float:
    """What answers cost, in US dollars, by the prices that come with the client's library; 0 where it has none."""
    return sum(map(_cost, responses))


def _cost(response: ModelResponse) -> float:
    if response.model_name is None or response.usage.unmeasured_requests:
        return 0
    try:
        return float(response.cost().total_price)
    except (LookupError, ValueError):
        return 0


@asynccontextmanager
async def heartbeats() -> AsyncIterator[None]:
    """Give signs of life while something takes its time."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(HEARTBEAT)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
