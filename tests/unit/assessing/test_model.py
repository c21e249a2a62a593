"""The assessor that asks a language model, here a scripted one."""

import asyncio

import pytest
from pydantic import JsonValue
from pydantic_ai import ModelHTTPError, ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.exceptions import ModelRequestRejectedError, ModelServerError
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel
from temporalio.testing import ActivityEnvironment

from activities.assessing.examples import BY, ExamplesAssessor
from activities.assessing.model import ModelAssessor
from signals.adaptive import Assessed, Task, Traits

NAME = "acme:m-1"
GARDEN = Task(goal="Brainstorm ideas for the garden")
STEPS: dict[str, JsonValue] = {
    "deterministic": True,
    "clear_steps": True,
    "dynamic_participants": False,
    "emergent": False,
    "structured_phases": True,
    "flexible": False,
}


@pytest.fixture(scope="module")
def offline() -> ExamplesAssessor:
    return ExamplesAssessor()


def assess(model: Model, offline: ExamplesAssessor, task: Task = GARDEN) -> Assessed:
    return asyncio.run(ActivityEnvironment().run(ModelAssessor(model, NAME, offline).assess, task))


def answering(**judgement: JsonValue) -> TestModel:
    return TestModel(custom_output_args=judgement)


def failing(error: Exception) -> FunctionModel:
    def fail(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        raise error

    return FunctionModel(fail)


def test_the_model_s_judgement_is_what_is_found(offline: ExamplesAssessor) -> None:
    found = assess(answering(traits=STEPS, confidence=0.9), offline)
    assert (found.traits, found.by) == (Traits.model_validate(STEPS), NAME)
    assert found.confidence == pytest.approx(0.9)


def test_what_the_model_can_t_tell_makes_it_less_sure(offline: ExamplesAssessor) -> None:
    found = assess(answering(traits={**STEPS, "flexible": None, "dynamic_participants": None}, confidence=0.9), offline)
    assert found.confidence == pytest.approx((4 * 0.9 + 2 * 0.5) / 6)


def test_what_the_task_says_itself_is_not_the_model_s_to_say(offline: ExamplesAssessor) -> None:
    task = Task(goal="Do it", traits=Traits(deterministic=False))
    assert assess(answering(traits=STEPS, confidence=0.9), offline, task).traits.deterministic is False


@pytest.mark.parametrize(
    "answer",
    [
        {"traits": STEPS, "confidence": 7},
        {"traits": {**STEPS, "emergent": True}, "confidence": 0.9},
        {"traits": {**STEPS, "structured_phases": False}, "confidence": 0.9},
        {"verdict": "fine"},
    ],
)
def test_where_the_answer_does_not_fit_examples_say_it(offline: ExamplesAssessor, answer: dict[str, JsonValue]) -> None:
    found = assess(answering(**answer), offline)
    assert found == offline.found(GARDEN)
    assert found.by == BY


@pytest.mark.parametrize(
    "error",
    [
        ModelHTTPError.for_category(ModelRequestRejectedError, status_code=401, model_name="m"),
        ModelHTTPError.for_category(ModelServerError, status_code=500, model_name="m"),
    ],
)
def test_a_run_neither_waits_for_a_model_that_is_away_nor_fails_for_it(
    offline: ExamplesAssessor, error: Exception
) -> None:
    assert assess(failing(error), offline).by == BY


def test_the_model_is_asked_again_when_it_contradicts_itself(offline: ExamplesAssessor) -> None:
    asked: list[str] = []

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        asked.append(str(messages))
        judgement = {"traits": {**STEPS, "emergent": len(asked) == 1}, "confidence": 0.8}
        return ModelResponse([ToolCallPart(info.output_tools[0].name, judgement)])

    assert assess(FunctionModel(answer), offline).by == NAME
    assert "what is deterministic can't emerge" in asked[1]


def test_the_model_reads_the_rules_and_the_task_and_nothing_of_what_is_in_it(offline: ExamplesAssessor) -> None:
    seen: list[str] = []

    def read(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        seen.append(f"{info.instructions} {messages}")
        return ModelResponse([ToolCallPart(info.output_tools[0].name, {"traits": STEPS, "confidence": 1})])

    task = Task(goal="Pay it back", workflow="Refund", input={"card": "4111"}, facts={"mother": "Smith"})
    assess(FunctionModel(read), offline, task)
    for part in ("emergent", "Pay it back", "Refund", "it is known"):
        assert part in seen[0]
    for part in ("4111", "Smith"):
        assert part not in seen[0]
