"""Changes of mode on the real server: by request, by rule, and back, with nothing lost and nothing done twice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError

from activities.relay import RelayActivities
from signals.errors import ErrorType
from signals.messages import SwitchMode
from signals.modes import Mode, TransitionRule, Trigger
from signals.run import StepStatus
from signals.settings import HybridSettings, Settings, TransitionSettings
from tests.flows import modes
from tests.flows.modes import BOB
from tests.flows.points import Wish
from tests.flows.steps import Agency, Trip
from tests.harness import eventually, running_worker
from tests.workflows.journeys import ask, is_running, refusal, switch, transitions
from tests.workflows.talks import Run, Talks, failure, known
from workflows.conversation.workflow import Conversation

ROME = ["flight to Rome", "room to Rome", "tickets to Rome"]


# By request


async def test_a_run_goes_to_conversation_and_back_with_a_corrected_result(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Journey", Trip(place="Rome", slow=("room",)))
    await is_running(talks, run, "room")
    await switch(run, Mode.CONVERSATION, reason="they want another flight")
    agency.let_go(run.id, "room")
    [about] = await talks.opened(run)
    assert (about.id, about.step, about.people) == (f"{run.id}/switch-1", None, ("bob",))
    assert agency.calls(run.id) == ["flight", "room"]
    await talks.decide(
        about.id, {"results": {"flight": {"what": "train"}}, "resume_at": "tickets", "note": "no flights"}
    )
    assert await run.result() == ["train", "room to Rome", "tickets to Rome"]
    assert agency.calls(run.id) == ["flight", "room", "tickets"]
    there, back = await transitions(run)
    assert (there.source, there.target, there.trigger) == (Mode.WORKFLOW, Mode.CONVERSATION, Trigger.REQUEST)
    assert (there.requested_by, there.reason) == ("bob", "they want another flight")
    assert (back.source, back.target, back.trigger) == (Mode.CONVERSATION, Mode.WORKFLOW, Trigger.OUTCOME)
    assert there.conversation == back.conversation == about.id


async def test_what_is_to_be_run_anew_is_taken_back_first(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Journey", Trip(place="Rome", slow=("tickets",)))
    await is_running(talks, run, "tickets")
    await switch(run, Mode.HYBRID)
    [about] = await talks.opened(run)
    await talks.decide(about.id, {"resume_at": "room"})
    await eventually(lambda: _calls(agency, run), lambda calls: calls[3:] == ["no room", "room", "tickets"])
    agency.let_go(run.id, "tickets")
    assert await run.result() == ROME


async def _calls(agency: Agency, run: Run) -> list[str]:
    return agency.calls(run.id)


async def test_people_may_talk_while_the_steps_go_on(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Journey", Trip(place="Rome", slow=("room",)))
    await is_running(talks, run, "room")
    assert (await ask(run, Mode.HYBRID)).accepted == "the run goes to 'hybrid'"
    [about] = await talks.opened(run)
    agency.let_go(run.id, "room")
    await eventually(lambda: talks.step(run, "all_of_it"), lambda now: now.status is StepStatus.DONE)
    assert (await talks.progress(run)).mode is Mode.HYBRID
    await talks.decide(about.id, {"results": {"all_of_it": ["nothing"]}})
    assert await run.result() == ["nothing"]


async def test_a_run_is_taken_back_to_its_steps_by_request(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Journey", Trip(place="Rome", slow=("room",)))
    await is_running(talks, run, "room")
    await switch(run, Mode.CONVERSATION)
    agency.let_go(run.id, "room")
    [about] = await talks.opened(run)
    await ask(run, Mode.WORKFLOW, by="ann")
    assert await run.result() == ROME
    assert agency.calls(run.id) == ["flight", "room", "tickets"]
    [record] = (await talks.progress(run)).conversations
    assert (record.id, record.stop) == (about.id, "switch")
    assert (await transitions(run))[-1].requested_by == "ann"


async def test_from_hybrid_to_conversation_the_steps_wait(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Journey", Trip(place="Rome", slow=("room",)))
    await is_running(talks, run, "room")
    await ask(run, Mode.HYBRID)
    [about] = await talks.opened(run)
    await ask(run, Mode.CONVERSATION)
    agency.let_go(run.id, "room")
    await eventually(lambda: talks.progress(run), lambda now: now.mode is Mode.CONVERSATION)
    assert (await talks.step(run, "tickets")).status is StepStatus.PENDING
    await talks.decide(about.id, {})
    assert await run.result() == ROME


async def test_a_request_that_makes_no_sense_changes_nothing(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Journey", Trip(place="Rome", slow=("room",)))
    await is_running(talks, run, "room")
    assert await refusal(run, Mode.WORKFLOW) == "the run is in mode 'workflow' already"
    await switch(run, Mode.CONVERSATION)
    await eventually(lambda: _is_moving(run))
    assert await refusal(run, Mode.HYBRID) == "the run is being moved to 'conversation'; ask again when that is done"
    agency.let_go(run.id, "room")
    [about] = await talks.opened(run)
    await talks.decide(about.id, {})
    assert await run.result() == ROME


async def _is_moving(run: Run) -> bool:
    try:
        await run.execute_update("submit_switch_mode", SwitchMode(to=Mode.HYBRID, requested_by="bob"))
    except WorkflowUpdateFailedError as error:
        return "being moved" in str(error.cause)
    return False


async def test_a_request_that_no_rule_allows_is_a_rejection(talks: Talks, agency: Agency) -> None:
    rule = TransitionRule(source=Mode.WORKFLOW, to=Mode.CONVERSATION, trigger=Trigger.REQUEST, who=("agent",))
    run = await talks.start("Journey", Trip(place="Rome", slow=("room",)), known(BOB, rules=(rule,)))
    await is_running(talks, run, "room")
    await switch(run, Mode.HYBRID)
    await switch(run, Mode.CONVERSATION, by="eve")
    rejections = await talks.rejections(run, 2)
    assert [(one.speaker, one.type, one.reason) for one in rejections.recent] == [
        ("bob", ErrorType.TRANSITION_NOT_ALLOWED, "no rule leads from 'workflow' to 'hybrid' on request"),
        ("eve", ErrorType.TRANSITION_NOT_ALLOWED, "from 'workflow' to 'conversation' may only ask: agent"),
    ]
    agency.let_go(run.id, "room")
    assert await run.result() == ROME
    assert await transitions(run) == []


async def test_what_people_decide_must_fit(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Journey", Trip(place="Rome", slow=("room",)))
    await is_running(talks, run, "room")
    await switch(run, Mode.CONVERSATION)
    agency.let_go(run.id, "room")
    [about] = await talks.opened(run)
    await talks.decide(about.id, {"results": {"flight": {"wat": 1}}})
    await talks.decide(about.id, {"resume_at": "the moon"})
    rejections = await talks.rejections(talks.conversation(about.id), 2)
    assert {one.type for one in rejections.recent} == {ErrorType.OUTCOME_INVALID}
    await talks.decide(about.id, {})
    assert await run.result() == ROME


async def test_there_and_back_costs_the_conversation_and_two_events_each_way(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Journey", Trip(place="Rome", slow=("room",)))
    await is_running(talks, run, "room")
    before = await _length(run)
    await switch(run, Mode.HYBRID)
    [about] = await talks.opened(run)
    await talks.decide(about.id, {})
    await talks.closed(run, 1)
    # The request and its task are 4 events.
    assert await _length(run) - before <= 4 + 9 + 2 * 2
    agency.let_go(run.id, "room")
    await run.result()


async def _length(run: Run) -> int:
    return (await run.describe()).history_length


async def test_a_change_of_mode_is_logged_with_what_is_known_and_not_with_what_was_said(
    talks: Talks, agency: Agency, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="temporalio.workflow"):
        run = await talks.start("Journey", Trip(place="Rome", slow=("room",)))
        await is_running(talks, run, "room")
        await switch(run, Mode.HYBRID, reason="it is a secret")
        [about] = await talks.opened(run)
        agency.let_go(run.id, "room")
        await talks.decide(about.id, {})
        await run.result()
    there, back = [vars(record) for record in caplog.records if record.message.startswith("Mode: ")]
    assert (there["transition"]["trigger"], there["transition"]["requested_by"]) == ("request", "bob")
    assert (there["steps"]["flight"], there["steps"]["room"], there["results"]) == ("done", "running", ["flight"])
    assert there["conversations"] == [about.id]
    assert back["transition"]["trigger"] == "outcome"
    assert "secret" not in f"{there['transition']} {there['message']}"


# What is under way


@asynccontextmanager
async def impatient(client: Client, agency: Agency, fallback: Mode) -> AsyncIterator[tuple[Talks, Run]]:
    """A run that is asked to go to conversation while a step takes longer than it may."""
    relay = RelayActivities(client)
    execution = Settings(transitions=TransitionSettings(transition_timeout_seconds=0.2, fallback_mode=fallback))
    activities = [*agency.activities, relay.pass_on]
    async with running_worker(client, [*modes.FLOWS, Conversation], activities, execution=execution) as queue:
        talks = Talks(client, queue)
        run = await talks.start("Journey", Trip(place="Rome", slow=("room",)))
        await is_running(talks, run, "room")
        await switch(run, Mode.CONVERSATION)
        yield talks, run


async def test_a_step_that_takes_too_long_is_cancelled_and_run_later(client: Client, agency: Agency) -> None:
    async with impatient(client, agency, Mode.CONVERSATION) as (talks, run):
        [about] = await talks.opened(run)
        assert (await talks.step(run, "room")).status is StepStatus.PENDING
        assert (await transitions(run))[0].seconds >= 0.2
        agency.let_go(run.id, "room")
        await talks.decide(about.id, {})
        assert await run.result() == ROME
        assert agency.calls(run.id) == ["flight", "room", "room", "tickets"]


async def test_a_change_that_takes_too_long_may_be_given_up(client: Client, agency: Agency) -> None:
    async with impatient(client, agency, Mode.WORKFLOW) as (talks, run):
        rejections = await talks.rejections(run, 1)
        assert rejections.recent[0].type == ErrorType.TRANSITION_NOT_ALLOWED
        assert "0.2 s" in rejections.recent[0].reason
        agency.let_go(run.id, "room")
        assert await run.result() == ROME
        assert await transitions(run) == []


async def test_a_change_that_takes_too_long_may_go_on_beside_the_steps(client: Client, agency: Agency) -> None:
    async with impatient(client, agency, Mode.HYBRID) as (talks, run):
        [about] = await talks.opened(run)
        [there] = await transitions(run)
        assert (there.target, there.trigger) == (Mode.HYBRID, Trigger.FALLBACK)
        agency.let_go(run.id, "room")
        await talks.decide(about.id, {})
        assert await run.result() == ROME
        assert agency.calls(run.id) == ["flight", "room", "tickets"]


async def test_without_preserved_state_a_run_begins_anew(client: Client, agency: Agency) -> None:
    relay = RelayActivities(client)
    execution = Settings(transitions=TransitionSettings(preserve_state=False))
    activities = [*agency.activities, relay.pass_on]
    async with running_worker(client, [*modes.FLOWS, Conversation], activities, execution=execution) as queue:
        talks = Talks(client, queue)
        run = await talks.start("Journey", Trip(place="Rome", slow=("room",)))
        await is_running(talks, run, "room")
        await switch(run, Mode.CONVERSATION)
        agency.let_go(run.id, "room")
        [about] = await talks.opened(run)
        await talks.decide(about.id, {"results": {"flight": {"what": "train"}}})
        assert await run.result() == ["train", "room to Rome", "tickets to Rome"]
        assert agency.calls(run.id) == ["flight", "room", "no room", "room", "tickets"]


async def test_a_run_is_cancelled_while_it_is_being_moved(talks: Talks) -> None:
    run = await talks.start("Journey", Trip(place="Rome", slow=("room",)))
    await is_running(talks, run, "room")
    await switch(run, Mode.HYBRID)
    await run.cancel()
    assert isinstance(await failure(run), CancelledError)


# By rule


async def test_a_failed_step_is_talked_about_where_there_is_somebody_to_talk_to(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Journey", Trip(place="Rome", broken=("room",)), known(BOB))
    [about] = await talks.opened(run)
    assert about.because == "step 'room' failed: no room to be had"
    await talks.decide(about.id, {"results": {"room": {"what": "tent"}}})
    assert await run.result() == ["flight to Rome", "tent", "tickets to Rome"]
    there, _ = await transitions(run)
    assert (there.trigger, there.cause) == (Trigger.STEP_FAILED, "SoldOut")
    assert agency.calls(run.id) == ["flight", "room", "tickets"]


async def test_a_failed_step_that_nobody_mends_fails_the_run(talks: Talks) -> None:
    run = await talks.start("Journey", Trip(place="Rome", broken=("room",)), known(BOB))
    [about] = await talks.opened(run)
    await talks.decide(about.id, {})
    error = await failure(run)
    assert isinstance(error, ActivityError)
    assert isinstance(error.cause, ApplicationError)
    assert error.cause.type == "SoldOut"


async def test_a_step_that_fails_again_and_again_is_talked_about_three_times(talks: Talks) -> None:
    run = await talks.start("Journey", Trip(place="Rome", broken=("room",)), known(BOB))
    for number in (1, 2, 3):
        [about] = await talks.opened(run, number)
        await talks.decide(about.id, {"resume_at": "room"})
    assert isinstance(await failure(run), ActivityError)
    assert len((await talks.progress(run)).conversations) == 3


async def test_an_unsure_result_is_talked_about(talks: Talks) -> None:
    sure = await talks.start("Guessing", Wish(place="Paris"), known(BOB))
    assert await sure.result() == "Paris"
    unsure = await talks.start("Guessing", Wish(place="Oslo"), known(BOB))
    [about] = await talks.opened(unsure)
    assert about.because == "step 'guess' is sure to 0.40 only, less than 0.7"
    await talks.decide(about.id, {"results": {"guess": {"place": "Osaka", "confidence": 1.0}}, "resume_at": "place"})
    assert await unsure.result() == "Osaka"


async def test_nobody_talks_by_rule_where_that_is_turned_off(client: Client, agency: Agency) -> None:
    execution = Settings(hybrid=HybridSettings(auto_switch=False))
    async with running_worker(client, [*modes.FLOWS, Conversation], agency.activities, execution=execution) as queue:
        run = await Talks(client, queue).start("Journey", Trip(place="Rome", broken=("room",)), known(BOB))
        assert isinstance(await failure(run), ActivityError)
