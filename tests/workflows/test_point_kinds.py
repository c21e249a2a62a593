"""Conversation points of every kind on the real server: when they open, and what becomes of the outcome."""

import pytest
from pydantic import JsonValue
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from signals.errors import ErrorType
from signals.messages import Close, RequestConversation
from signals.modes import Mode, Trigger
from signals.participants import Kind, Participant, Permission
from signals.run import StepStatus
from tests.flows.points import Wish
from tests.flows.steps import Agency
from tests.harness import eventually
from tests.workflows.talks import Run, Talks, failure

OSLO: dict[str, JsonValue] = {"place": "Oslo", "nights": 2}


async def demand(run: Run, requestor: str, point: str | None = None, *others: Participant) -> None:
    """Ask for a conversation, as a signal."""
    message = RequestConversation(requestor=requestor, point=point, participants=others, reason="I must know")
    await run.signal("request_conversation", message)


async def test_a_condition_is_asked_before_the_body(talks: Talks) -> None:
    run = await talks.start("Condition", Wish(refused=("Rome",)))
    [opened] = await talks.opened(run)
    assert (opened.point, (await talks.step(run, "seat")).attempts) == ("before", 0)
    await talks.decide(opened.id, OSLO)
    assert await run.result() == {"place": "Oslo", "nights": 1}


async def test_a_condition_that_names_the_step_is_asked_of_its_result(talks: Talks) -> None:
    run = await talks.start("Condition", Wish(place="Far"))
    [opened] = await talks.opened(run)
    assert (opened.point, (await talks.step(run, "seat")).attempts) == ("after", 1)
    await talks.decide(opened.id, OSLO)
    assert await run.result() == OSLO


async def test_points_of_a_step_are_held_in_turn(talks: Talks) -> None:
    run = await talks.start("Condition", Wish(refused=("Rome",)))
    [before] = await talks.opened(run)
    await talks.decide(before.id, {"place": "Far"})
    [after] = await talks.opened(run, 2)
    assert after.point == "after"
    await talks.decide(after.id, OSLO)
    assert await run.result() == OSLO


async def test_a_condition_that_does_not_hold_opens_nothing(talks: Talks) -> None:
    run = await talks.start("Condition", Wish())
    assert await run.result() == {"place": "Rome", "nights": 1}
    assert (await talks.progress(run)).conversations == ()


