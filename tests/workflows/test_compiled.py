"""Compiled workflows on the real server: typed, as parallel as their steps allow, and plain to see."""

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError

from infra.devserver import DevServer
from signals.errors import ErrorType
from signals.modes import Mode
from signals.run import Checkpoint, Progress, StepStatus, Transition
from tests.flows import steps
from tests.flows.steps import Agency, Booking, Itinerary, Transfer, Trip
from tests.harness import eventually, running_worker, temporal
from tests.pages import sections
from workflows.compiled import compiler
from workflows.compiled.plan import Plan

Run = WorkflowHandle[object, object]
SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
CANCEL_REQUESTED = EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED


@pytest.fixture(scope="module")
async def agency() -> AsyncIterator[Agency]:
    agency = Agency()
    yield agency
    agency.let_all_go()


@pytest.fixture(scope="module")
async def task_queue(client: Client, agency: Agency) -> AsyncIterator[str]:
    async with running_worker(client, steps.FLOWS, agency.activities) as name:
        yield name
        agency.let_all_go()


class Travel:
    """Starts runs, and looks at them."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self.client = client
        self.task_queue = task_queue

    async def start(self, flow: str, trip: Trip) -> Run:
        """Start a run."""
        return await self.client.start_workflow(flow, trip, id=f"test-{uuid4()}", task_queue=self.task_queue)

    async def progress(self, run: Run) -> Progress:
        """Where a run stands."""
        progress: Progress = await run.query("progress", result_type=Progress)
        return progress

    async def statuses(self, run: Run) -> dict[str, StepStatus]:
        """Where each step stands."""
        return {progress.step: progress.status for progress in (await self.progress(run)).steps}

    async def booked(self, run: Run) -> dict[str, HistoryEvent]:
        """The activities that were scheduled, by what they book."""
        events = [event for event in (await run.fetch_history()).events if event.event_type == SCHEDULED]
        converter = self.client.data_converter.payload_converter
        inputs = [event.activity_task_scheduled_event_attributes.input.payloads for event in events]
        return {converter.from_payloads(p, [Booking])[0].what: e for p, e in zip(inputs, events, strict=True)}


@pytest.fixture
def travel(client: Client, task_queue: str) -> Travel:
    return Travel(client, task_queue)


async def failure(run: Run) -> BaseException | None:
    with pytest.raises(WorkflowFailureError) as failed:
        await run.result()
    return failed.value.cause


async def test_json_goes_in_and_comes_out(server: DevServer, task_queue: str) -> None:
    arguments = ["--type", "TripPlan", "--task-queue", task_queue, "--workflow-id", f"test-{uuid4()}", "-o", "json"]
    printed = await temporal(server, "workflow", "execute", *arguments, "--input", '{"place": "Rome"}')
    assert json.loads(printed)["result"] == {
        "place": "Rome",
        "bookings": ["flight to Rome", "hotel to Rome"],
        "transfer": {"minutes": 30},
    }


async def test_models_of_the_workflow_s_own_module_go_in_and_out(client: Client, task_queue: str) -> None:
    run = await client.start_workflow(
        "TripPlan", Trip(place="Rome"), id=f"test-{uuid4()}", task_queue=task_queue, result_type=Itinerary
    )
    assert (await run.result()).transfer == Transfer(minutes=30)


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ([{"place": "Rome", "colour": "red"}], "colour: Extra inputs are not permitted"),
        ([], "TripPlan takes 1 to 2 inputs (Trip, UniversalContext | None), 0 were given"),
    ],
)
async def test_input_that_does_not_fit_fails_the_run_at_once(
    client: Client, task_queue: str, inputs: list[object], reason: str
) -> None:
    run = await client.start_workflow("TripPlan", args=inputs, id=f"test-{uuid4()}", task_queue=task_queue)
    error = await failure(run)
    assert isinstance(error, ApplicationError)
    assert (error.type, error.message) == (ErrorType.INVALID_INPUT, reason)


async def test_steps_that_need_nothing_of_each_other_run_at_once(travel: Travel) -> None:
    run = await travel.start("TripPlan", Trip(place="Rome"))
    await run.result()
    booked = await travel.booked(run)
    flight, hotel = (booked[what].activity_task_scheduled_event_attributes for what in ("flight", "hotel"))
    assert flight.workflow_task_completed_event_id == hotel.workflow_task_completed_event_id


async def test_a_step_starts_when_its_own_inputs_are_there(travel: Travel, agency: Agency) -> None:
    run = await travel.start("TripPlan", Trip(place="Rome", slow=("hotel",)))
    statuses = await eventually(lambda: travel.statuses(run), lambda now: now["ride"] is StepStatus.DONE)
    assert statuses["hotel"] is StepStatus.RUNNING
    assert statuses["itinerary"] is StepStatus.PENDING
    agency.let_go(run.id, "hotel")
    await run.result()


async def test_a_run_ends_when_its_effects_are_done_too(travel: Travel, agency: Agency) -> None:
    run = await travel.start("TripPlan", Trip(place="Rome", slow=("notice",)))
    await eventually(lambda: travel.statuses(run), lambda now: now["notice"] is StepStatus.RUNNING)
    assert not (await travel.progress(run)).done
    agency.let_go(run.id, "notice")
    await run.result()
    assert (await travel.progress(run)).done


async def test_a_failing_step_fails_the_run_with_its_error_and_cancels_the_others(travel: Travel) -> None:
    run = await travel.start("TripPlan", Trip(place="Rome", slow=("hotel",), broken=("flight",)))
    error = await failure(run)
    assert isinstance(error, ActivityError)
    assert isinstance(error.cause, ApplicationError)
    assert (error.cause.type, error.cause.message) == ("SoldOut", "no flight to be had")
    history = (await run.fetch_history()).events
    [cancel] = [event for event in history if event.event_type == CANCEL_REQUESTED]
    hotel = (await travel.booked(run))["hotel"]
    assert cancel.activity_task_cancel_requested_event_attributes.scheduled_event_id == hotel.event_id
    steps = {step.step: (step.status, step.error) for step in (await travel.progress(run)).steps}
    assert steps == {
        "flight": (StepStatus.FAILED, "no flight to be had"),
        "hotel": (StepStatus.CANCELLED, None),
        "ride": (StepStatus.PENDING, None),
        "itinerary": (StepStatus.PENDING, None),
        "notice": (StepStatus.PENDING, None),
    }


async def test_a_cancelled_run_cancels_its_steps(travel: Travel) -> None:
    run = await travel.start("TripPlan", Trip(place="Rome", slow=("hotel",)))
    await eventually(lambda: travel.statuses(run), lambda now: now["ride"] is StepStatus.DONE)
    await run.cancel()
    await failure(run)
    statuses = await travel.statuses(run)
    assert (statuses["flight"], statuses["hotel"]) == (StepStatus.DONE, StepStatus.CANCELLED)


async def test_a_step_that_ends_well_beside_one_that_fails_is_done_and_taken_back(travel: Travel) -> None:
    run = await travel.start("Pair", Trip(place="Rome"))
    await failure(run)
    statuses = await travel.statuses(run)
    assert (statuses["good"], statuses["bad"]) == (StepStatus.COMPENSATED, StepStatus.FAILED)


async def test_a_value_that_does_not_fit_inside_a_step_fails_the_run(travel: Travel) -> None:
    error = await failure(await travel.start("TripPlan", Trip(place="Rome", minutes=-1)))
    assert isinstance(error, ApplicationError)
    assert error.type == ErrorType.INVALID_INPUT
    assert error.message == "TripPlan.ride: minutes: Input should be greater than 0"


async def test_progress_says_when_and_how_often(travel: Travel) -> None:
    run = await travel.start("TripPlan", Trip(place="Rome"))
    await run.result()
    progress = await travel.progress(run)
    assert (progress.run, progress.workflow, progress.mode) == (run.id, "TripPlan", Mode.WORKFLOW)
    assert [step.step for step in progress.steps] == ["flight", "hotel", "ride", "itinerary", "notice"]
    assert {step.attempts for step in progress.steps} == {1}
    assert all(step.started and step.ended and step.started <= step.ended for step in progress.steps)


async def test_the_definition_shows_what_is_done_and_what_runs(travel: Travel, agency: Agency) -> None:
    run = await travel.start("TripPlan", Trip(place="Rome", slow=("hotel",)))
    await eventually(lambda: travel.statuses(run), lambda now: now["ride"] is StepStatus.DONE)
    shown = await run.query("definition", result_type=str)
    assert shown.startswith("flowchart TD\n")
    assert "    class step_flight,step_ride done\n" in shown
    assert "    class step_hotel running\n" in shown
    agency.let_go(run.id, "hotel")
    await run.result()


async def test_a_run_without_conversations_stays_a_workflow(travel: Travel) -> None:
    run = await travel.start("TripPlan", Trip(place="Rome"))
    await run.result()
    assert await run.query("transitions", result_type=list[Transition]) == []
    assert (await run.describe()).search_attributes["ParleyMode"] == [Mode.WORKFLOW]


async def test_a_step_whose_condition_does_not_hold_gives_nothing(travel: Travel) -> None:
    near, far = [await travel.start("Tour", Trip(place="Rome", minutes=minutes)) for minutes in (30, 90)]
    assert await near.result() == f"{near.id}: no hotel, 1 rides"
    assert await far.result() == f"{far.id}: hotel to Rome, 3 rides"
    assert (await travel.statuses(near))["hotel"] is StepStatus.SKIPPED


async def test_a_step_is_repeated_until_it_is_enough_and_not_without_end(travel: Travel) -> None:
    run = await travel.start("Tour", Trip(place="Rome", minutes=151))
    error = await failure(run)
    assert isinstance(error, ApplicationError)
    assert error.type == ErrorType.LOOP_LIMIT
    [rides] = [step for step in (await travel.progress(run)).steps if step.step == "rides"]
    assert (rides.status, rides.attempts) == (StepStatus.FAILED, 5)


async def test_what_was_done_is_taken_back_the_latest_first(travel: Travel, agency: Agency) -> None:
    run = await travel.start("Voyage", Trip(place="Crete", broken=("payment",)))
    error = await failure(run)
    assert isinstance(error, ActivityError)
    assert agency.calls(run.id) == ["ship", "cabin", "payment", "no cabin", "no ship"]
    assert await travel.statuses(run) == {
        "ship": StepStatus.COMPENSATED,
        "cabin": StepStatus.COMPENSATED,
        "paid": StepStatus.FAILED,
    }


async def test_what_was_done_is_taken_back_when_the_run_is_cancelled(travel: Travel, agency: Agency) -> None:
    run = await travel.start("Voyage", Trip(place="Crete", slow=("payment",)))
    await eventually(lambda: travel.statuses(run), lambda now: now["paid"] is StepStatus.RUNNING)
    await run.cancel()
    assert isinstance(await failure(run), CancelledError)
    assert agency.calls(run.id) == ["ship", "cabin", "payment", "no cabin", "no ship"]


async def test_what_can_t_be_taken_back_does_not_keep_the_rest(travel: Travel, agency: Agency) -> None:
    run = await travel.start("Voyage", Trip(place="Crete", broken=("payment", "no cabin")))
    await failure(run)
    assert agency.calls(run.id)[-1] == "no ship"
    ship, cabin, _ = (await travel.progress(run)).steps
    assert ship.status is StepStatus.COMPENSATED
    assert (cabin.status, cabin.error) == (StepStatus.DONE, "could not be taken back: no no cabin to be had")


async def test_a_run_can_be_taken_back_to_a_checkpoint(server: DevServer, travel: Travel, agency: Agency) -> None:
    run = await travel.start("Voyage", Trip(place="Crete"))
    await run.result()
    [checkpoint] = await run.query("checkpoints", result_type=list[Checkpoint])
    assert checkpoint.step == "ship"
    where = ["--workflow-id", run.id, "--event-id", str(checkpoint.event), "--reason", "again"]
    await temporal(server, "workflow", "reset", *where)
    await travel.client.get_workflow_handle(run.id).result()
    assert agency.calls(run.id) == ["ship", "cabin", "payment", "cabin", "payment"]


async def test_a_run_taken_back_may_end_otherwise(server: DevServer, travel: Travel, agency: Agency) -> None:
    run = await travel.start("Voyage", Trip(place="Crete"))
    await run.result()
    [checkpoint] = await run.query("checkpoints", result_type=list[Checkpoint])
    agency.sell_out(run.id, "payment")
    where = ["--workflow-id", run.id, "--event-id", str(checkpoint.event), "--reason", "again"]
    await temporal(server, "workflow", "reset", *where)
    await failure(travel.client.get_workflow_handle(run.id))
    assert agency.calls(run.id) == ["ship", "cabin", "payment", "cabin", "payment", "no cabin", "no ship"]


async def test_plans_are_made_once_in_a_process(travel: Travel, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    original = compiler._Compiler.compile

    def counted(self: compiler._Compiler) -> Plan:
        made.append(self.cls.__name__)
        return original(self)

    monkeypatch.setattr(compiler._Compiler, "compile", counted)
    for run in [await travel.start("TripPlan", Trip(place="Rome")) for _ in range(20)]:
        await run.result()
    assert made == []


async def test_the_page_shows_where_the_run_stands(server: DevServer, travel: Travel, agency: Agency) -> None:
    run = await travel.start("TripPlan", Trip(place="Rome", slow=("hotel",)))
    await eventually(lambda: travel.statuses(run), lambda now: now["ride"] is StepStatus.DONE)
    printed = await temporal(server, "workflow", "metadata", "--workflow-id", run.id, "-o", "json")
    shown = sections(json.loads(printed)["queryResult"][0]["currentDetails"])
    assert shown["TripPlan"][-1] == ["In mode workflow · 2 of 5 steps done"]
    assert ["▶", "hotel", "Book a hotel."] in [row[:3] for row in shown["Steps"]]
    assert next(row for row in shown["Steps"] if row[1] == "hotel")[3].startswith("since ")
    agency.let_go(run.id, "hotel")
    await run.result()
