"""Answers of providers that are JSON, but not as agreed: none may come out as an error of the client's own code."""

from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.assistant import AssistantActivities
from tests.unit.assistant.endpoint import Answer, Endpoint, fails
from tests.unit.assistant.requests import asking

QUESTION = asking(("C-1", "Where is my refund?"))


async def failure(assistant: AssistantActivities) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        await ActivityEnvironment().run(assistant.reply, QUESTION)
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        "null",
        "[]",
        '"sorry"',
        '{"error": {"message": "overloaded"}}',
        '{"choices": null}',
        '{"choices": 7}',
        '{"choices": [null]}',
        '{"choices": [{}]}',
        '{"choices": [{"message": null}]}',
        '{"choices": [{"message": {"role": "assistant", "content": 7}}]}',
    ],
)
async def test_an_answer_of_another_shape_is_tried_again(
    endpoint: Endpoint, assistant: AssistantActivities, body: str
) -> None:
    endpoint.answer = Answer(body=body)
    error = await failure(assistant)
    assert not error.non_retryable
    assert error.message == "openai-chat:test: its provider answers with something else than a reply"
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("wait", ["soon", "-7", "nan", "inf", "1e300"])
async def test_a_time_to_wait_that_makes_no_sense_is_left_to_the_retry_policy(
    endpoint: Endpoint, assistant: AssistantActivities, wait: str
) -> None:
    endpoint.answer = fails(429, retry_after=wait)
    error = await failure(assistant)
    assert (error.non_retryable, error.next_retry_delay) == (False, None)


async def test_an_overloaded_provider_is_tried_again_when_it_says(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.answer = fails(503, retry_after="11")
    assert (await failure(assistant)).next_retry_delay == timedelta(seconds=11)
