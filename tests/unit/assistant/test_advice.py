"""Questions about conversations to language models: how they are asked, and what is taken for an answer."""

from collections.abc import Callable, Iterator

import pytest
from pydantic_ai.profiles import ModelProfile
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.advising import MAX_EXTRACT, MAX_SUMMARY, MISFIT
from activities.assistant import AssistantActivities
from activities.local_model import LocalModel
from activities.models import LanguageModels
from signals.assistant import Consultation, Finding, Purpose
from signals.conversation import Tokens
from tests.unit.assistant.endpoint import Answer, Endpoint, calls, fails, says
from tests.unit.assistant.requests import consulting

TALK = (("C-1", "Where is it?"), ("bob", "On its way, it comes on 2026-05-04."))
WHO_IS_NEXT = consulting(Purpose.CHOOSE, *TALK, question="Who is next?")
IS_IT_SOLVED = consulting(Purpose.JUDGE, *TALK, question="Is it solved?")
WHAT_WAS_SAID = consulting(Purpose.SUMMARISE, *TALK, summary="Alice has ordered a table.")

USED = Tokens(input=42, output=7)


async def found(assistant: AssistantActivities, consultation: Consultation) -> Finding:
    return await ActivityEnvironment().run(assistant.consult, consultation)


def chose(choice: str | None, text: str = "") -> Finding:
    return Finding(choice=choice, text=text, model="openai-chat:test", tokens=USED)


async def test_a_choice_is_held_to_the_ids_of_the_candidates(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.answer = says('{"choice": "bob"}')
    assert await found(assistant, WHO_IS_NEXT) == chose("bob")
    [asked] = endpoint.asked
    assert asked["response_format"]["json_schema"]["schema"]["properties"]["choice"]["enum"] == ["C-1", "bob"]
    assert asked["messages"][-1]["content"].endswith("- bob: Bob Keller (agent)\nquestion: Who is next?")


async def test_a_verdict_has_its_reason(endpoint: Endpoint, assistant: AssistantActivities) -> None:
    endpoint.answer = says('{"reason": "she has\\nnot answered", "verdict": false}')
    assert await found(assistant, IS_IT_SOLVED) == Finding(
        verdict=False, text="she has not answered", model="openai-chat:test", tokens=USED
    )


async def test_a_summary_takes_the_one_before_in_and_is_a_text(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.answer = says("Alice has ordered a table.\n\nIt comes on 2026-05-04.")
    assert (await found(assistant, WHAT_WAS_SAID)).text == "Alice has ordered a table.\nIt comes on 2026-05-04."
    [asked] = endpoint.asked
    assert "what they come to: Alice has ordered a table." in asked["messages"][-1]["content"]
    assert "response_format" not in asked


async def test_a_summary_is_bounded(endpoint: Endpoint, assistant: AssistantActivities) -> None:
    endpoint.answer = says(" ".join(f"This is sentence {number}." for number in range(500)))
    text = (await found(assistant, WHAT_WAS_SAID)).text
    assert MAX_SUMMARY - 50 < len(text) <= MAX_SUMMARY
    assert text.endswith(".")


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        (says('{"choice": "eve"}'), chose("eve")),
        (says('Sure! ```json\n{"choice": "bob"}\n``` Bye.'), chose("bob")),
        (says("bob"), chose(None, MISFIT)),
        (says('{"choice": 7}'), chose(None, MISFIT)),
        (says('{"choice": "bo', "length"), chose(None, MISFIT)),
        (says('} {"choice"'), chose(None, MISFIT)),
        (says("[]"), chose(None, MISFIT)),
        (calls(("answer", "[7]")), chose(None, MISFIT)),
    ],
)
async def test_what_is_no_answer_is_none_at_once_and_is_paid_for(
    endpoint: Endpoint, assistant: AssistantActivities, answer: Answer, finding: Finding
) -> None:
    endpoint.answer = answer
    assert await found(assistant, WHO_IS_NEXT) == finding
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("answer", ['{"verdict": "yes"}', '{"verdict": null}', "true"])
async def test_a_verdict_is_yes_or_no_or_none(endpoint: Endpoint, assistant: AssistantActivities, answer: str) -> None:
    endpoint.answer = says(answer)
    assert (await found(assistant, IS_IT_SOLVED)).verdict is None


