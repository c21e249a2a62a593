"""Bad input on the real server: refused at once, in one line that says what is wrong; nothing sticks."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from infra.boundary import MAX_PAYLOAD_BYTES
from infra.devserver import DevServer
from signals.errors import ErrorType
from tests.flows import boundary
from tests.flows.boundary import Depot, Fill, Keep, Mistaken, Parcel, Ship, ShipSoon, Sweep
from tests.harness import CommandError, running_worker, temporal

GOOD = '{"id": "P-1", "weight": 2}'
NOT_JSON = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"{oops"))
TASK_FAILED = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED


@pytest.fixture(scope="module")
async def task_queue(client: Client) -> AsyncIterator[str]:
    async with running_worker(client, boundary.FLOWS, boundary.ACTIVITIES) as name:
        yield name


class Shell:
    """Starts runs and sends messages through the real command line."""

    def __init__(self, server: DevServer, client: Client, task_queue: str) -> None:
        self.server = server
        self.client = client
        self.task_queue = task_queue

    async def start(self, flow: type, *inputs: str, encoding: str | None = None) -> WorkflowHandle[object, object]:
        """Start a run, each input as the command line takes it."""
        run = f"test-{uuid4()}"
        arguments = ["--workflow-id", run, "--type", flow.__name__, "--task-queue", self.task_queue]
        if encoding:
            arguments += ["--input-meta", f"encoding={encoding}"]
        await temporal(self.server, "workflow", "start", *arguments, *_inputs(inputs))
        return self.client.get_workflow_handle(run)

    async def result(self, flow: type, *inputs: str) -> object:
        """Start a run and wait for its result."""
        return await (await self.start(flow, *inputs)).result()

    async def refusal(self, flow: type, *inputs: str, encoding: str | None = None) -> str:
        """Start a run that must fail in its first task; gives the reason."""
        return await refusal(await self.start(flow, *inputs, encoding=encoding))

    async def signal(self, run: WorkflowHandle[object, object], name: str, *inputs: str) -> None:
        """Send a signal."""
        await temporal(self.server, "workflow", "signal", "--workflow-id", run.id, "--name", name, *_inputs(inputs))

    async def update(self, run: WorkflowHandle[object, object], name: str, *inputs: str) -> str:
        """Send an update; gives what was printed."""
        arguments = ["--workflow-id", run.id, "--name", name, *_inputs(inputs)]
        return await temporal(self.server, "workflow", "update", "execute", *arguments)


def _inputs(inputs: tuple[str, ...]) -> list[str]:
    return [part for text in inputs for part in ("--input", text)]


async def refusal(run: WorkflowHandle[object, object]) -> str:
    with pytest.raises(WorkflowFailureError) as failure:
        await run.result()
    cause = failure.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == ErrorType.INVALID_INPUT
    assert cause.cause is None
    history = await run.fetch_history()
    assert TASK_FAILED not in [event.event_type for event in history.events]
    assert "\n" not in cause.message
    return cause.message.removeprefix(f"{ErrorType.INVALID_INPUT}: ")


@pytest.fixture
def shell(server: DevServer, client: Client, task_queue: str) -> Shell:
    return Shell(server, client, task_queue)


async def test_input_that_fits_is_taken(shell: Shell) -> None:
    assert await shell.result(Ship, GOOD) == "shipped P-1"


async def test_a_missing_field_is_named(shell: Shell) -> None:
    assert await shell.refusal(Ship, '{"id": "P-1"}') == "weight: Field required"


async def test_a_wrong_type_is_named_without_the_value(shell: Shell) -> None:
    reason = await shell.refusal(Ship, '{"id": "P-1", "weight": "secret"}')
    assert reason == "weight: Input should be a valid integer, unable to parse string as an integer"


async def test_an_unknown_field_is_named(shell: Shell) -> None:
    assert await shell.refusal(Ship, '{"id": "P-1", "weight": 2, "colour": "red"}') == (
        "colour: Extra inputs are not permitted"
    )


async def test_no_input_is_refused(shell: Shell) -> None:
    assert await shell.refusal(Ship) == "Ship takes 1 input (Parcel), 0 were given"


async def test_two_inputs_are_refused(shell: Shell) -> None:
    assert await shell.refusal(Ship, GOOD, GOOD) == "Ship takes 1 input (Parcel), 2 were given"


async def test_a_null_is_refused(shell: Shell) -> None:
    assert await shell.refusal(Ship, "null") == "input: Input should be an object"


async def test_a_binary_null_is_refused(shell: Shell) -> None:
    assert await shell.refusal(Ship, "", encoding="binary/null") == "input: Input should be an object"


async def test_what_is_not_json_is_refused_by_the_command_line(shell: Shell) -> None:
    with pytest.raises(CommandError, match="input #1 is not valid JSON"):
        await shell.start(Ship, "{oops")


async def test_what_is_not_json_is_refused_by_the_run_where_another_client_sends_it(
    client: Client, task_queue: str
) -> None:
    run = await client.start_workflow("Ship", NOT_JSON, id=f"test-{uuid4()}", task_queue=task_queue)
    assert await refusal(run) == "input: Invalid JSON: key must be a string at line 1 column 2"


@pytest.mark.parametrize("encoding", ["odd", "json/protobuf"])
async def test_another_encoding_is_refused(shell: Shell, encoding: str) -> None:
    reason = await shell.refusal(Ship, GOOD, encoding=encoding)
    assert reason == f"input: the payload's encoding is {encoding}, it must be json/plain"


async def test_bytes_are_refused(shell: Shell) -> None:
    reason = await shell.refusal(Ship, "abc", encoding="binary/plain")
    assert reason == "input: Input should be a valid dictionary or instance of Parcel"


async def test_an_input_for_what_takes_none_is_refused(shell: Shell) -> None:
    assert await shell.refusal(Sweep, "1") == "no input is taken, 1 was given"


async def test_an_optional_input_may_be_left_out(shell: Shell) -> None:
    assert await shell.result(ShipSoon, GOOD) == "shipped P-1 in 3"


async def test_the_first_input_is_held_to_its_type_where_the_second_is_left_out(shell: Shell) -> None:
    assert await shell.refusal(ShipSoon, '{"id": "P-1"}') == "weight: Field required"


async def test_of_several_inputs_the_wrong_one_is_told(shell: Shell) -> None:
    reason = await shell.refusal(ShipSoon, GOOD, '"soon"')
    assert reason == "input 2: input: Input should be a valid integer, unable to parse string as an integer"


async def test_too_many_inputs_say_how_many_may_be_given(shell: Shell) -> None:
    assert await shell.refusal(ShipSoon, GOOD, "1", "2") == "ShipSoon takes 1 to 2 inputs (Parcel, int), 3 were given"


async def test_what_can_be_anything_is_never_refused(client: Client, task_queue: str) -> None:
    odd = RawValue(Payload(metadata={"encoding": b"odd"}, data=b"?"))
    assert await client.execute_workflow(Keep.run, odd, id=f"test-{uuid4()}", task_queue=task_queue) == "RawValue"


async def test_a_handler_that_takes_anything_sees_every_signal(shell: Shell) -> None:
    run = await shell.start(Depot)
    await shell.signal(run, "anything")
    await shell.signal(run, "anything", "1", '{"a": 2}')
    await run.signal("anything", NOT_JSON)
    await shell.signal(run, "close")
    assert await run.result() == ["[]", "[1, {'a': 2}]", "[raw]"]


@pytest.mark.parametrize("name", ["typed", "typed_later"])
async def test_a_typed_signal_that_does_not_fit_does_no_harm(shell: Shell, name: str) -> None:
    run = await shell.start(Depot)
    for inputs in ((), ("{}",), (GOOD, GOOD), (GOOD,)):
        await shell.signal(run, name, *inputs)
    await shell.signal(run, "close")
    assert await run.result() == ["P-1"]


@pytest.mark.parametrize("name", ["store", "store_checked", "store_later"])
async def test_an_update_that_does_not_fit_answers_with_the_reason(shell: Shell, name: str) -> None:
    run = await shell.start(Depot)
    with pytest.raises(CommandError, match="weight: Field required"):
        await shell.update(run, name, '{"id": "P-1"}')
    with pytest.raises(CommandError, match=rf"{name} takes 1 input \(Parcel\), 2 were given"):
        await shell.update(run, name, GOOD, GOOD)
    assert "P-1" in await shell.update(run, name, GOOD)
    await shell.signal(run, "close")
    assert await run.result() == ["P-1"]


async def test_a_query_with_too_many_inputs_says_how_many_it_takes(shell: Shell) -> None:
    run = await shell.start(Depot)
    with pytest.raises(WorkflowQueryFailedError, match=r"has takes 1 input \(str\), 2 were given"):
        await run.query("has", args=["P-1", "P-2"])
    await shell.signal(run, "close")


async def test_an_update_refused_by_a_validator_leaves_no_history(shell: Shell) -> None:
    run = await shell.start(Depot)
    with pytest.raises(WorkflowUpdateFailedError):
        await run.execute_update("store_checked", args=[1, 2])
    await shell.signal(run, "close")
    await run.result()
    events = {event.event_type for event in (await run.fetch_history()).events}
    assert EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED not in events


@pytest.mark.parametrize("way", ["activity input", "continue as new", "result"])
async def test_what_is_too_large_to_send_fails_the_run(shell: Shell, way: str) -> None:
    assert "at most 1,900,000 can be sent" in await shell.refusal(Fill, f'"{way}"', str(MAX_PAYLOAD_BYTES))


async def test_an_activity_s_result_that_is_too_large_fails_the_activity(shell: Shell) -> None:
    run = await shell.start(Fill, '"activity result"', str(MAX_PAYLOAD_BYTES))
    with pytest.raises(WorkflowFailureError) as failure:
        await run.result()
    error = failure.value.cause
    assert isinstance(error, ActivityError)
    assert isinstance(error.cause, ApplicationError)
    assert (error.cause.type, error.cause.non_retryable) == (ErrorType.INVALID_INPUT, True)


async def test_what_can_just_be_sent_is_sent(shell: Shell) -> None:
    size = MAX_PAYLOAD_BYTES - 1000
    for way in ("activity input", "activity result"):
        assert await shell.result(Fill, f'"{way}"', str(size)) == "x" * size


async def test_an_activity_s_input_that_does_not_fit_is_told_and_may_be_tried_again(shell: Shell) -> None:
    run = await shell.start(Mistaken, '"input"')
    with pytest.raises(WorkflowFailureError) as failure:
        await run.result()
    error = failure.value.cause
    assert isinstance(error, ActivityError)
    assert isinstance(error.cause, ApplicationError)
    assert not error.cause.non_retryable
    assert "weight: Input should be greater than 0" in str(error.cause.cause)


async def test_an_activity_s_result_that_does_not_fit_leaves_the_run_to_a_worker_that_knows_better(
    shell: Shell,
) -> None:
    run = await shell.start(Mistaken, '"result"')
    async for event in run.fetch_history_events(wait_new_event=True):
        if event.event_type == TASK_FAILED:
            failure = event.workflow_task_failed_event_attributes.failure
            assert failure.cause.message == "input: Input should be an object"
            break
    description = await run.describe()
    assert description.status is not None
    assert description.status.name == "RUNNING"
    await run.terminate()


async def test_a_client_is_told_what_does_not_fit_before_anything_is_sent(client: Client, task_queue: str) -> None:
    heavy = Parcel(id="x" * MAX_PAYLOAD_BYTES, weight=1)
    with pytest.raises(ApplicationError, match="at most 1,900,000 can be sent"):
        await client.start_workflow(Ship.run, heavy, id=f"test-{uuid4()}", task_queue=task_queue)
