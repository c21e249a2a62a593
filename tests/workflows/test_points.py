"""Conversation points on the real server: when a run opens a conversation, and how it takes the outcome back."""

import json

import pytest
from pydantic import JsonValue
from temporalio.client import WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError, CancelledError

from infra.devserver import DevServer
from signals.conversation import StopReason
from signals.errors import ErrorType
from signals.modes import Mode, Trigger
from signals.names import HELD_FOR
from signals.run import HeldFor, StepStatus
from tests.flows.points import Wish
from tests.flows.steps import Agency
from tests.harness import eventually, temporal
from tests.pages import sections
from tests.workflows.talks import Talks, failure

OSLO: dict[str, JsonValue] = {"place": "Oslo", "nights": 2}


# Triggers and integrations


async def test_a_conversation_s_outcome_becomes_the_step_s_result(talks: Talks) -> None:
    run = await talks.start("Consult", Wish())
    [opened] = await talks.opened(run)
    assert (opened.step, opened.point, opened.because) == ("choice", "choice", "the step calls for it")
    await talks.decide(opened.id, OSLO)
    assert await run.result() == OSLO
    [record] = (await talks.progress(run)).conversations
    assert (record.stop, record.outcome, record.decided_by, record.fallback) == (
        StopReason.DECISION,
        OSLO,
        ("bob",),
        False,
    )


async def test_what_a_conversation_needs_that_is_sure_to_be_held_is_got_ready_while_the_steps_before_it_run(
    talks: Talks, agency: Agency
) -> None:
    run = await talks.start("Dinner", Wish(slow=("taxi",)))
    ready = await eventually(lambda: talks.step(run, "table"), lambda step: step.status is StepStatus.DONE)
    assert (await talks.step(run, "taxi")).status is StepStatus.RUNNING
    agency.let_go(run.id, "taxi")
    [opened] = await talks.opened(run)
    assert ready.ended is not None
    assert ready.ended < opened.opened
    await talks.decide(opened.id, OSLO)
    assert await run.result() == OSLO


async def test_a_conversation_s_id_can_be_foretold(talks: Talks) -> None:
    run = await talks.start("Rebook", Wish(refused=("Rome", "Oslo")))
    [first] = await talks.opened(run)
    assert first.id == f"{run.id}/seat-1"
    await talks.decide(first.id, OSLO)
    [second] = await talks.opened(run, 2)
    assert second.id == f"{run.id}/seat-2"
    await talks.decide(second.id, {"place": "Paris"})
    assert await run.result() == {"place": "Paris", "nights": 1}


async def test_an_outcome_must_be_what_the_step_returns(talks: Talks) -> None:
    run = await talks.start("Consult", Wish())
    [opened] = await talks.opened(run)
    await talks.decide(opened.id, {"nights": 2})
    conversation = talks.client.get_workflow_handle(opened.id)
    rejections = await talks.rejections(conversation, 1)
    assert rejections.recent[0].type == ErrorType.OUTCOME_INVALID
    await talks.decide(opened.id, OSLO)
    assert await run.result() == OSLO


async def test_a_step_can_begin_with_a_conversation(talks: Talks) -> None:
    run = await talks.start("Brief", Wish())
    [opened] = await talks.opened(run)
    assert (await talks.step(run, "choice")).attempts == 0
    await talks.decide(opened.id, 3)
    assert await run.result() == {"place": "Rome", "nights": 3}


async def test_a_failed_step_is_tried_again_with_the_outcome(talks: Talks) -> None:
    run = await talks.start("Rebook", Wish(refused=("Rome",)))
    [opened] = await talks.opened(run)
    assert opened.because == "Rome can't be had"
    await talks.decide(opened.id, OSLO)
    assert await run.result() == {"place": "Oslo", "nights": 1}
    seat = await talks.step(run, "seat")
    assert (seat.status, seat.attempts) == (StepStatus.DONE, 2)


async def test_a_failed_step_s_result_can_be_talked_about(talks: Talks) -> None:
    run = await talks.start("Replace", Wish(refused=("Rome",), error="Closed"))
    [opened] = await talks.opened(run)
    await talks.decide(opened.id, OSLO)
    assert await run.result() == OSLO
    assert (await talks.step(run, "seat")).attempts == 1


