"""Scripted participants: a fixed list of replies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.assistant import AssistantActivities
from activities.local_model import LocalModel
from signals.assistant import Reply, ReplyRequest
from signals.errors import ErrorType
from tests.unit.assistant.requests import asking

LINES = ("Good morning.", "It is over the limit.", "Bob decides.")


def scripted(**scripts: tuple[str, ...]) -> AssistantActivities:
    return AssistantActivities("script:calm", LocalModel(), scripts or {"calm": LINES})


async def said(request: ReplyRequest) -> Reply:
    return await ActivityEnvironment().run(scripted().reply, request)


async def test_a_script_begins_with_its_first_line() -> None:
    assert await said(asking(("C-1", "Hello"))) == Reply(text=LINES[0], model="script:calm")


async def test_a_script_goes_on_after_the_last_line_that_was_said() -> None:
    assert (await said(asking(("C-1", "Hi"), ("assistant", LINES[0]), ("C-1", "Why?")))).text == LINES[1]


async def test_a_script_begins_again_after_its_last_line() -> None:
    assert (await said(asking(("assistant", LINES[2]), ("C-1", "Oh")))).text == LINES[0]


async def test_a_script_finds_its_place_where_older_messages_are_left_out() -> None:
    assert (await said(asking(("assistant", LINES[1]), ("C-1", "Oh"), omitted=4_000))).text == LINES[2]


async def test_others_may_say_a_scripts_line_without_moving_it() -> None:
    assert (await said(asking(("C-1", LINES[1])))).text == LINES[0]


async def test_a_participant_may_name_its_own_script() -> None:
    assistant = scripted(calm=LINES, short=("Yes.",))
    reply = await ActivityEnvironment().run(assistant.reply, asking(("C-1", "Hi"), model="script:short"))
    assert reply == Reply(text="Yes.", model="script:short")


@given(window=st.integers(min_value=2, max_value=8), turns=st.integers(min_value=1, max_value=30))
async def test_a_whole_conversation_says_the_script_round_and_round_however_little_is_shown(
    window: int, turns: int
) -> None:
    told: list[tuple[str | None, str]] = []
    for turn in range(turns):
        told.append(("C-1", f"message {turn}"))
        omitted = max(len(told) - window, 0)
        told.append(("assistant", (await said(asking(*told[-window:], omitted=omitted))).text))
    assert [text for speaker, text in told if speaker == "assistant"] == [LINES[n % 3] for n in range(turns)]


async def test_an_unknown_script_fails_at_once_and_the_known_ones_are_named() -> None:
    with pytest.raises(ApplicationError) as failure:
        await said(asking(("C-1", "Hi"), model="script:angry"))
    assert (failure.value.type, failure.value.non_retryable) == (ErrorType.ASSISTANT_FAILED, True)
    assert failure.value.message == "script:angry: there is no such script; known are: calm"


@pytest.mark.parametrize("lines", [(), ("Yes.", "No.", "Yes."), ("Yes.", " Yes. ")])
def test_a_script_that_is_empty_or_repeats_itself_is_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="script odd"):
        scripted(odd=lines)