async def test_a_conversation_about_the_run_is_held_beside_its_steps(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Asked", Wish(slow=("tea",)))
    await eventually(lambda: talks.step(run, "tea"), lambda now: now.status is StepStatus.RUNNING)
    friend = Participant(id="cat", kind=Kind.HUMAN, role="friend")
    await demand(run, "ann", "help", friend)
    [opened] = await talks.opened(run)
    assert (opened.step, opened.because, set(opened.people)) == (None, "I must know", {"ann", "bob", "cat"})
    [there] = (await talks.progress(run)).transitions
    assert (there.target, there.trigger) == (Mode.HYBRID, Trigger.REQUEST)
    agency.let_go(run.id, "tea")
    await eventually(lambda: talks.step(run, "seat"), lambda now: now.status is StepStatus.DONE)
    await talks.decide(opened.id, "all is well")
    assert await run.result() == {"place": "Rome", "nights": 1}


async def test_a_conversation_about_a_step_begins_when_its_turn_comes(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Asked", Wish(slow=("tea",)))
    await eventually(lambda: talks.step(run, "tea"), lambda now: now.status is StepStatus.RUNNING)
    await demand(run, "bob", "seat")
    assert (await talks.progress(run)).conversations == ()
    agency.let_go(run.id, "tea")
    [opened] = await talks.opened(run)
    assert opened.step == "seat"
    await talks.decide(opened.id, OSLO)
    assert await run.result() == OSLO


async def test_who_may_not_ask_is_refused(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Asked", Wish(slow=("tea",)))
    await eventually(lambda: talks.step(run, "tea"), lambda now: now.status is StepStatus.RUNNING)
    await demand(run, "eve")
    await demand(run, "ann", "party")
    await demand(run, "ann")
    await talks.opened(run)
    boss = Participant(id="boss", kind=Kind.HUMAN, role="boss", can=(Permission.SPEAK, Permission.DECIDE))
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        message = RequestConversation(requestor="ann", participants=(boss,))
        await run.execute_update("submit_request_conversation", message)
    assert isinstance(failed.value.cause, ApplicationError)
    assert "open already" in failed.value.cause.message
    rejections = await talks.rejections(run, 2)
    assert [(one.speaker, one.type) for one in rejections.recent] == [
        ("eve", ErrorType.NOT_PERMITTED),
        ("ann", ErrorType.TRANSITION_NOT_ALLOWED),
    ]
    agency.let_go(run.id, "tea")
    [opened] = await talks.opened(run)
    await talks.decide(opened.id, "done")
    await run.result()


async def test_nobody_brings_in_somebody_with_more_rights(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Asked", Wish(slow=("tea",)))
    await eventually(lambda: talks.step(run, "tea"), lambda now: now.status is StepStatus.RUNNING)
    boss = Participant(id="boss", kind=Kind.HUMAN, role="boss", can=(Permission.SPEAK, Permission.DECIDE))
    await demand(run, "ann", "help", boss)
    [opened] = await talks.opened(run)
    assert set(opened.people) == {"ann", "bob"}
    rejections = await talks.rejections(run, 1)
    assert rejections.recent[0].reason == "'boss' can't take part: a guest may not have the permission 'decide'"
    agency.let_go(run.id, "tea")
    await talks.decide(opened.id, "done")
    await run.result()


async def test_an_outcome_may_be_several_steps_results(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Merged", Wish(refused=("x",), slow=("tea",)))
    [opened] = await talks.opened(run)
    await talks.decide(opened.id, {"place": "Oslo"})
    rejections = await talks.rejections(talks.conversation(opened.id), 1)
    assert rejections.recent[0].type == ErrorType.OUTCOME_INVALID
    await talks.decide(opened.id, {"place": "Oslo", "nights": 3})
    await talks.closed(run, 1)
    agency.let_go(run.id, "tea")
    assert await run.result() == {"place": "Oslo", "nights": 3}


async def test_an_outcome_that_is_only_noted_leaves_the_error(talks: Talks) -> None:
    run = await talks.start("Noted", Wish(refused=("Rome",)))
    [opened] = await talks.opened(run)
    await talks.decide(opened.id, "bad luck")
    error = await failure(run)
    assert isinstance(error, ApplicationError)
    assert error.type == "SoldOut"
    assert (await talks.progress(run)).conversations[0].outcome == "bad luck"


async def test_a_run_goes_on_at_an_earlier_step(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Rewound", Wish(refused=("Rome",)))
    [opened] = await talks.opened(run)
    await talks.decide(opened.id, {"place": "Oslo"})
    assert await run.result() == ["Oslo", "flight to Oslo"]
    assert agency.calls(run.id) == ["flight", "flight"]


async def test_a_run_goes_on_at_a_later_step(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Skipping", Wish(refused=("Rome",)))
    [opened] = await talks.opened(run)
    await talks.decide(opened.id, {})
    assert await run.result() == "nothing"
    assert agency.calls(run.id) == []
    assert {step.step: step.status for step in (await talks.progress(run)).steps} == {
        "seat": StepStatus.SKIPPED,
        "tea": StepStatus.SKIPPED,
        "told": StepStatus.DONE,
    }


async def test_an_outcome_may_end_the_run(talks: Talks) -> None:
    run = await talks.start("Ended", Wish(refused=("Rome",), slow=("tea",)))
    [opened] = await talks.opened(run)
    await talks.decide(opened.id, "at home")
    assert await run.result() == "at home"
    assert (await talks.step(run, "tea")).status is StepStatus.CANCELLED


async def test_a_conversation_without_an_outcome_may_have_people_talk_about_the_run(talks: Talks) -> None:
    run = await talks.start("FallsBack", Wish(refused=("Rome",)))
    [opened] = await talks.opened(run)
    await talks.conversation(opened.id).signal("close", Close(speaker="bob"))
    [about] = await talks.opened(run, 2)
    assert about.id == f"{run.id}/switch-1"
    await talks.decide(about.id, {"results": {"seat": {"place": "Oslo"}}})
    [tea] = await talks.opened(run, 3)
    await talks.conversation(tea.id).signal("close", Close(speaker="bob"))
    assert await run.result() == ["Oslo", "black"]
    triggers = [change.trigger for change in (await talks.progress(run)).transitions]
    assert triggers[2] is Trigger.FALLBACK
