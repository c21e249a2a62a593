"""`temporal parley transcript`: everything that was said, read back from the chain of histories."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError

from infra.connection import connect
from infra.devserver import DevServer
from infra.transcripts import chain_of, chapters
from signals.conversation import MessageKind, Recorded
from signals.messages import Propose, Turn
from tests.harness import eventually, running_worker
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Room, Rooms, setup_of
from tests.workflows.shell import Spoken, command
from tests.workflows.test_conversation_length import carried
from workflows.conversation.workflow import Conversation

SHORT = 50
"""The lowest bound on the events of a run."""

DELETING_SOON = (
    # A run is deleted when the server's queues have noted that they are done with it: by default after half a minute.
    *("--dynamic-config-value", 'history.transferProcessorUpdateAckInterval="100ms"'),
    *("--dynamic-config-value", 'history.visibilityProcessorUpdateAckInterval="100ms"'),
)


@pytest.fixture(scope="module")
async def rooms(client: Client) -> AsyncIterator[Rooms]:
    async with running_worker(client, [Conversation]) as task_queue:
        yield Rooms(client, task_queue)


async def talked(rooms: Rooms, turns: int, **options: object) -> Room:
    """A conversation in which so many turns were taken."""
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM, history_events=SHORT, **options)
    for number in range(turns):
        await room.say(("ann", "ben")[number % 2], f"turn {number}")
    await room.taken(turns)
    return room


async def read(room: Room) -> list[Recorded]:
    """All messages, as they are read back."""
    chain = await chain_of(room.client, room.id)
    return [message async for chapter in chapters(room.client, chain) for message in chapter.messages]


def texts(messages: list[Recorded]) -> list[str]:
    return [message.text for message in messages if message.kind is MessageKind.TURN]


async def transcript(server: DevServer, *words: str) -> Spoken:
    return await command(server, "transcript", *words)


async def test_a_transcript_over_many_runs_is_what_was_sent(rooms: Rooms, server: DevServer) -> None:
    room = await talked(rooms, 150, window=5)
    await room.close()
    assert len(await room.runs()) > 2
    shown = await transcript(server, room.id, "--json")
    messages = [Recorded.model_validate_json(line) for line in shown.output.splitlines()]
    assert texts(messages) == [f"turn {number}" for number in range(150)]
    assert [message.seq for message in messages] == list(range(1, len(messages) + 1))
    assert (shown.status, messages[-1].kind) == (0, MessageKind.SYSTEM)


async def test_an_open_conversation_is_read_up_to_now(rooms: Rooms) -> None:
    room = await talked(rooms, 20)
    assert texts(await read(room)) == [f"turn {number}" for number in range(20)]
    await room.close()


async def test_what_is_not_yet_taken_is_not_yet_in_it(client: Client) -> None:
    room = await Rooms(client, "nobody-serves-this").open()
    await room.say("ann", "hello?")
    assert await read(room) == []
    await room.handle.terminate()
    assert await read(room) == []


async def test_signals_that_came_after_the_last_task_do_no_harm(client: Client) -> None:
    async with running_worker(client, [Conversation]) as task_queue:
        room = await Rooms(client, task_queue).open(ANN, BEN, coordination=FREE_FORM)
        await room.say("ann", "hello")
        await room.taken(1)
    await room.say("ben", "anybody there?")
    assert texts(await read(room)) == ["hello"]
    await room.handle.terminate()
    assert texts(await read(room)) == ["hello"]


async def test_a_signal_that_started_it_is_in_it(rooms: Rooms, client: Client) -> None:
    handle = await client.start_workflow(
        "Conversation",
        setup_of(),
        id="begun-by-a-turn",
        task_queue=rooms.task_queue,
        start_signal="turn",
        start_signal_args=[Turn(speaker="ann", text="first")],
    )
    room = Room(client, handle.id)
    await room.taken(1)
    assert texts(await read(room)) == ["first"]
    await room.close()


async def test_of_a_conversation_that_was_reset_what_counts_is_what_stands_now(rooms: Rooms, client: Client) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM)
    for number in range(3):
        await room.say("ann", f"turn {number}")
        await room.taken(number + 1)
    tasks = await room.events(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=room.id),
            reason="a turn too many",
            request_id="reset",
            workflow_task_finish_event_id=tasks[-2].event_id,
            reset_reapply_exclude_types=[ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL],
        )
    )
    await room.until(lambda status: status.turns == 2)
    await room.say("ann", "after the reset")
    await room.until(lambda status: status.turns == 3)
    assert texts(await read(room)) == ["turn 0", "turn 1", "after the reset"]
    await room.close()


async def test_where_old_runs_are_gone_it_shows_what_is_left_and_says_so() -> None:
    async with (
        DevServer(extra=DELETING_SOON) as server,
        running_worker(await connect(server.address), [Conversation]) as task_queue,
    ):
        await shows_what_is_left(Rooms(await connect(server.address), task_queue), server)


async def shows_what_is_left(rooms: Rooms, server: DevServer) -> None:
    room = await talked(rooms, 90, window=5)
    first, *others = await room.runs()
    await delete(room, first.run_id)
    shown = await transcript(server, room.id)
    begun = int(shown.output.split()[0].removeprefix("#"))
    assert begun == carried(others[0]).messages[0].seq  # what the oldest run that is left took along
    assert [line.rpartition(": ")[2] for line in shown.output.splitlines()] == [
        f"turn {n}" for n in range(begun - 1, 90)
    ]
    assert (shown.status, shown.errors) == (
        2,
        f"parley: messages 1 to {begun - 1} of '{room.id}' are gone: the server keeps the run {first.run_id} no longer"
        " (the namespace's retention says how long it does)\n",
    )
    await room.close()


async def delete(room: Room, run_id: str) -> None:
    """Delete a run, and wait until it is gone."""
    await room.client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=room.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=room.id, run_id=run_id),
        )
    )

    async def gone() -> bool:
        try:
            await room.client.get_workflow_handle(room.id, run_id=run_id).describe()
        except RPCError:
            return True
        return False

    await eventually(gone)


async def test_a_participant_s_transcript_is_what_they_were_given(rooms: Rooms, server: DevServer) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM, routing={"kind": "addressed"})
    await room.send(Turn(speaker="ann", text="to all"))
    await room.send(Turn(speaker="ann", text="to myself", to=("ann",)))
    await room.send(Propose(speaker="ben", outcome="tea"))
    await room.until(lambda status: status.messages >= 3)
    mine, all_of_it = await asyncio.gather(transcript(server, room.id, "--for", "ben"), transcript(server, room.id))
    assert "to all" in mine.output
    assert "to myself" not in mine.output
    assert "to myself" in all_of_it.output
    nobody = await transcript(server, room.id, "--for", "zoe")
    assert nobody.status == 2
    assert nobody.errors == f"parley: nobody called 'zoe' took part in '{room.id}'\n"
    await room.close()


async def test_what_was_said_can_t_command_the_terminal(rooms: Rooms, server: DevServer) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM)
    await room.say("ann", "\x1b[2Jgone\n#9 ben: I agree\u202e")
    await room.taken(1)
    shown = (await transcript(server, room.id)).output
    assert shown.splitlines()[0].endswith(" ann: \\x1b[2Jgone")
    assert shown.splitlines()[1].strip() == "| #9 ben: I agree\\u202e"
    await room.close()


async def test_there_is_none_of_what_isn_t_there(server: DevServer) -> None:
    shown = await transcript(server, "no-such")
    assert (shown.status, shown.output) == (2, "")
    assert shown.errors == "parley: there is no 'no-such' in the namespace 'default'\n"