async def test_a_step_that_does_not_fail_opens_no_conversation(talks: Talks) -> None:
    run = await talks.start("Rebook", Wish())
    assert await run.result() == {"place": "Rome", "nights": 1}
    assert (await talks.progress(run)).conversations == ()


async def test_an_error_that_is_not_named_fails_the_run(talks: Talks) -> None:
    run = await talks.start("Rebook", Wish(refused=("Rome",), error="Strike"))
    error = await failure(run)
    assert isinstance(error, ApplicationError)
    assert (error.type, error.message) == ("Strike", "Rome can't be had")
    assert (await talks.progress(run)).conversations == ()


async def test_the_conversation_is_told_what_went_wrong(talks: Talks) -> None:
    run = await talks.start("Rebook", Wish(refused=("Rome",)))
    [opened] = await talks.opened(run)
    history = await talks.client.get_workflow_handle(opened.id).fetch_history()
    setup = json.loads(history.events[0].workflow_execution_started_event_attributes.input.payloads[0].data)
    assert setup["facts"] == {
        "error": "Rome can't be had",
        "expert": "expert to Rome",
        "place": "Rome",
        "price": "9.50",
    }
    await talks.decide(opened.id, OSLO)
    await run.result()


async def test_a_step_that_only_conversations_need_is_run_for_one(talks: Talks) -> None:
    plain = await talks.start("Rebook", Wish())
    await plain.result()
    assert (await talks.step(plain, "expert")).status is StepStatus.SKIPPED
    refused = await talks.start("Rebook", Wish(refused=("Rome",)))
    [opened] = await talks.opened(refused)
    assert (await talks.step(refused, "expert")).status is StepStatus.DONE
    await talks.decide(opened.id, OSLO)
    await refused.result()


async def test_a_setup_that_can_t_be_made_fails_the_run(talks: Talks) -> None:
    run = await talks.start("Consult", Wish(topic=" "))
    error = await failure(run)
    assert isinstance(error, ApplicationError)
    assert error.type == ErrorType.INVALID_INPUT
    assert error.message == ("Consult.choice: setup of point 'choice': topic: String should have at least 1 character")


# Constraints and fallbacks


async def test_after_as_many_conversations_as_may_be_the_fallback_is_taken(talks: Talks) -> None:
    run = await talks.start("Rebook", Wish(refused=("Rome", "Oslo")))
    for number in (1, 2):
        [opened] = await talks.opened(run, number)
        await talks.decide(opened.id, OSLO)
    assert await run.result() == {"place": "home", "nights": 1}
    assert len((await talks.progress(run)).conversations) == 2


async def test_when_the_fallback_fails_too_the_error_stands(talks: Talks) -> None:
    run = await talks.start("Rebook", Wish(refused=("Rome", "Oslo", "home")))
    for number in (1, 2):
        [opened] = await talks.opened(run, number)
        await talks.decide(opened.id, OSLO)
    error = await failure(run)
    assert isinstance(error, ApplicationError)
    assert (error.type, error.message) == ("SoldOut", "home can't be had")


async def test_a_default_is_taken_when_the_time_is_up(talks: Talks) -> None:
    run = await talks.start("Brief", Wish(seconds=1))
    assert await run.result() == {"place": "Rome", "nights": 7}
    [record] = (await talks.progress(run)).conversations
    assert (record.stop, record.outcome, record.fallback) == (StopReason.TIMEOUT, 7, True)


async def test_without_a_default_the_run_fails_when_the_time_is_up(talks: Talks) -> None:
    run = await talks.start("Consult", Wish(seconds=1))
    error = await failure(run)
    assert isinstance(error, ApplicationError)
    assert error.type == ErrorType.NO_OUTCOME
    assert "conversation point 'choice' gave no outcome: " in error.message


@pytest.mark.parametrize("how", ["cancel", "terminate"])
async def test_a_conversation_that_is_stopped_by_an_operator_gives_the_fallback(
    server: DevServer, talks: Talks, how: str
) -> None:
    run = await talks.start("Brief", Wish())
    [opened] = await talks.opened(run)
    await temporal(server, "workflow", how, "--workflow-id", opened.id)
    assert await run.result() == {"place": "Rome", "nights": 7}
    [record] = (await talks.progress(run)).conversations
    assert (record.stop, record.outcome, record.fallback) == (None, 7, True)


