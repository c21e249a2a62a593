"""AI participants in conversations, on the real server: asked, answered, interrupted, retried, given up."""

from collections.abc import AsyncIterator

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from signals.conversation import MessageKind, Recorded, Tokens
from signals.messages import Interrupt, Turn
from tests.flows.talkers import Manner, Talkers, talker
from tests.harness import running_worker
from tests.unit.conversation.talk import person
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Room, Rooms
from workflows.conversation.roster import MAX_FAILURES
from workflows.conversation.workflow import Conversation

SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
CANCEL_REQUESTED = EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED
CAT = person("cat")


@pytest.fixture(scope="module")
async def rooms(client: Client, talkers: Talkers) -> AsyncIterator[Rooms]:
    async with running_worker(client, [Conversation], [talkers.reply]) as task_queue:
        yield Rooms(client, task_queue)
        talkers.let_all_go()


async def told(room: Room) -> list[Recorded]:
    """What the conversation itself said."""
    return [message for message in (await room.transcript()).messages if message.kind is MessageKind.SYSTEM]


async def test_an_ai_participant_replies_in_its_turn(rooms: Rooms) -> None:
    room = await rooms.open(ANN, talker(Manner.ECHO), BEN)
    for speaker, text in (("ann", "one"), ("ben", "two"), ("ann", "three")):
        await room.say(speaker, text)
    assert await room.said(5) == [
        ("ann", "one"),
        ("bot", "I heard: one"),
        ("ben", "two"),
        ("ann", "three"),
        ("bot", "I heard: three"),
    ]
    assert (await room.close()).tokens == Tokens(input=20, output=6)


async def test_what_people_say_while_it_replies_is_answered_afterwards_once(rooms: Rooms, talkers: Talkers) -> None:
    room = await rooms.open(ANN, BEN, talker(Manner.PATIENT), coordination=FREE_FORM)
    await room.say("ann", "one")
    await room.until(lambda status: status.replying)
    for text in ("two", "three"):
        await room.say("ann", text)
    assert (await room.taken(3)).replying == ("bot",)
    talkers.let_go(room.id)
    assert (await room.said(5))[3:] == [("bot", "I heard: one"), ("bot", "I heard: I heard: one")]
    assert [request.messages[-3].text for request in talkers.requests[room.id][1:]] == ["two"]
    assert (await room.status()).replying == ()
    await room.close()


async def test_a_private_message_is_not_in_the_prompt_of_others(rooms: Rooms, talkers: Talkers) -> None:
    room = await rooms.open(ANN, BEN, talker(Manner.ECHO), coordination=FREE_FORM, routing={"kind": "addressed"})
    await room.send(Turn(speaker="ann", text="between us", to=("ben",)))
    await room.say("ann", "hello all")
    await room.said(3)
    assert [[m.text for m in request.messages] for request in talkers.requests[room.id]] == [["hello all"]]
    await room.close()


@pytest.mark.parametrize("way", ["signal", "update"])
async def test_an_interrupt_cancels_the_reply_and_what_was_said_stays(rooms: Rooms, way: str) -> None:
    room = await rooms.open(ANN, talker(Manner.PATIENT), BEN)
    await room.say("ann", "bot?")
    await room.until(lambda status: status.replying)
    await (room.send if way == "signal" else room.submit)(Interrupt(speaker="ann"))
    status = await room.until(lambda status: not status.replying)
    assert (status.floor, status.turns) == ("ben", 1)
    assert [message.text for message in await told(room)] == ["ann interrupted bot"]
    [asked], [cancelled] = await room.events(SCHEDULED), await room.events(CANCEL_REQUESTED)
    request = cancelled.activity_task_cancel_requested_event_attributes
    assert request.scheduled_event_id == asked.event_id
    await room.say("ben", "I go on")
    assert await room.said(2) == [("ann", "bot?"), ("ben", "I go on")]
    await room.close()


async def test_the_end_cancels_a_reply_under_way(rooms: Rooms) -> None:
    room = await rooms.open(ANN, talker(Manner.PATIENT), BEN)
    await room.say("ann", "bot?")
    await room.until(lambda status: status.replying)
    assert (await room.close()).turns == 1


async def test_a_failure_that_trying_again_may_mend_is_tried_again(rooms: Rooms) -> None:
    room = await rooms.open(ANN, talker(Manner.HOARSE), BEN)
    await room.say("ann", "one")
    assert await room.said(2) == [("ann", "one"), ("bot", "I heard: one")]
    assert await told(room) == []
    [asked] = await room.events(SCHEDULED)
    assert asked.activity_task_scheduled_event_attributes.retry_policy.maximum_attempts > 1
    await room.close()


async def test_a_final_failure_becomes_a_message_and_the_conversation_goes_on(rooms: Rooms) -> None:
    room = await rooms.open(ANN, talker(Manner.MUTE), BEN)
    for speaker in ("ann", "ben"):
        await room.say(speaker, "hello")
    await room.said(2)
    assert [message.text for message in await told(room)] == ["bot can't reply: no voice"]
    await room.close()


async def test_who_failed_too_often_is_not_asked_any_more(rooms: Rooms) -> None:
    room = await rooms.open(ANN, talker(Manner.MUTE), coordination=FREE_FORM)
    for number in range(1, MAX_FAILURES + 2):
        await room.say("ann", f"{number}")
        await room.taken(number)
        await room.until(lambda status: not status.replying)
    assert len(await room.events(SCHEDULED)) == MAX_FAILURES
    await room.close()


async def test_the_web_ui_says_who_replies_and_what_the_timer_is_for(rooms: Rooms) -> None:
    bot = talker(Manner.ECHO).model_copy(update={"name": "The Bot"})
    room = await rooms.open(ANN, bot)
    await room.say("ann", "hello")
    await room.said(2)
    [reply] = await room.events(SCHEDULED)
    [timer] = await room.events(EventType.EVENT_TYPE_TIMER_STARTED)
    summaries = [event.user_metadata.summary for event in (reply, timer)]
    converter = rooms.client.data_converter.payload_converter
    texts = [converter.from_payloads([summary], [str])[0] for summary in summaries]
    assert texts[0] == "The Bot replies"
    assert texts[1].startswith("something is due at 20")
    await room.close()
