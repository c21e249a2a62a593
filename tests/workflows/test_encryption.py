"""Encryption on the real server: it never sees what was said; who has the keys, or the codec server's token, does."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from infra.connection import connect
from infra.devserver import DevServer
from infra.payloads.codec import ENCRYPTED
from infra.payloads.converter import PLAIN, data_converter
from infra.payloads.keys import Key
from infra.payloads.settings import PayloadSettings
from tests.flows import boundary
from tests.flows.boundary import Fill
from tests.flows.talkers import Manner, Talkers, talker
from tests.harness import CommandError, eventually, running_worker, temporal
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Room, Rooms, setup_of
from tests.workflows.sealed import asking, codec_server, holding, sealing, variables
from tests.workflows.shell import command
from workflows.conversation.workflow import Conversation

KEY = Key.new("2026")
SECRET = "Zwetschgenkompott"
TASK_FAILED = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED


async def connected(server: DevServer, *keys: Key) -> Client:
    return await connect(server.address, data_converter(sealing(*keys)) if keys else PLAIN)


@pytest.fixture(scope="module")
async def rooms(server: DevServer) -> AsyncIterator[Rooms]:
    client = await connected(server, KEY)
    async with running_worker(client, [Conversation], [Talkers().reply]) as task_queue:
        yield Rooms(client, task_queue)


@pytest.fixture(scope="module")
async def codec(server: DevServer) -> AsyncIterator[list[str]]:
    """The options with which the command line asks the codec server."""
    async with codec_server(server, variables(KEY)) as address:
        yield asking(address)


async def test_the_server_s_files_hold_no_word_of_what_was_said(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    async with DevServer(db=folder / "temporal.db") as server:
        client = await connected(server, KEY)
        async with (
            running_worker(client, [Conversation, Fill], [Talkers().reply, *boundary.ACTIVITIES]) as queue,
            codec_server(server, variables(KEY)) as address,
        ):
            rooms = Rooms(client, queue)
            await _speak_in_every_way(rooms, server, asking(address))
            # To be sure that what is there would be found.
            await temporal(server, *signal(await rooms.open(ANN, BEN), "ann", "Apfelmus"))
    assert holding(folder, "Apfelmus") != []
    assert holding(folder, SECRET) == []


async def _speak_in_every_way(rooms: Rooms, server: DevServer, codec: list[str]) -> None:
    room = await rooms.open(
        ANN, BEN, talker(Manner.ECHO), coordination=FREE_FORM, topic=SECRET, facts={"place": SECRET}, history_events=50
    )
    await room.say("ann", SECRET)
    await temporal(server, *signal(room, "ann", f"by command, {SECRET}"), *codec)
    await command(server, "chat", room.id, "--as", "ben", typed=f"typed, {SECRET}\n", more=variables(KEY))
    for number in range(12):
        await room.say("ben", f"{SECRET} {number}")
        await room.taken(8 + 2 * number)
    assert len(await room.runs()) > 1  # with what was said carried along
    assert SECRET in (await room.refusal("submit_turn", {"speaker": "ann", "text": "?", SECRET: 1})).message
    await command(server, "chat", room.id, "--as", "ann", typed=f'/propose "{SECRET}"\n', more=variables(KEY))
    assert (await room.result()).outcome == SECRET
    failing = setup_of().model_dump(mode="json") | {SECRET: "unknown"}
    handle = await rooms.client.start_workflow(
        "Conversation", failing, id=f"test-{uuid4()}", task_queue=rooms.task_queue, static_summary=SECRET
    )
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert SECRET in failed.value.cause.message


def signal(room: Room, speaker: str, text: str) -> list[str]:
    turn = json.dumps({"speaker": speaker, "text": text})
    return ["workflow", "signal", "--workflow-id", room.id, "--name", "turn", "--input", turn]


async def test_the_command_line_shows_it_with_the_codec_server_and_not_without(
    rooms: Rooms, server: DevServer, codec: list[str]
) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM)
    await temporal(server, *signal(room, "ann", SECRET), *codec)
    await room.taken(1)
    show = ["workflow", "show", "-w", room.id, "--detailed"]
    for look in (show, ["workflow", "query", "-w", room.id, "--name", "transcript"]):
        assert SECRET not in await temporal(server, *look)
        assert SECRET in await temporal(server, *look, *codec)
    assert SECRET in await temporal(server, "workflow", "metadata", "-w", room.id, *codec)
    await room.close()


async def test_a_refusal_is_told_in_words_to_who_asks_the_codec_server(
    rooms: Rooms, server: DevServer, codec: list[str]
) -> None:
    room = await rooms.open(ANN, BEN)
    update = ["workflow", "update", "execute", "-w", room.id, "--name", "submit_turn", "--input"]
    with pytest.raises(CommandError, match="'eve' is not a participant"):
        await temporal(server, *update, '{"speaker": "eve", "text": "psst"}', *codec)
    with pytest.raises(CommandError, match="Encoded failure"):
        await temporal(server, *update, '{"speaker": "eve", "text": "psst"}')
    await room.close()


async def test_plain_json_from_the_command_line_is_taken_as_before(rooms: Rooms, server: DevServer) -> None:
    room = await rooms.open(ANN, BEN)
    await temporal(server, *signal(room, "ann", "hello"))
    assert await room.said(1) == [("ann", "hello")]
    await room.close()


async def test_inbox_and_transcript_show_it_with_the_key_and_name_the_key_without(
    rooms: Rooms, server: DevServer
) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM)
    await room.say("ann", SECRET)

    async def inbox() -> str:
        return (await command(server, "inbox", "--as", "ben", "--json", more=variables(KEY))).output

    await eventually(inbox, lambda shown: SECRET in shown)
    assert SECRET in (await command(server, "transcript", room.id, more=variables(KEY))).output
    told = await command(server, "transcript", room.id)
    assert (told.status, told.errors) == (
        2,
        "parley: the key '2026' is not there: add it to the key file, or to PARLEY_ENCRYPTION__KEYS; "
        "[encryption] current need not change\n",
    )
    await room.close()


async def test_a_worker_without_the_key_harms_nothing_and_one_that_has_it_goes_on(server: DevServer) -> None:
    client = await connected(server, KEY)
    async with running_worker(client, [Conversation]) as queue:
        setup = setup_of(ANN, BEN, coordination=FREE_FORM)
        # What a worker can't do is left until the task is out of time.
        handle = await client.start_workflow(
            "Conversation", setup, id=f"test-{uuid4()}", task_queue=queue, task_timeout=timedelta(seconds=1)
        )
        room = Room(client, handle.id)
        await room.say("ann", "one")
        await room.taken(1)
    await room.say("ann", "two")
    async with running_worker(await connected(server), [Conversation], task_queue=queue):
        [failed] = await eventually(lambda: room.events(TASK_FAILED), len)
        assert "the key '2026' is not there" in failed.workflow_task_failed_event_attributes.failure.message
    async with running_worker(client, [Conversation], task_queue=queue):
        assert await room.said(2) == [("ann", "one"), ("ann", "two")]
        await room.close()


async def test_a_conversation_goes_on_when_the_key_is_changed(server: DevServer) -> None:
    new = Key.new("2027")
    client = await connected(server, KEY)
    async with running_worker(client, [Conversation]) as queue:
        room = await Rooms(client, queue).open(ANN, BEN, coordination=FREE_FORM)
        await room.say("ann", "one")
        await room.taken(1)
    client = await connected(server, KEY, new)
    async with running_worker(client, [Conversation], task_queue=queue):
        changed = Room(client, room.id)
        await changed.say("ann", "two")
        assert await changed.said(2) == [("ann", "one"), ("ann", "two")]
        signals = await changed.events(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
        sealed = [event.workflow_execution_signaled_event_attributes.input.payloads[0] for event in signals]
        assert [payload.metadata["encryption-key-id"] for payload in sealed] == [KEY.mark.encode(), new.mark.encode()]
        await changed.close()


async def test_what_is_forged_is_a_rejection_and_the_conversation_goes_on(rooms: Rooms, server: DevServer) -> None:
    room = await rooms.open(ANN, BEN)
    forged = Payload(metadata={"encoding": ENCRYPTED, "encryption-key-id": KEY.mark.encode()}, data=b"forged" * 9)
    await Room(await connected(server), room.id).handle.signal("turn", RawValue(forged))
    [rejection] = (await room.rejections(1)).recent
    assert "isn't JSON" in rejection.reason
    await room.say("ann", "it goes on")
    assert await room.said(1) == [("ann", "it goes on")]
    assert await room.events(TASK_FAILED) == []
    await room.close()


async def test_values_that_temporal_would_not_take_pass_by_the_folder(server: DevServer, tmp_path: Path) -> None:
    settings = sealing(KEY).model_copy(update={"payloads": PayloadSettings(folder=tmp_path)})
    client = await connect(server.address, data_converter(settings))
    size = 3_000_000
    async with running_worker(client, boundary.FLOWS, boundary.ACTIVITIES) as queue:
        for way in ("activity input", "activity result", "workflow result"):
            handle = await client.start_workflow("Fill", args=[way, size], id=f"test-{uuid4()}", task_queue=queue)
            assert await handle.result() == "x" * size
            assert (await handle.fetch_history()).to_json().count("x" * 100) == 0