# The run and its conversations


async def test_cancelling_the_run_cancels_its_conversation(talks: Talks) -> None:
    run = await talks.start("Brief", Wish())
    [opened] = await talks.opened(run)
    await run.cancel()
    assert isinstance(await failure(run), CancelledError)
    described = await talks.client.get_workflow_handle(opened.id).describe()
    assert described.status is WorkflowExecutionStatus.CANCELED
    [record] = (await talks.progress(run)).conversations
    assert record.closed is not None
    assert record.outcome is None


async def test_a_run_says_in_which_mode_it_is_and_why(talks: Talks) -> None:
    run = await talks.start("Consult", Wish())
    [opened] = await talks.opened(run)
    listed = (await run.describe()).search_attributes
    assert (listed["ParleyMode"], listed["ParleyTrigger"]) == ([Mode.CONVERSATION], [Trigger.POINT])
    await talks.decide(opened.id, OSLO)
    await run.result()
    listed = (await run.describe()).search_attributes
    assert (listed["ParleyMode"], listed["ParleyTrigger"]) == ([Mode.WORKFLOW], [Trigger.CLOSED])
    into, back = (await talks.progress(run)).transitions
    assert (into.source, into.target, into.trigger) == (Mode.WORKFLOW, Mode.CONVERSATION, Trigger.POINT)
    assert (back.source, back.target, back.trigger) == (Mode.CONVERSATION, Mode.WORKFLOW, Trigger.CLOSED)
    assert back.cause == StopReason.DECISION


async def test_the_error_that_opened_a_conversation_is_the_transition_s_trigger(talks: Talks) -> None:
    run = await talks.start("Replace", Wish(refused=("Rome",)))
    [opened] = await talks.opened(run)
    [into] = (await talks.progress(run)).transitions
    assert (into.trigger, into.cause, into.reason) == (Trigger.POINT, "SoldOut", "Rome can't be had")
    await talks.decide(opened.id, OSLO)
    await run.result()


async def test_other_steps_go_on_while_one_talks(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Hall", Wish(slow=("tea",)))
    left, right = await talks.opened(run, 2)
    assert (await talks.progress(run)).mode is Mode.HYBRID
    assert (await talks.step(run, "left")).status is StepStatus.WAITING
    agency.let_go(run.id, "tea")
    await eventually(lambda: talks.step(run, "cup"), lambda cup: cup.status is StepStatus.DONE)
    assert [record.closed for record in (await talks.progress(run)).conversations] == [None, None]
    for opened in (left, right):
        await talks.decide(opened.id, OSLO)
    assert await run.result() == ["Oslo", "Oslo"]
    assert await talks.modes(run) == [(Mode.WORKFLOW, Mode.HYBRID), (Mode.HYBRID, Mode.WORKFLOW)]


async def test_the_page_shows_the_conversation_and_how_to_look_into_it(server: DevServer, talks: Talks) -> None:
    run = await talks.start("Rebook", Wish(refused=("Rome",)))
    [opened] = await talks.opened(run)
    printed = await temporal(server, "workflow", "metadata", "--workflow-id", run.id, "-o", "json")
    shown = sections(json.loads(printed)["queryResult"][0]["currentDetails"])
    assert shown["Conversations"][1:] == [[opened.id, "ann, bob", "Rome can't be had", "open", ""]]
    assert shown["Look closer"][1:] == [
        [f"temporal workflow query --workflow-id {opened.id} --type transcript"],
        [
            f"temporal workflow signal --workflow-id {opened.id} --name turn --input "
            """'{"speaker": "ann", "text": "..."}'"""
        ],
    ]
    await talks.decide(opened.id, OSLO)
    await run.result()


async def test_a_conversation_says_what_it_is_held_for_to_who_lists_it(talks: Talks) -> None:
    run = await talks.start("Consult", Wish())
    [opened] = await talks.opened(run)
    described = await talks.client.get_workflow_handle(opened.id).describe()
    held_for = await described.memo_value(HELD_FOR, type_hint=HeldFor)
    assert held_for == HeldFor(workflow="Consult", step=opened.step, point="choice")
