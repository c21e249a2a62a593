"""Bad input to the project's own workflows, on the real server: told with its reason, and the run goes on."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import JsonValue
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError, WorkflowQueryFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from infra.devserver import DevServer
from signals.errors import ErrorType
from signals.messages import Answer, Disposition, Turn
from signals.names import WorkflowType
from signals.wire import MAX_TEXT_BYTES
from tests.harness import CommandError, running_worker, temporal
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Room, Rooms
from workflows.conversation.workflow import Conversation
from workflows.support.customer_support import CustomerSupport
from workflows.support.refund import Refund

NOT_JSON = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"{oops"))
BYTES = RawValue(Payload(metadata={"encoding": b"binary/plain"}, data=b"\xff"))
TASK_FAILED = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
TOO_LONG = "x" * 17 * 1024
MB_3 = 3 * 1024 * 1024

Json = dict[str, JsonValue]

FIRST: Json = {"id": "ann", "kind": "human", "role": "guest", "can": ["speak", "decide", "moderate"]}
SECOND: Json = {"id": "ben", "kind": "human", "role": "guest"}
SETUP: Json = {"topic": "Lunch?", "participants": [FIRST, SECOND]}
SUPPORT: Json = {"customer": {"id": "C-1", "name": "Ann", "email": "ann@example.com"}, "text": "Where is my order?"}
REFUND: Json = {"order_id": "ORD-1234", "customer_id": "C-1"}


@pytest.fixture(scope="module")
async def rooms(client: Client) -> AsyncIterator[Rooms]:
    async with running_worker(client, [Conversation, CustomerSupport, Refund]) as task_queue:
        yield Rooms(client, task_queue)


@pytest.fixture
async def room(rooms: Rooms) -> AsyncIterator[Room]:
    """A conversation of Ann and Ben, which must go on whatever happens to it."""
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM, outcome={"type": "string"})
    yield room
    turns = (await room.status()).turns
    await room.say("ben", "it goes on")
    assert (await room.said(turns + 1))[-1] == ("ben", "it goes on")
    assert await room.events(TASK_FAILED) == []
    await room.close()


# Starts


@pytest.mark.parametrize(
    ("flow", "inputs", "reason"),
    [
        ("Conversation", [{"topic": "Lunch?"}], "participants: Field required"),
        ("Conversation", [SETUP | {"topic": 7}], "topic: Input should be a valid string"),
        ("Conversation", [SETUP | {"colour": "red"}], "colour: Extra inputs are not permitted"),
        ("Conversation", [SETUP | {"topic": " "}], "topic: String should have at least 1 character"),
        (
            "Conversation",
            [SETUP | {"participants": [FIRST, SECOND, FIRST]}],
            "input: participants: 'ann' is named twice; give each an id of its own",
        ),
        ("Conversation", [SETUP | {"participants": [SECOND]}], "input: emergence.0.kind: nobody may decide"),
        (
            "Conversation",
            [SETUP | {"coordination": {"kind": "shout"}}],
            "coordination: 'kind' must be one of 'turn_based'",
        ),
        ("Conversation", [SETUP | {"outcome": {"type": "colour"}}], "input: outcome is not a JSON Schema"),
        ("Conversation", [], "Conversation takes 1 to 2 inputs (ConversationSetup, ConversationState | None), 0 were"),
        ("Conversation", [SETUP, {"seq": 1}], "input 2: "),
        ("Conversation", [SETUP, None, None], "Conversation takes 1 to 2 inputs"),
        ("Conversation", [NOT_JSON], "input: Invalid JSON"),
        ("CustomerSupport", [{"text": "hello"}], "customer: Field required"),
        ("CustomerSupport", [SUPPORT | {"customer": {"id": "C-1", "name": "Ann"}}], "customer.email: Field required"),
        ("CustomerSupport", [SUPPORT | {"text": ["hello"]}], "text: Input should be a valid string"),
        ("CustomerSupport", [SUPPORT | {"colour": "red"}], "colour: Extra inputs are not permitted"),
        (
            "CustomerSupport",
            [],
            "CustomerSupport takes 1 to 2 inputs (SupportRequest, UniversalContext | None), 0 were given",
        ),
        (
            "CustomerSupport",
            [SUPPORT, None, SUPPORT],
            "CustomerSupport takes 1 to 2 inputs (SupportRequest, UniversalContext | None), 3 were given",
        ),
        ("CustomerSupport", [None], "input: Input should be an object"),
        ("CustomerSupport", ["hello"], "input: Input should be an object"),
        ("CustomerSupport", [NOT_JSON], "input: Invalid JSON"),
        ("Refund", [{"customer_id": "C-1"}], "order_id: Field required"),
        ("Refund", [REFUND | {"amount": "much"}], "amount: Input should be a valid decimal"),
        ("Refund", [REFUND | {"amount": "-1"}], "amount: Input should be greater than 0"),
        ("Refund", [], "Refund takes 1 to 2 inputs (RefundRequest, UniversalContext | None), 0 were given"),
        ("Refund", [NOT_JSON], "input: Invalid JSON"),
    ],
)
async def test_a_start_that_does_not_fit_fails_at_once_with_one_line(
    rooms: Rooms, flow: str, inputs: list[object], reason: str
) -> None:
    run = await rooms.client.start_workflow(flow, args=inputs, id=f"test-{uuid4()}", task_queue=rooms.task_queue)
    with pytest.raises(WorkflowFailureError) as failure:
        await run.result()
    cause = failure.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == ErrorType.INVALID_INPUT
    assert cause.message.removeprefix("InvalidInput: ").startswith(reason)
    assert "\n" not in cause.message
    assert TASK_FAILED not in [event.event_type for event in (await run.fetch_history()).events]


# Messages, as signals and as updates


MISFITS = [
    ("turn", [{"speaker": "zoe", "text": "hello"}], ErrorType.NOT_A_PARTICIPANT, "'zoe' is not a participant"),
    ("turn", [{"speaker": "ann", "text": ""}], ErrorType.INVALID_INPUT, "text: String should have at least 1"),
    ("turn", [{"speaker": "ann", "text": " \n\t"}], ErrorType.INVALID_INPUT, "text: String should have at least 1"),
    ("turn", [{"speaker": "ann", "text": TOO_LONG}], ErrorType.INVALID_INPUT, "text: text has 17,408 bytes, at most"),
    ("turn", [{"speaker": "ann", "text": "hi", "colour": "red"}], ErrorType.INVALID_INPUT, "colour: Extra inputs"),
    ("turn", [{"text": "hi"}], ErrorType.INVALID_INPUT, "speaker: Field required"),
    ("turn", [{"speaker": "an n", "text": "hi"}], ErrorType.INVALID_INPUT, "speaker: String should match pattern"),
    ("turn", [{"speaker": "ann", "text": "hi", "to": ["zoe"]}], ErrorType.INVALID_INPUT, "to: 'zoe' is not a part"),
    ("turn", ["hello"], ErrorType.INVALID_INPUT, "input: Input should be a valid dictionary"),
    ("turn", [None], ErrorType.INVALID_INPUT, "input: Input should be a valid dictionary"),
    ("turn", [], ErrorType.INVALID_INPUT, "'turn' takes one JSON object, 0 inputs were sent"),
    ("turn", [{}, {}], ErrorType.INVALID_INPUT, "'turn' takes one JSON object, 2 inputs were sent"),
    ("turn", [NOT_JSON], ErrorType.INVALID_INPUT, "'turn' takes a JSON object; what was sent isn't JSON"),
    ("turn", [BYTES], ErrorType.INVALID_INPUT, "input: Input should be a valid dictionary"),
    ("join", [{"participant": SECOND | {"role": "boss"}}], ErrorType.INVALID_INPUT, "'ben' takes part already"),
    ("join", [{"participant": {"id": "zoe"}}], ErrorType.INVALID_INPUT, "participant.kind: Field required"),
    ("propose", [{"speaker": "ben", "outcome": 7}], ErrorType.OUTCOME_INVALID, 'outcome: 7 is not of type "string"'),
    ("propose", [{"speaker": "ben"}], ErrorType.INVALID_INPUT, "outcome: Field required"),
    ("vote", [{"speaker": "ben", "proposal": 3, "approve": True}], ErrorType.INVALID_INPUT, "there is no proposal 3"),
    ("interrupt", [{"speaker": "ann"}], ErrorType.INVALID_INPUT, "no AI participant is replying now"),
    ("close", [{"speaker": "ben"}], ErrorType.NOT_PERMITTED, "'ben' needs the permission 'moderate'"),
]

misfits = pytest.mark.parametrize(("signal", "inputs", "error", "reason"), MISFITS)


@misfits
async def test_a_signal_that_is_not_accepted_is_kept_as_a_rejection(
    room: Room, signal: str, inputs: list[object], error: ErrorType, reason: str
) -> None:
    await room.handle.signal(signal, args=inputs)
    [rejection] = (await room.rejections(1)).recent
    assert (rejection.signal, rejection.type) == (signal, error)
    assert rejection.reason.startswith(reason)


@misfits
async def test_an_update_that_is_not_accepted_answers_with_the_reason(
    room: Room, signal: str, inputs: list[object], error: ErrorType, reason: str
) -> None:
    refusal = await room.refusal(f"submit_{signal}", *inputs)
    assert (refusal.type, refusal.non_retryable) == (error, True)
    assert refusal.message.startswith(reason)


async def test_an_unknown_signal_is_kept_as_a_rejection(room: Room) -> None:
    await room.handle.signal("shout", args=[1, NOT_JSON])
    [rejection] = (await room.rejections(1)).recent
    assert (rejection.signal, rejection.speaker, rejection.type) == ("shout", None, ErrorType.INVALID_INPUT)
    assert rejection.reason.startswith("there is no signal of this name; there are: turn, join")


async def test_an_unknown_update_is_refused(room: Room) -> None:
    refusal = await room.refusal("submit_shout", 1)
    assert "known updates: [submit_close " in refusal.message


async def test_the_longest_text_is_taken(room: Room) -> None:
    text = "x" * MAX_TEXT_BYTES
    assert (await room.submit(Turn(speaker="ann", text=text))).disposition is Disposition.RECORDED


async def test_the_same_id_twice_is_no_error(room: Room) -> None:
    turn = Turn(speaker="ann", text="hello", id="m-1")
    for _ in range(2):
        await room.send(turn)
    assert await room.submit(turn) == Answer(disposition=Disposition.DUPLICATE, seq=1)
    assert (await room.status()).rejections == 0


# Queries


@pytest.mark.parametrize(
    ("query", "inputs", "reason"),
    [
        ("transcript", ["zoe"], "'zoe' is not a participant"),
        ("transcript", [7], "input: Input should be a valid string"),
        ("transcript", [NOT_JSON], "input: Invalid JSON"),
        ("transcript", ["ann", "ben"], "were given"),
        ("status", ["ann"], "no input is taken, 1 was given"),
        ("weather", [], "Query handler for 'weather' expected but not found"),
    ],
)
async def test_a_query_that_does_not_fit_answers_with_the_reason(
    room: Room, query: str, inputs: list[object], reason: str
) -> None:
    with pytest.raises(WorkflowQueryFailedError) as refused:
        await room.handle.query(query, args=inputs)
    assert reason in str(refused.value)


# The command line


class Shell:
    """The command line, with inputs too long for it in files."""

    def __init__(self, server: DevServer, folder: Path) -> None:
        self.server = server
        self.folder = folder

    async def run(self, *arguments: str) -> str:
        """Run a command of `temporal workflow` that must fail; gives what it said."""
        with pytest.raises(CommandError) as refused:
            await temporal(self.server, "workflow", *arguments)
        return str(refused.value)

    def large(self) -> list[str]:
        """The options of an input of 3 MB."""
        file = self.folder / "large.json"
        file.write_text(json.dumps({"speaker": "ann", "text": "x" * MB_3}))
        return ["--input-file", str(file)]


@pytest.fixture
def shell(server: DevServer, tmp_path: Path) -> Shell:
    return Shell(server, tmp_path)


async def test_what_is_not_json_is_refused_by_the_command_line(shell: Shell, room: Room) -> None:
    message = ["--workflow-id", room.id, "--input", "{oops", "--name"]
    for command in (["signal", *message, "turn"], ["update", "execute", *message, "submit_turn"]):
        assert "is not valid JSON" in await shell.run(*command)
    start = ["start", "--type", "Conversation", "--task-queue", "any", "--input", "{oops"]
    assert "is not valid JSON" in await shell.run(*start)


async def test_a_turn_of_3_mb_is_refused_by_the_server(shell: Shell, room: Room) -> None:
    message = ["--workflow-id", room.id, *shell.large(), "--name"]
    assert "Blob data size exceeds limit" in await shell.run("signal", *message, "turn")
    assert "Unable to perform workflow execution update" in await shell.run(
        "update", "execute", *message, "submit_turn"
    )
    assert [event.event_type for event in await room.events()].count(TASK_FAILED) == 0


async def test_a_turn_of_3_mb_is_refused_by_the_project_s_own_client(room: Room) -> None:
    large = {"speaker": "ann", "text": "x" * MB_3}
    with pytest.raises(ApplicationError, match="at most 1,900,000 can be sent"):
        await room.handle.signal("turn", large)
    with pytest.raises(ApplicationError, match="at most 1,900,000 can be sent"):
        await room.handle.execute_update("submit_turn", large)


async def test_a_start_of_3_mb_is_refused_by_the_server(shell: Shell, rooms: Rooms) -> None:
    start = ["start", "--type", WorkflowType.CONVERSATION, "--task-queue", rooms.task_queue]
    assert "Blob data size exceeds limit" in await shell.run(*start, *shell.large())


async def test_a_turn_after_the_end_is_refused_by_the_server(shell: Shell, rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN)
    await room.close()
    message = ["--workflow-id", room.id, "--input", '{"speaker": "ann", "text": "hello?"}', "--name"]
    for command in (["signal", *message, "turn"], ["update", "execute", *message, "submit_turn"]):
        assert "workflow execution already completed" in await shell.run(*command)
