"""What the settings of `[execution]` change in runs; and a run keeps to those that it began with."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from infra.config import Config
from infra.errors import SetupError
from infra.signing import make_key
from signals.errors import ErrorType
from signals.messages import Join
from signals.names import WorkflowType
from signals.participants import Participant
from signals.run import Checkpoint
from signals.settings import ConversationSettings, Settings, ValidationLevel, WorkflowSettings
from tests.flows import settled, steps
from tests.flows.settled import Wasteful
from tests.flows.steps import Agency, Trip
from tests.harness import eventually, running_worker
from tests.unit.conversation.talk import ai, person
from tests.workflows.rooms import ANN, BEN, Room
from tests.workflows.talks import Talks
from worker import create_worker
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.workflow import Conversation

Run = WorkflowHandle[object, object]

TALKATIVE = Settings(
    conversation=ConversationSettings(default_coordination="free_form", participant_limit=2, timeout_minutes=5)
)
SIGNED = Settings(conversation=ConversationSettings(signed=True))
PLAIN = Settings(workflow=WorkflowSettings(optimization=False, checkpointing=False))


@pytest.fixture
def agency() -> Agency:
    return Agency()


@pytest.fixture
def worker(client: Client, agency: Agency) -> Callable[..., AbstractAsyncContextManager[str]]:
    """Runs a worker with some settings: on a task queue of its own, or on one that another worker had."""

    def start(execution: Settings, task_queue: str | None = None) -> AbstractAsyncContextManager[str]:
        flows = [*steps.FLOWS, *settled.FLOWS, Conversation]
        return running_worker(client, flows, agency.activities, execution=execution, task_queue=task_queue)

    return start


Worker = Callable[..., AbstractAsyncContextManager[str]]


async def start(client: Client, queue: str, flow: str, request: object) -> Run:
    return await client.start_workflow(flow, request, id=f"test-{uuid4()}", task_queue=queue)


async def left_open(client: Client, queue: str, *participants: Participant, **options: object) -> Room:
    """Open a conversation whose setup says this and leaves the rest to the settings."""
    setup = {"topic": "Lunch?", "participants": participants, **options}
    name = f"test-{uuid4()}"
    await client.start_workflow(
        WorkflowType.CONVERSATION, ConversationSetup.model_validate(setup), id=name, task_queue=queue
    )
    return Room(client, name)


async def checkpoints(run: Run) -> list[str]:
    """The steps that a run can be taken back to."""
    found: list[Checkpoint] = await run.query("checkpoints", result_type=list[Checkpoint])
    return [checkpoint.step for checkpoint in found]


async def called(agency: Agency, run: str) -> list[str]:
    """What a run has had booked."""
    return agency.calls(run)


async def events(run: Run, kind: "EventType.ValueType") -> int:
    """How many events of a kind the history of a run has."""
    return sum(event.event_type == kind for event in (await run.fetch_history()).events)


async def refused(run: Run) -> tuple[str | None, str]:
    """With what a run fails."""
    with pytest.raises(WorkflowFailureError) as failed:
        await run.result()
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause.type, failed.value.cause.message


async def lasts(room: Room) -> timedelta:
    """How long a conversation may last."""
    status = await room.status()
    began = (await room.handle.describe()).start_time
    assert status.due
    return timedelta(seconds=round((status.due - began).total_seconds()))


# Workflow


async def test_under_strict_validation_a_wrong_result_fails_its_step(client: Client, worker: Worker) -> None:
    async with worker(Settings()) as queue:
        run = await start(client, queue, "Doubled", '"ab"')
        with pytest.raises(WorkflowFailureError) as failed:
            await run.result()
    error = failed.value.cause
    assert isinstance(error, ApplicationError)
    assert (error.type, error.message) == (
        ErrorType.INVALID_INPUT,
        "Doubled.number: what it returned is no int: input: Input should be a valid integer",
    )


@pytest.mark.parametrize("level", [ValidationLevel.STANDARD, ValidationLevel.LENIENT])
async def test_under_other_validation_results_travel_on_as_they_are(
    client: Client, worker: Worker, level: ValidationLevel
) -> None:
    async with worker(Settings(workflow=WorkflowSettings(validation_level=level))) as queue:
        run = await start(client, queue, "Doubled", '"ab"')
        assert await run.result() == "abab"


async def test_under_strict_validation_a_workflow_with_warnings_is_refused_when_the_worker_is_built(
    client: Client,
) -> None:
    with pytest.raises(SetupError) as refused:
        create_worker(client, Config(), workflows=[Wasteful], activities=[])
    assert str(refused.value).startswith(
        "[execution.workflow] validation_level: workflows with warnings are refused; mend them, or make it "
        '"standard":\ntests/flows/settled.py:'
    )
    standard = Settings(workflow=WorkflowSettings(validation_level=ValidationLevel.STANDARD))
    assert create_worker(client, Config(execution=standard), workflows=[Wasteful], activities=[])


async def test_a_default_that_no_extension_brings_is_refused_when_the_worker_is_built(client: Client) -> None:
    settings = Settings(conversation=ConversationSettings(default_coordination="lottery"))
    with pytest.raises(SetupError, match=r"^\[execution.conversation\] default_coordination: 'lottery' isn't known; "):
        create_worker(client, Config(execution=settings), workflows=[Conversation], activities=[])


async def test_without_optimization_steps_run_one_after_the_other(
    client: Client, worker: Worker, agency: Agency
) -> None:
    async with worker(PLAIN) as queue:
        run = await start(client, queue, "TripPlan", Trip(place="Rome", slow=("flight",)))
        await eventually(lambda: called(agency, run.id))
        assert await events(run, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) == 1
        agency.let_go(run.id, "flight")
        await run.result()
    assert agency.calls(run.id) == ["flight", "hotel", "ride", "notice"]


async def test_without_checkpointing_no_moment_is_noted(client: Client, worker: Worker) -> None:
    async with worker(Settings()) as queue:
        run = await start(client, queue, "Voyage", Trip(place="Oslo"))
        await run.result()
        assert await checkpoints(run) == ["ship"]
    async with worker(PLAIN) as queue:
        run = await start(client, queue, "Voyage", Trip(place="Oslo"))
        await run.result()
        assert await checkpoints(run) == []


# Conversation


async def test_a_conversation_that_does_not_say_is_as_the_settings_say(client: Client, worker: Worker) -> None:
    async with worker(TALKATIVE) as queue:
        room = await left_open(client, queue, ANN)
        await room.until(lambda status: status.floor is None)
        assert await lasts(room) == timedelta(minutes=5)
        await room.submit(Join(participant=person("ben")))
        refused = await room.refusal("submit_join", Join(participant=person("carol")))
        assert refused.type == ErrorType.PARTICIPANT_LIMIT
        await room.close()


async def test_a_conversation_that_says_is_as_it_says(client: Client, worker: Worker) -> None:
    async with worker(TALKATIVE) as queue:
        constraints = {"timeout_seconds": 60, "participant_limit": 3}
        said = {"coordination": {"kind": "turn_based"}, "constraints": constraints, "signed": False}
        room = await left_open(client, queue, ANN, **said)
        assert (await room.until(lambda status: status.floor == "ann")).open
        assert await lasts(room) == timedelta(minutes=1)
        assert await events(room.handle, EventType.EVENT_TYPE_MARKER_RECORDED) == 0
        await room.close()


async def test_a_run_settles_the_conversations_that_it_opens(client: Client, worker: Worker) -> None:
    async with worker(TALKATIVE) as queue:
        talks = Talks(client, queue)
        run = await start(client, queue, "Lunch", "Pizza?")
        [opened] = await talks.opened(run)
        room = Room(client, opened.id)
        assert (await room.status()).floor is None
        assert await lasts(room) == timedelta(minutes=5)
        # The child asks for nothing: it was told all.
        assert await events(room.handle, EventType.EVENT_TYPE_MARKER_RECORDED) == 0
        await talks.decide(opened.id, "pizza")
        assert await run.result() == "pizza"


async def test_settings_that_do_not_suit_a_conversation_end_it_with_the_reason(client: Client, worker: Worker) -> None:
    async with worker(Settings(conversation=ConversationSettings(participant_limit=1))) as queue:
        room = await left_open(client, queue, ANN, BEN)
        assert await refused(room.handle) == (
            ErrorType.INVALID_INPUT,
            "input: participants: 2 are more than constraints.participant_limit (1)",
        )


async def test_where_people_must_sign_a_setup_with_somebody_who_has_no_key_is_refused(
    client: Client, worker: Worker, tmp_path: Path
) -> None:
    ann = ANN.model_copy(update={"key": make_key(tmp_path / "ann.pem").public_key})
    rest = {"coordination": {"kind": "free_form"}, "constraints": {"timeout_seconds": 60, "participant_limit": 3}}
    async with worker(SIGNED) as queue:
        for options in ({}, rest):
            room = await left_open(client, queue, ann, BEN, **options)
            assert await refused(room.handle) == (
                ErrorType.INVALID_INPUT,
                "input: participants: 'ben' has no key, and people must sign here; give them one",
            )
            room = await left_open(client, queue, ann, **options)
            await room.say("ann", "without")
            await room.rejections(1)
            await room.handle.terminate()
        room = await left_open(client, queue, ann, BEN, **rest, signed=False)
        await room.say("ben", "without")
        assert await room.said(1) == [("ben", "without")]
        await room.handle.terminate()


async def test_where_people_must_sign_a_run_says_whose_key_it_lacks(client: Client, worker: Worker) -> None:
    async with worker(SIGNED) as queue:
        run = await start(client, queue, "Lunch", "Pizza?")
        kind, message = await refused(run)
    assert kind == ErrorType.INVALID_INPUT
    assert message.endswith("has no key, and people must sign here; give them one")


# What a run may need before long


async def test_a_run_says_when_it_begins_which_models_may_be_asked(client: Client) -> None:
    expected: list[Sequence[str | None]] = []
    async with running_worker(client, [*settled.FLOWS, Conversation], expect=expected.append) as queue:
        silent = await start(client, queue, "Doubled", "2")
        await silent.result()
        lunch = await start(client, queue, "Lunch", "Pizza?")
        await Talks(client, queue).opened(lunch)
        bot = ai("bot").model_copy(update={"model": "openai:gpt-5"})
        room = await left_open(client, queue, ANN, bot, ai("rob"), ai("rub"))
        await room.until(lambda status: status.open)
        await lunch.terminate()
        await room.handle.terminate()
    assert expected == [(), (None,), ("openai:gpt-5", None)]


# Pinned


async def test_what_a_run_depends_on_costs_it_one_event(client: Client, worker: Worker) -> None:
    async with worker(Settings()) as queue:
        run = await start(client, queue, "Doubled", "2")
        assert await run.result() == 4
    kinds = [EventType.Name(event.event_type) for event in (await run.fetch_history()).events]
    assert kinds == [
        "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
        "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
        "EVENT_TYPE_WORKFLOW_TASK_STARTED",
        "EVENT_TYPE_WORKFLOW_TASK_COMPLETED",
        "EVENT_TYPE_MARKER_RECORDED",
        "EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
        "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED",
    ]


async def test_a_run_goes_on_by_the_settings_it_began_with(client: Client, worker: Worker, agency: Agency) -> None:
    async with worker(PLAIN) as queue:
        run = await start(client, queue, "Voyage", Trip(place="Oslo", slow=("ship",)))
        await eventually(lambda: called(agency, run.id))
        agency.let_go(run.id, "ship")
        await eventually(lambda: events(run, EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED))
    async with worker(Settings(), queue):
        await run.result()
        assert await checkpoints(run) == []
        later = await start(client, queue, "Voyage", Trip(place="Oslo"))
        await later.result()
        assert await checkpoints(later) == ["ship"]


async def test_a_conversation_goes_on_by_the_settings_it_began_with_also_as_new(client: Client, worker: Worker) -> None:
    async with worker(TALKATIVE) as queue:
        room = await left_open(client, queue, ANN, person("ben"), history_events=50)
        await room.say("ben", "Hello?")
        await room.taken(1)
    async with worker(Settings(), queue):
        for number in range(2, 15):
            await room.say("ben", f"Nobody there? ({number})")
            await room.taken(number)
        assert len(await room.runs()) > 1
        assert (await room.status()).floor is None
        refused = await room.refusal("submit_join", Join(participant=person("carol")))
        assert refused.type == ErrorType.PARTICIPANT_LIMIT
        await room.close()
