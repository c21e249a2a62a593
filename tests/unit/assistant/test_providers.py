"""Replies by a provider's model, over a real connection to a server that plays one."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.assistant import AssistantActivities
from activities.local_model import LocalModel
from activities.models import LanguageModels
from signals.assistant import Reply
from signals.conversation import Tokens
from signals.errors import ErrorType
from tests.unit.assistant.conftest import KEY
from tests.unit.assistant.endpoint import Answer, Endpoint, Hang, fails, says
from tests.unit.assistant.requests import asking

QUESTION = asking(("C-1", "Where is my refund?"), order="A-1002 espresso machine")


async def failure_of(reply: Awaitable[Reply]) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        await reply
    return caught.value


def is_final(error: ApplicationError) -> bool:
    return error.non_retryable and error.type == ErrorType.ASSISTANT_FAILED


async def test_a_reply_says_what_was_said_by_which_model_with_how_many_tokens(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.answer = says("Sage: It needs approval.")
    reply = await ActivityEnvironment().run(assistant.reply, QUESTION)
    assert reply == Reply(text="It needs approval.", model="openai-chat:test", tokens=Tokens(input=42, output=7))


async def test_a_reply_costs_what_is_known_of_the_models_price(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.answer = says("Hello.", model="gpt-4o")
    reply = await ActivityEnvironment().run(assistant.reply, QUESTION)
    assert 0 < reply.cost < 0.01


async def test_the_model_is_asked_once_coolly_and_for_little(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    await ActivityEnvironment().run(assistant.reply, QUESTION)
    (asked,) = endpoint.asked
    assert (asked["model"], asked["temperature"], asked["max_completion_tokens"]) == ("test", 0, 1_200)
    assert [message["role"] for message in asked["messages"]] == ["system", "user"]


async def test_a_participants_own_model_speaks(endpoint: Endpoint, assistant: AssistantActivities) -> None:
    request = asking(("C-1", "Hello"), model="openai-chat:other")
    reply = await ActivityEnvironment().run(assistant.reply, request)
    assert (reply.model, endpoint.asked[0]["model"]) == ("openai-chat:other", "other")


async def test_saying_nothing_is_a_reply(endpoint: Endpoint, assistant: AssistantActivities) -> None:
    endpoint.answer = says(" \n")
    assert (await ActivityEnvironment().run(assistant.reply, QUESTION)).text == ""


@pytest.mark.parametrize("finish", ["length", "content_filter"])
async def test_being_stopped_before_a_word_is_no_reply(
    endpoint: Endpoint, assistant: AssistantActivities, finish: str
) -> None:
    endpoint.answer = says("", finish)
    assert is_final(await failure_of(ActivityEnvironment().run(assistant.reply, QUESTION)))


async def test_a_reply_that_was_broken_off_ends_with_its_last_sentence(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.answer = says("It needs approval. Bob will", "length")
    assert (await ActivityEnvironment().run(assistant.reply, QUESTION)).text == "It needs approval."


async def test_too_many_requests_are_tried_again_when_the_provider_says(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.answer = fails(429, retry_after="7")
    error = await failure_of(ActivityEnvironment().run(assistant.reply, QUESTION))
    assert (error.non_retryable, error.next_retry_delay) == (False, timedelta(seconds=7))
    assert len(endpoint.asked) == 1, "the client must leave retries to Temporal"


@pytest.mark.parametrize("status", [408, 409, 425, 500, 502, 503, 529])
async def test_what_passes_is_left_to_be_tried_again(
    endpoint: Endpoint, assistant: AssistantActivities, status: int
) -> None:
    endpoint.answer = fails(status)
    error = await failure_of(ActivityEnvironment().run(assistant.reply, QUESTION))
    assert (error.non_retryable, error.next_retry_delay) == (False, None)
    assert str(status) in error.message
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
async def test_what_a_provider_refuses_is_final(
    endpoint: Endpoint, assistant: AssistantActivities, status: int
) -> None:
    endpoint.answer = fails(status)
    error = await failure_of(ActivityEnvironment().run(assistant.reply, QUESTION))
    assert is_final(error)
    assert error.message.startswith("openai-chat:test: ")
    assert str(status) in error.message


async def test_an_account_that_is_used_up_is_final_though_its_status_is_429(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.answer = fails(429, code="insufficient_quota", retry_after="1")
    assert is_final(await failure_of(ActivityEnvironment().run(assistant.reply, QUESTION)))


async def test_a_refusal_tells_the_providers_code_and_nothing_else_that_it_said(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.answer = fails(400, f"bad request\nwith {KEY}", "unsupported_value")
    error = await failure_of(ActivityEnvironment().run(assistant.reply, QUESTION))
    assert error.message == "openai-chat:test: its provider refuses the request (HTTP status 400, unsupported_value)"


async def test_no_failure_that_is_written_to_history_holds_the_key(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.answer = fails(401, f"Incorrect API key provided: {KEY}", KEY)
    error = await failure_of(ActivityEnvironment().run(assistant.reply, QUESTION))
    written = Failure()
    converter = DataConverter.default
    converter.failure_converter.to_failure(error, converter.payload_converter, written)
    assert "refuses the key" in str(written)
    assert KEY not in str(written)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body='{"choices": [{'),
        Answer(body="<html>Welcome</html>", headers={"content-type": "text/html"}),
        Answer(body='{"hello": "world"}'),
        Answer(body='{"id": "c-1", "object": "chat.completion", "choices": []}'),
    ],
    ids=["cut off", "a page", "something else", "no choice"],
)
async def test_an_answer_that_is_no_reply_is_tried_again(
    endpoint: Endpoint, assistant: AssistantActivities, answer: Answer
) -> None:
    endpoint.answer = answer
    assert not (await failure_of(ActivityEnvironment().run(assistant.reply, QUESTION))).non_retryable


async def test_a_provider_that_is_not_there_is_tried_again(
    endpoint: Endpoint, assistant: AssistantActivities, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Endpoint() as gone:
        monkeypatch.setenv("OPENAI_BASE_URL", gone.url)
    assert not (await failure_of(ActivityEnvironment().run(assistant.reply, QUESTION))).non_retryable


async def test_a_model_that_takes_too_long_is_tried_again(endpoint: Endpoint) -> None:
    endpoint.answer = Hang()
    hasty = LanguageModels(LocalModel(), time_limit=timedelta(milliseconds=200))
    assistant = AssistantActivities("openai-chat:test", hasty)
    error = await failure_of(ActivityEnvironment().run(assistant.reply, QUESTION))
    await hasty.aclose()
    assert not error.non_retryable
    assert "too slow" in error.message
    assert endpoint.given_up.get(timeout=5)


async def test_there_are_signs_of_life_while_the_model_works_and_a_cancelled_reply_ends_its_request(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.answer = Hang()
    beats: asyncio.Queue[None] = asyncio.Queue()
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *_: beats.put_nowait(None)
    before = asyncio.all_tasks()
    reply = asyncio.create_task(environment.run(assistant.reply, QUESTION))
    async with asyncio.timeout(3):
        for _ in range(3):
            await beats.get()
    environment.cancel()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await reply
        assert await asyncio.to_thread(endpoint.given_up.get, timeout=1)
    assert asyncio.all_tasks() <= before, "the signs of life must end with the reply"


async def test_a_missing_key_is_final_and_the_variable_is_named(
    assistant: AssistantActivities, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    error = await failure_of(ActivityEnvironment().run(assistant.reply, QUESTION))
    assert is_final(error)
    assert "`OPENAI_API_KEY`" in error.message


@pytest.mark.parametrize("model", ["gpt-5", "opnai:gpt-5", "nobody:nothing"])
async def test_an_unknown_model_is_final(assistant: AssistantActivities, model: str) -> None:
    error = await failure_of(ActivityEnvironment().run(assistant.reply, asking(("C-1", "Hi"), model=model)))
    assert is_final(error)
    assert model in error.message


@pytest.mark.parametrize("name", ["nowhere", "../../README", "support.md"])
async def test_a_guidance_that_is_no_prompt_file_is_final(assistant: AssistantActivities, name: str) -> None:
    request = QUESTION.model_copy(update={"guidance": name})
    error = await failure_of(ActivityEnvironment().run(assistant.reply, request))
    assert is_final(error)
    assert error.message == f"there is no prompt file {name}.md"


async def test_replies_share_the_connections_to_a_provider(endpoint: Endpoint, assistant: AssistantActivities) -> None:
    environment = ActivityEnvironment()
    for _ in range(3):
        await environment.run(assistant.reply, QUESTION)
    assert endpoint.connections == 1


async def test_closing_closes_the_connections(
    endpoint: Endpoint, models: LanguageModels, assistant: AssistantActivities
) -> None:
    await ActivityEnvironment().run(assistant.reply, QUESTION)
    await models.aclose()
    await asyncio.to_thread(endpoint.closed.get, timeout=5)
