"""The classifier that asks a language model, here a scripted one."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import JsonValue
from pydantic_ai import ModelHTTPError, ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.exceptions import ModelRateLimitError, ModelRequestRejectedError, ModelServerError
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.support.model_classifier import ModelClassifier
from signals.support import Classification, Customer, Issue, SupportRequest

ALICE = Customer(id="C-1", name="Alice", email="alice@example.com")


def classify(model: Model, text: str) -> Classification:
    request = SupportRequest(customer=ALICE, text=text)
    return asyncio.run(ActivityEnvironment().run(ModelClassifier(model).classify, request))


def answering(**judgement: JsonValue) -> TestModel:
    return TestModel(custom_output_args=judgement)


def failing(error: Exception) -> FunctionModel:
    def fail(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        raise error

    return FunctionModel(fail)


def test_the_models_judgement_is_the_classification() -> None:
    found = classify(answering(issue="refund", confidence=0.93), "My money back for a-1002!")
    assert (found.issue, found.confidence, found.order_id) == (Issue.REFUND, 0.93, "A-1002")


def test_the_model_reads_the_rules_and_the_request_and_nothing_about_the_customer() -> None:
    seen: list[str] = []

    def read(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        seen.append(f"{info.instructions} {messages}")
        return ModelResponse([ToolCallPart(info.output_tools[0].name, {"issue": "other", "confidence": 1})])

    classify(FunctionModel(read), "My toaster sings")
    assert "password_reset" in seen[0]
    assert "My toaster sings" in seen[0]
    assert "alice@example.com" not in seen[0]


def test_an_address_is_taken_as_the_customer_wrote_it() -> None:
    model = answering(issue="address_change", confidence=0.9, address="12 Oak Street,  Springfield")
    assert classify(model, "A-1003 goes to 12 Oak Street,\nSpringfield").address == "12 Oak Street, Springfield"


def test_an_address_that_the_model_made_up_is_not_taken() -> None:
    model = answering(issue="address_change", confidence=0.9, address="1 Invented Road, Nowhere")
    assert classify(model, "Please change my address").address is None


def test_an_answer_that_does_not_fit_counts_as_not_knowing() -> None:
    found = classify(answering(issue="weather", confidence=7), "My money back!")
    assert (found.issue, found.confidence) == (Issue.OTHER, 0)


def test_a_call_that_the_provider_refuses_is_final() -> None:
    refused = ModelHTTPError.for_category(ModelRequestRejectedError, status_code=401, model_name="m")
    with pytest.raises(ApplicationError, match="m can't classify") as raised:
        classify(failing(refused), "My money back!")
    assert (raised.value.type, raised.value.non_retryable) == ("AssistantFailed", True)


def test_a_provider_that_is_down_is_tried_again() -> None:
    down = ModelHTTPError.for_category(ModelServerError, status_code=500, model_name="m")
    with pytest.raises(ApplicationError) as raised:
        classify(failing(down), "My money back!")
    assert not raised.value.non_retryable


def test_a_busy_provider_is_tried_again_when_it_says() -> None:
    busy = ModelHTTPError.for_category(ModelRateLimitError, status_code=429, model_name="m", retry_after=17)
    with pytest.raises(ApplicationError) as raised:
        classify(failing(busy), "My money back!")
    assert (raised.value.non_retryable, raised.value.next_retry_delay) == (False, timedelta(seconds=17))
