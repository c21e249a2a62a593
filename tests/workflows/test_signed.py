"""Signed messages on the real server: forged ones are rejected and visible, signed ones pass, by chat and by hand."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from activities.relay import RelayActivities
from infra.devserver import DevServer
from infra.signing import Signer, make_key, read_signer
from signals.adaptive import AdaptiveRequest
from signals.errors import ErrorType
from signals.messages import Propose, SwitchMode, Turn
from signals.modes import Mode
from signals.settings import ConversationSettings, Settings
from tests.flows import modes, points
from tests.flows.modes import BOB
from tests.flows.points import Wish
from tests.flows.steps import Agency, Trip
from tests.harness import running_worker, temporal
from tests.pages import sections
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Room, Rooms
from tests.workflows.shell import command
from tests.workflows.talks import Talks, failure, known
from workflows.conversation.workflow import Conversation
from workflows.modes.adaptive import Adaptive


@pytest.fixture(scope="module")
async def rooms(client: Client) -> AsyncIterator[Rooms]:
    async with running_worker(
        client, [*points.FLOWS, Conversation], [*Agency().activities, RelayActivities(client).pass_on]
    ) as task_queue:
        yield Rooms(client, task_queue)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "ben.pem"


@pytest.fixture
def ben(key: Path) -> Signer:
    return make_key(key)


@pytest.fixture
async def room(rooms: Rooms, ben: Signer) -> AsyncIterator[Room]:
    """A conversation of Ann, who has no key, and Ben, who has one."""
    room = await rooms.open(
        ANN, BEN.model_copy(update={"key": ben.public_key}), coordination=FREE_FORM, history_events=50
    )
    yield room
    await room.close()


async def test_a_forged_turn_is_rejected_and_visible_and_a_signed_one_passes(room: Room, ben: Signer) -> None:
    turn = Turn(speaker="ben", text="pay me")
    await room.say("ben", "pay me")
    refused = await room.refusal("submit_turn", turn.model_dump(mode="json"))
    assert refused.type == ErrorType.SIGNATURE_INVALID
    await room.send(ben.sign("another-conversation", turn))
    signed = ben.sign(room.id, turn)
    for _ in range(2):
        await room.send(signed)
    rejections = await room.rejections(3)
    assert [(r.signal, r.speaker, r.type) for r in rejections.recent] == [
        ("turn", "ben", ErrorType.SIGNATURE_INVALID)
    ] * 3
    assert await room.said(1) == [("ben", "pay me")]


async def test_the_page_shows_what_was_forged_and_how_to_sign(room: Room, server: DevServer) -> None:
    await room.say("ben", "pay me")
    await room.rejections(1)
    page = sections(await temporal(server, "workflow", "metadata", "-w", room.id))
    [[*_, why, reason]] = page["Not accepted (1)"][1:]
    assert (why, reason.split(":")[0]) == (ErrorType.SIGNATURE_INVALID, "'ben' has a key")
    await room.say("ann", "ben?")
    await room.taken(1)
    answers = sections(await temporal(server, "workflow", "metadata", "-w", room.id))["Answer"]
    assert [f"temporal parley chat {room.id} --as ann"] in answers
    assert not any('"speaker": "ben"' in line for [line] in answers)


async def test_what_a_run_passes_on_keeps_its_signature(rooms: Rooms, ben: Signer) -> None:
    talks = Talks(rooms.client, rooms.task_queue)
    run = await talks.start("Consult", Wish(key=ben.public_key))
    [opened] = await talks.opened(run)
    turn = Turn(speaker="bob", text="forged")
    await run.signal("turn", turn)
    await run.signal("turn", ben.sign(run.id, turn))
    await run.signal("turn", ben.sign(opened.id, Turn(speaker="bob", text=" signed ", conversation="choice-1")))
    assert await talks.said(opened.id, 1) == ["signed"]
    assert (await Room(rooms.client, opened.id).rejections(2)).total == 2
    decision = Propose(speaker="bob", outcome={"place": "Oslo", "nights": 1})
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await run.execute_update("submit_propose", decision)
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == ErrorType.SIGNATURE_INVALID
    await run.execute_update("submit_propose", ben.sign(opened.id, decision))
    assert await run.result() == {"place": "Oslo", "nights": 1}


async def test_where_people_must_sign_a_run_talks_to_those_alone_who_have_a_key(client: Client, ben: Signer) -> None:
    agency, must_sign = Agency(), Settings(conversation=ConversationSettings(signed=True))
    bob = BOB.model_copy(update={"key": ben.public_key})
    flows = [*modes.FLOWS, Conversation, Adaptive]
    async with running_worker(client, flows, agency.activities, execution=must_sign) as queue:
        switch = SwitchMode(to=Mode.CONVERSATION, requested_by="eve")
        alone, known_to = [
            await client.start_workflow(
                "Journey",
                args=[Trip(place="Rome", slow=("room",)), known(*people)],
                id=f"test-{uuid4()}",
                task_queue=queue,
                start_signal="switch_mode",
                start_signal_args=[switch],
            )
            for people in ((), (bob, ANN))
        ]
        talks = Talks(client, queue)
        [rejection] = (await talks.rejections(alone, 1)).recent
        assert rejection.reason == "people must sign here, and nobody who is known to the run has a key"
        agency.let_go(alone.id, "room")
        await alone.result()
        agency.let_go(known_to.id, "room")
        [about] = await talks.opened(known_to)
        assert about.people == ("bob",)
        decision = ben.sign(about.id, Propose(speaker="bob", outcome={"note": "go on"}))
        await talks.conversation(about.id).signal("propose", decision)
        await known_to.result()


async def test_where_people_must_sign_a_task_for_somebody_who_has_no_key_is_refused(client: Client) -> None:
    must_sign = Settings(conversation=ConversationSettings(signed=True))
    async with running_worker(client, [*modes.FLOWS, Conversation, Adaptive], execution=must_sign) as queue:
        request = AdaptiveRequest.model_validate({"task": {"goal": "Lunch?"}, "participants": [ANN]})
        failed = await failure(await Talks(client, queue).start("Adaptive", request))
    assert isinstance(failed, ApplicationError)
    assert (failed.type, failed.message) == (
        ErrorType.INVALID_INPUT,
        "participants: 'ann' has no key, and people must sign here; give them one",
    )


async def test_what_was_signed_counts_once_though_the_conversation_continued_as_new(room: Room, ben: Signer) -> None:
    signed = ben.sign(room.id, Turn(speaker="ben", text="first"))
    await room.send(signed)
    for number in range(15):
        await room.say("ann", f"turn {number}")
        await room.taken(2 + number)
    assert len(await room.runs()) > 1
    await room.send(signed)
    assert (await room.rejections(1)).total == 1


async def test_a_terminal_signs_and_so_does_a_command_for_other_tools(room: Room, server: DevServer, key: Path) -> None:
    spoken = await command(server, "chat", room.id, "--as", "ben", "--key", str(key), typed="by chat\n")
    assert "ben: by chat" in spoken.output
    unsigned = await command(server, "chat", room.id, "--as", "ben", typed="without\n")
    assert "-- not accepted: 'ben' has a key: sign the message" in unsigned.output
    signed = await command(server, "sign", room.id, "turn", '{"speaker": "ben", "text": "by hand"}', "--key", str(key))
    await temporal(server, "workflow", "signal", "-w", room.id, "--name", "turn", "--input", signed.output)
    assert await room.said(2) == [("ben", "by chat"), ("ben", "by hand")]


async def test_a_terminal_with_a_key_signs_only_where_its_speaker_has_one(
    room: Room, server: DevServer, key: Path
) -> None:
    more = {"PARLEY_CHAT__KEY_FILE": str(key)}
    assert "ben: hello" in (await command(server, "chat", room.id, "--as", "ben", typed="hello\n", more=more)).output
    unsigned = await command(server, "chat", room.id, "--as", "ann", typed="hi\n", more=more)
    assert "-- 'ann' has no key here: what you type is not signed" in unsigned.output
    joined = await command(server, "chat", room.id, "--as", "bea", "--join", "guest", typed="here\n", more=more)
    assert joined.errors == ""
    assert await room.said(3) == [("ben", "hello"), ("ann", "hi"), ("bea", "here")]
    [bea] = [person for person in (await room.status()).participants if person.id == "bea"]
    assert bea.key == read_signer(key).public_key
