"""Conversations of any length, on the real server: they continue as new, and nobody taking part notices."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from signals.conversation import MessageKind, Recorded, Rejections
from signals.errors import ErrorType
from signals.messages import Answer, Disposition, Propose, Turn, Vote
from tests.flows.talkers import Manner, Talkers, talker
from tests.harness import eventually, running_worker
from tests.unit.conversation.talk import person
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Room, Rooms
from workflows.conversation.state import ConversationState
from workflows.conversation.workflow import LATE, Conversation

SHORT = 50
"""The lowest bound on the events of a run."""

UPDATE_ACCEPTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
TASK_COMPLETED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
TIMER_STARTED = EventType.EVENT_TYPE_TIMER_STARTED
UPSERTED = EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES


@pytest.fixture(scope="module")
async def rooms(client: Client, talkers: Talkers) -> AsyncIterator[Rooms]:
    async with running_worker(client, [Conversation], [talkers.reply]) as task_queue:
        yield Rooms(client, task_queue)
        talkers.let_all_go()


async def run_id(room: Room) -> str | None:
    return (await room.handle.describe()).run_id


async def continued(room: Room) -> None:
    """Let Ben speak until the conversation has continued as new."""
    before, turns = await run_id(room), (await room.status()).turns
    while await run_id(room) == before:
        turns += 1
        await room.say("ben", f"ben's turn {turns}")
        await room.taken(turns)


def carried(history: WorkflowHistory) -> ConversationState:
    """What a run has been given by the one before."""
    payloads = history.events[0].workflow_execution_started_event_attributes.input.payloads
    return ConversationState.model_validate_json(payloads[1].data)


async def messages(room: Room) -> dict[int, Recorded]:
    """All messages of a conversation that has ended, from what its runs gave to the next and its result."""
    windows = [carried(history).messages for history in (await room.runs())[1:]]
    windows.append(list((await room.result()).last_messages))
    found: dict[int, Recorded] = {}
    for window in windows:
        for message in window:
            assert found.setdefault(message.seq, message) == message
    return found


# What is said


async def sent(room: Room, turn: Turn) -> Answer:
    """Send a turn as an update, and again if the server asks for that."""
    while True:
        try:
            return await room.submit(turn)
        except RPCError as error:
            if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                raise


async def test_of_turns_sent_while_it_continues_none_is_lost_doubled_or_out_of_order(rooms: Rooms) -> None:
    speakers = [person(f"p{number}") for number in range(4)]
    room = await rooms.open(ANN, *speakers, coordination=FREE_FORM, window=100, history_events=SHORT)
    said = {speaker.id: [Turn(speaker=speaker.id, text=f"{n}", id=f"{n}") for n in range(60)] for speaker in speakers}
    answers: dict[tuple[str, str], Answer] = {}

    async def talk(speaker: str) -> None:
        for number, turn in enumerate(said[speaker]):
            if number % 3 == 2:
                answers[speaker, turn.text] = await sent(room, turn)
            else:
                await room.send(turn)

    await asyncio.gather(*map(talk, said))
    await room.taken(240)
    again = [turn for turns in said.values() for turn in turns]
    await asyncio.gather(*map(room.send, again))
    assert (await sent(room, again[0])).disposition is Disposition.DUPLICATE
    result = await room.close()

    recorded = await messages(room)
    assert sorted(recorded) == list(range(1, 243))
    for speaker, turns in said.items():
        texts = [recorded[seq].text for seq in sorted(recorded) if recorded[seq].speaker == speaker]
        assert texts == [turn.text for turn in turns]
    assert result.turns == 240
    for (speaker, text), answer in answers.items():
        assert answer.seq is not None
        assert (recorded[answer.seq].speaker, recorded[answer.seq].text) == (speaker, text)
    assert len(await room.runs()) > 4


async def test_a_task_that_answers_an_update_does_not_continue_as_new(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM, history_events=SHORT)
    for number in range(30):
        await room.submit(Turn(speaker="ann", text=f"{number}"))
        await room.say("ben", f"{number}")
        await room.said(2 * number + 2)
    await room.close()
    runs = await room.runs()
    assert len(runs) > 3
    for history in runs[:-1]:
        last = max(event.event_id for event in history.events if event.event_type == TASK_COMPLETED)
        assert [event.event_type for event in history.events[last:]].count(UPDATE_ACCEPTED) == 0


async def test_updates_alone_continue_it_too(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM, history_events=SHORT)
    for number in range(1, 51):
        assert (await room.submit(Turn(speaker="ann", text=f"{number}"))).seq == number
    await room.close()
    lengths = [len(history.events) for history in await room.runs()]
    assert len(lengths) == 3
    assert all(LATE * SHORT <= length < LATE * SHORT + 10 for length in lengths[:-1])


async def test_a_turn_sent_before_and_again_after_it_continued_is_one(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM, history_events=SHORT)
    await room.say("ann", "hello", "m-1")
    await continued(room)
    turns = (await room.status()).turns
    await room.say("ann", "hello", "m-1")
    assert await room.submit(Turn(speaker="ann", text="hello", id="m-1")) == Answer(
        disposition=Disposition.DUPLICATE, seq=1
    )
    assert (await room.close()).turns == turns


async def test_what_waits_when_it_continues_goes_on_waiting(rooms: Rooms) -> None:
    room = await rooms.open(ANN, person("cat"), BEN, out_of_turn="hold", history_events=SHORT)
    await room.say("cat", "held")
    await room.send(Propose(speaker="cat", outcome="Thai"))
    before = await run_id(room)
    for number in range(15):
        await room.say("zoe", f"let me in, {number}")
        await room.rejections(number + 1)
    assert await run_id(room) != before
    status = await room.status()
    assert (status.held, status.turns, status.floor, status.rejections) == (1, 0, "ann", 15)
    await room.say("ann", "hello")
    assert await room.said(2) == [("ann", "hello"), ("cat", "held")]
    await room.send(Vote(speaker="ann", proposal=1, approve=True))
    assert (await room.result()).outcome == "Thai"
    rejections: Rejections = await room.rejections(15)
    assert {rejection.type for rejection in rejections.recent} == {ErrorType.NOT_A_PARTICIPANT}


async def test_a_reply_under_way_when_it_continues_is_recorded_once(rooms: Rooms, talkers: Talkers) -> None:
    room = await rooms.open(ANN, BEN, talker(Manner.PATIENT), coordination=FREE_FORM, history_events=SHORT)
    await room.say("ann", "bot?")
    await continued(room)
    assert (await room.status()).replying == ("bot",)
    assert len((await room.runs())[0].events) >= LATE * SHORT
    talkers.let_go(room.id)
    # One reply to Ann, which it was asked for twice; then one to what Ben said meanwhile.
    turns = (await room.until(lambda status: not status.replying)).turns
    spoken = [message.speaker for message in (await room.transcript()).messages if message.kind is MessageKind.TURN]
    assert spoken.count("bot") == 2
    assert (await room.close()).turns == turns


async def test_a_reply_under_way_does_not_let_a_history_grow_too_large(rooms: Rooms, talkers: Talkers) -> None:
    room = await rooms.open(ANN, talker(Manner.PATIENT), coordination=FREE_FORM)
    await room.say("ann", "bot?")
    before = await run_id(room)
    for number in range(1, 4):
        await room.handle.signal("turn", {"speaker": "ann", "text": "x" * 1_500_000})
        await room.rejections(number)
    await eventually(lambda: run_id(room), lambda now: now != before)
    talkers.let_go(room.id)
    assert await room.said(2) == [("ann", "bot?"), ("bot", "I heard: bot?")]
    await room.close()


# What it costs


async def test_it_continues_at_about_its_bound(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM, history_events=SHORT)
    for _ in range(3):
        await continued(room)
    await room.close()
    lengths = [len(history.events) for history in await room.runs()]
    assert len(lengths) == 4
    assert all(SHORT <= length < SHORT + 10 for length in lengths[:-1])


async def test_search_attributes_are_kept_without_being_written_again(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM, history_events=SHORT)
    await continued(room)
    assert await room.events(UPSERTED) == []
    attributes = (await room.handle.describe()).search_attributes
    assert (attributes["ParleyMode"], attributes["ParleyAwaiting"]) == (["conversation"], ["ann", "ben"])
    await room.close()


async def test_each_run_starts_one_timer(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM, history_events=SHORT)
    await continued(room)
    await room.status()
    await room.close()
    timers = [[e for e in history.events if e.event_type == TIMER_STARTED] for history in await room.runs()]
    assert [len(started) for started in timers] == [1, 1]