@pytest.mark.parametrize(
    ("has_tools", "answer"),
    [
        (True, calls(("answer", {"reason": "they part", "verdict": True}))),
        (False, says('I think: {"reason": "they part", "verdict": true}')),
    ],
)
async def test_a_model_that_can_not_be_held_to_a_schema_answers_by_a_tool_or_is_told_the_schema(
    endpoint: Endpoint, able_to: Callable[[ModelProfile], AssistantActivities], has_tools: bool, answer: Answer
) -> None:
    endpoint.answer = answer
    assistant = able_to(ModelProfile(supports_json_schema_output=False, supports_tools=has_tools))
    finding = await found(assistant, IS_IT_SOLVED)
    assert (finding.verdict, finding.text) == (True, "they part")
    [asked] = endpoint.asked
    assert "json_schema" not in str(asked.get("response_format"))
    assert ("tools" in asked, "additionalProperties" in str(asked["messages"])) == (has_tools, not has_tools)


async def test_errors_are_sorted_as_those_of_replies(endpoint: Endpoint, assistant: AssistantActivities) -> None:
    for status, final in ((401, True), (503, False)):
        endpoint.answer = fails(status)
        with pytest.raises(ApplicationError) as failure:
            await found(assistant, WHO_IS_NEXT)
        assert failure.value.non_retryable is final


async def test_the_questions_own_model_answers(endpoint: Endpoint, assistant: AssistantActivities) -> None:
    endpoint.answer = says('{"choice": "bob"}')
    finding = await found(assistant, WHO_IS_NEXT.model_copy(update={"model": "openai-chat:other"}))
    assert (finding.model, endpoint.asked[0]["model"]) == ("openai-chat:other", "other")


# The embedded model


@pytest.fixture(scope="module")
def local() -> Iterator[LocalModel]:
    local = LocalModel()
    yield local
    local.close()


async def test_the_embedded_model_chooses_and_judges_in_the_shape_of_an_answer(local: LocalModel) -> None:
    models = LanguageModels(local)
    assistant = AssistantActivities("local", models)
    choice, verdict = [await found(assistant, consultation) for consultation in (WHO_IS_NEXT, IS_IT_SOLVED)]
    await models.aclose()
    assert choice.choice in {"C-1", "bob"}
    assert verdict.verdict is not None
    assert {choice.model, verdict.model} == {"local (SmolLM2-135M-Instruct)"}
    assert all(0 < one.tokens.output <= 80 for one in (choice, verdict))
    assert choice.cost == 0


async def test_instead_of_a_summary_by_the_embedded_model_an_extract_is_kept() -> None:
    assistant = AssistantActivities("local", LanguageModels(LocalModel()))
    said = (*TALK, (None, "Carol joined"), ("C-1", "Fine! " + "x" * 500), ("bob", "y" * 500))
    consultation = consulting(Purpose.SUMMARISE, *said, summary="C-1: Hello.")
    finding = await found(assistant, consultation)
    assert finding == Finding(model="local", text=finding.text)
    assert finding.text.splitlines()[:4] == [
        "C-1: Hello.",
        "C-1: Where is it?",
        "bob: On its way, it comes on 2026-05-04.",
        "C-1: Fine!",
    ]
    assert finding.text.endswith("yyy…")


async def test_the_latest_turns_stay_in_an_extract() -> None:
    assistant = AssistantActivities("local", LanguageModels(LocalModel()))
    summary = ""
    for number in range(60):
        turn = ("C-1", f"This is what I say as number {number}.")
        summary = (await found(assistant, consulting(Purpose.SUMMARISE, turn, summary=summary))).text
    assert MAX_EXTRACT - 60 < len(summary) <= MAX_EXTRACT
    assert summary.endswith("number 59.")
