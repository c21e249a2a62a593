"""Scripted participants and advisers: fixed lists of what they say and do."""

import pytest
from pydantic import JsonValue, TypeAdapter, ValidationError
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.assistant import AssistantActivities
from activities.local_model import LocalModel
from activities.models import LanguageModels
from activities.scripts import Script
from signals.assistant import Consultation, Finding, Purpose, Reply, ReplyRequest
from signals.errors import ErrorType
from signals.messages import Grant, InvocationMode, Invoke, Propose, Vote
from tests.unit.assistant.requests import asking, consulting

LINES: list[JsonValue] = ["Good morning.", "It is over the limit.", "Good morning.", {"pass": True}]
SCRIPTS = TypeAdapter(dict[str, Script])


def scripted(**scripts: JsonValue) -> AssistantActivities:
    known = SCRIPTS.validate_python(scripts or {"calm": LINES, "short": ["Yes."]})
    return AssistantActivities("script:calm", LanguageModels(LocalModel()), known)


def after(replies: int, model: str | None = None) -> ReplyRequest:
    return asking(("C-1", "Hello"), model=model).model_copy(update={"replies": replies})


async def said(request: ReplyRequest, **scripts: JsonValue) -> Reply:
    return await ActivityEnvironment().run(scripted(**scripts).reply, request)


async def found(consultation: Consultation, **scripts: JsonValue) -> Finding:
    return await ActivityEnvironment().run(scripted(**scripts).consult, consultation)


async def test_a_script_is_said_line_by_line_from_its_first_and_again_after_its_last() -> None:
    texts = [(await said(after(replies))).text for replies in range(6)]
    assert texts == [
        "Good morning.",
        "It is over the limit.",
        "Good morning.",
        "",
        "Good morning.",
        "It is over the limit.",
    ]


async def test_a_participant_may_name_its_own_script() -> None:
    assert await said(after(0, "script:short")) == Reply(text="Yes.", model="script:short")


async def test_a_line_may_do_all_that_a_participant_may() -> None:
    line: JsonValue = {
        "say": "I look it up.",
        "to": ["bob"],
        "invoke": "OrderStatus",
        "arguments": {"order_id": "A-1001"},
        "mode": "asynchronous",
        "propose": None,
        "vote": {"proposal": 1, "approve": False, "comment": "too much"},
        "grant": "C-1",
        "hand_off": "bob",
    }
    assert await said(after(0), calm=[line]) == Reply(
        text="I look it up.",
        to=("bob",),
        actions=(
            Invoke(
                speaker="assistant",
                fragment="OrderStatus",
                arguments={"order_id": "A-1001"},
                mode=InvocationMode.ASYNCHRONOUS,
            ),
            Propose(speaker="assistant", outcome=None),
            Vote(speaker="assistant", proposal=1, approve=False, comment="too much"),
            Grant(speaker="assistant", to="C-1"),
        ),
        hand_off="bob",
        model="script:calm",
    )


async def test_a_script_answers_questions_each_purpose_by_its_own_lines() -> None:
    script: JsonValue = [
        "Hello.",
        {"choose": "ann"},
        {"judge": False},
        {"choose": "nobody"},
        {"judge": True, "reason": "they agree"},
        {"summarise": "All is said."},
    ]
    answers = [
        await found(consulting(purpose).model_copy(update={"number": number}), calm=script)
        for purpose, number in ((Purpose.CHOOSE, 2), (Purpose.CHOOSE, 3), (Purpose.JUDGE, 2), (Purpose.SUMMARISE, 7))
    ]
    assert answers == [
        Finding(choice="nobody", model="script:calm"),
        Finding(choice="ann", model="script:calm"),
        Finding(verdict=True, text="they agree", model="script:calm"),
        Finding(text="All is said.", model="script:calm"),
    ]
    assert (await said(after(1), calm=script)).text == "Hello.", "answers are no replies"


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("script:angry", "script:angry: there is no such script; known are: calm, short"),
        ("script:", "script:: there is no such script; known are: calm, short"),
    ],
)
async def test_an_unknown_script_fails_at_once_and_the_known_ones_are_named(model: str, told: str) -> None:
    with pytest.raises(ApplicationError) as failure:
        await said(after(0, model))
    assert (failure.value.type, failure.value.non_retryable) == (ErrorType.ASSISTANT_FAILED, True)
    assert failure.value.message == told


async def test_a_script_without_lines_of_the_wanted_sort_fails_at_once() -> None:
    with pytest.raises(ApplicationError, match=r"script:calm: the script has no answers to 'judge'$") as failure:
        await found(consulting(Purpose.JUDGE))
    assert failure.value.non_retryable
    with pytest.raises(ApplicationError, match=r"script:calm: the script has no replies$"):
        await said(after(0), calm=[{"judge": True}])


@pytest.mark.parametrize(
    "script",
    [
        [],
        [{}],
        [" "],
        [{"pass": True, "say": "Hm."}],
        [{"pass": False}],
        [{"say": "Yes.", "mode": "detached"}],
        [{"say": "Yes.", "choose": "ann"}],
        [{"says": "Yes."}],
        [{"vote": {"proposal": 0, "approve": True}}],
        [{"invoke": "no name"}],
    ],
)
def test_a_script_that_can_not_be_said_is_refused(script: JsonValue) -> None:
    with pytest.raises(ValidationError):
        scripted(odd=script)
