"""Conversations between people, on the real server: messages, starts, ends, and what people see."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowQueryFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from infra.config import Config, WorkerSettings
from signals.conversation import StopReason
from signals.errors import ErrorType
from signals.messages import Answer, Close, Disposition, Interrupt, Join, Leave, Message, Propose, Turn, Vote
from signals.names import WorkflowType
from tests.flows.talkers import Manner, Talkers, talker
from tests.harness import eventually, running_worker
from tests.unit.conversation.talk import person
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Room, Rooms, setup_of
from worker import create_worker
from workflows.conversation.workflow import Conversation
from workflows.search import MAX_BYTES

CAT = person("cat")
ZOE = person("zoe")
RECORDED, HELD, DUPLICATE = Disposition.RECORDED, Disposition.HELD, Disposition.DUPLICATE


@pytest.fixture(scope="module")
async def task_queue(client: Client) -> AsyncIterator[str]:
    async with running_worker(client, [Conversation], [Talkers().reply]) as name:
        yield name


# Turns


async def test_the_floor_goes_round(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, CAT)
    for number, speaker in enumerate(["ann", "ben", "cat", "ann"]):
        assert (await room.taken(number)).floor == speaker
        await room.say(speaker, f"turn {number + 1}")
    assert await room.said(4) == [("ann", "turn 1"), ("ben", "turn 2"), ("cat", "turn 3"), ("ann", "turn 4")]
    await room.close()


async def test_a_turn_out_of_turn_is_held_until_it_is_its_speaker_s(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN)
    for text in ("b1", "b2", "b3"):
        await room.say("ben", text)
    assert (await room.until(lambda status: status.held == 3)).turns == 0
    for text in ("a1", "a2"):
        await room.say("ann", text)
    assert await room.said(4) == [("ann", "a1"), ("ben", "b1"), ("ann", "a2"), ("ben", "b2")]
    await room.close()


async def test_turns_that_are_held_at_the_end_are_recorded(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN)
    for text in ("b1", "b2"):
        await room.say("ben", text)
    result = await room.close()
    assert result.turns == 2
    assert [message.text for message in result.last_messages if message.speaker == "ben"] == ["b1", "b2"]


async def test_in_free_form_anybody_may_speak_at_any_time(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM)
    turns = [("ben", "1"), ("ben", "2"), ("ann", "3"), ("ben", "4")]
    for speaker, text in turns:
        await room.say(speaker, text)
    assert await room.said(4) == turns
    await room.close()


async def test_of_two_people_who_answer_at_once_one_takes_the_floor_and_the_other_is_held(rooms: Rooms) -> None:
    answering = [person(name, role="agent") for name in ("cat", "dan")]
    rules = {"kind": "rules", "rules": {"guest": ["agent"], "agent": ["guest"]}}
    room = await rooms.open(ANN, *answering, coordination=rules)
    await room.say("ann", "who can help?")
    await room.until(lambda status: status.awaiting == ("cat", "dan"))
    answers = await asyncio.gather(*(room.submit(Turn(speaker=one.id, text="I can")) for one in answering))
    assert sorted(answer.disposition for answer in answers) == [HELD, RECORDED]
    status = await room.taken(2)
    assert (status.held, status.awaiting) == (1, ("ann",))
    await room.say("ann", "thank you")
    first, second = ("cat", "dan") if answers[0].disposition is RECORDED else ("dan", "cat")
    assert [speaker for speaker, _ in await room.said(4)] == ["ann", first, "ann", second]
    await room.close()


async def test_a_decision_ends_it_with_its_outcome(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM)
    await room.send(Propose(speaker="ben", outcome={"place": "Thai"}))
    await room.send(Vote(speaker="ann", proposal=1, approve=True))
    result = await room.result()
    assert (result.stop, result.outcome, result.decided_by, result.evidence) == (
        StopReason.DECISION,
        {"place": "Thai"},
        ("ann",),
        (1, 2),
    )
    assert result.turns == 0


# Updates


async def test_every_message_has_an_update_that_says_what_became_of_it(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, CAT, emergence=[{"kind": "consensus"}])
    told = [
        await room.submit(message)
        for message in (
            Turn(speaker="ann", text="Where?", id="m-1"),
            Turn(speaker="ann", text="Where?", id="m-1"),
            Turn(speaker="cat", text="Later", id="m-2"),
            Join(participant=ZOE),
            Propose(speaker="ben", outcome="Thai"),
            Vote(speaker="zoe", proposal=1, approve=True),
            Leave(speaker="zoe"),
            Turn(speaker="ben", text="Thai!"),
            Close(speaker="ann"),
        )
    ]
    assert told == [
        Answer(disposition=RECORDED, seq=1),
        Answer(disposition=DUPLICATE, seq=1),
        Answer(disposition=HELD),
        Answer(disposition=RECORDED, seq=2),
        Answer(disposition=RECORDED, seq=3),
        Answer(disposition=RECORDED, seq=4),
        Answer(disposition=RECORDED, seq=5),
        Answer(disposition=RECORDED, seq=6),
        Answer(disposition=RECORDED, seq=8),  # what Cat said is 7
    ]
    assert (await room.result()).stop is StopReason.CLOSED


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (Turn(speaker="zoe", text="hello"), ErrorType.NOT_A_PARTICIPANT),
        (Turn(speaker="ann", text="hello", to=("zoe",)), ErrorType.INVALID_INPUT),
        (Turn(speaker="ben", text="hello"), ErrorType.NOT_YOUR_TURN),
        (Join(participant=talker(Manner.ECHO)), ErrorType.NOT_PERMITTED),
        (Leave(speaker="zoe"), ErrorType.NOT_A_PARTICIPANT),
        (Propose(speaker="ben", outcome=7), ErrorType.OUTCOME_INVALID),
        (Vote(speaker="ben", proposal=7, approve=True), ErrorType.INVALID_INPUT),
        (Interrupt(speaker="ben"), ErrorType.NOT_PERMITTED),
        (Close(speaker="ben"), ErrorType.NOT_PERMITTED),
    ],
    ids=lambda value: value.signal if not isinstance(value, ErrorType) else None,
)
async def test_an_update_that_is_refused_leaves_no_history(rooms: Rooms, message: Message, error: ErrorType) -> None:
    room = await rooms.open(ANN, BEN, out_of_turn="refuse", outcome={"type": "string"})
    await room.begun()
    before = await room.events()
    assert (await room.refusal(f"submit_{message.signal}", message)).type == error
    assert await room.events() == before
    assert (await room.status()).rejections == 0
    await room.close()


# Starts


async def test_a_turn_that_starts_a_conversation_is_recorded(rooms: Rooms) -> None:
    room = Room(rooms.client, f"test-{uuid4()}")
    await rooms.client.start_workflow(
        WorkflowType.CONVERSATION,
        setup_of(),
        id=room.id,
        task_queue=rooms.task_queue,
        start_signal="turn",
        start_signal_args=[Turn(speaker="ann", text="first")],
    )
    await room.say("ben", "second")
    assert await room.said(2) == [("ann", "first"), ("ben", "second")]
    await room.close()


def opening(rooms: Rooms, name: str) -> "WithStartWorkflowOperation[Conversation, object]":
    return WithStartWorkflowOperation(
        WorkflowType.CONVERSATION,
        setup_of(),
        id=name,
        task_queue=rooms.task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )


async def test_an_update_that_starts_a_conversation_is_answered(rooms: Rooms) -> None:
    room = Room(rooms.client, f"test-{uuid4()}")
    for number, speaker in enumerate(["ann", "ben"], 1):
        answer = await rooms.client.execute_update_with_start_workflow(
            "submit_turn",
            Turn(speaker=speaker, text="hello"),
            start_workflow_operation=opening(rooms, room.id),
            result_type=Answer,
        )
        assert answer == Answer(disposition=RECORDED, seq=number)
    await room.close()


# Duplicates


async def test_the_same_id_sent_twice_gives_one_message(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM)
    await room.say("ann", "hello", "m-1")
    await room.say("ann", "hello again", "m-1")
    assert await room.submit(Turn(speaker="ann", text="and again", id="m-1")) == Answer(disposition=DUPLICATE, seq=1)
    assert await room.submit(Turn(speaker="ben", text="mine", id="m-1")) == Answer(disposition=RECORDED, seq=2)
    assert await room.said(2) == [("ann", "hello"), ("ben", "mine")]
    assert (await room.status()).rejections == 0
    await room.close()


async def test_a_held_turn_sent_again_is_a_duplicate_before_and_after_it_is_recorded(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN)
    turn = Turn(speaker="ben", text="hello", id="m-1")
    assert (await room.submit(turn)).disposition is HELD
    assert await room.submit(turn) == Answer(disposition=DUPLICATE)
    await room.say("ann", "hi")
    await room.said(2)
    assert await room.submit(turn) == Answer(disposition=DUPLICATE, seq=2)
    await room.close()


# Ends


async def test_what_comes_with_the_end_is_kept_as_a_rejection(client: Client) -> None:
    rooms = Rooms(client, f"test-{uuid4()}")
    room = await rooms.open(ANN, BEN, coordination=FREE_FORM)
    await room.say("ben", "in time")
    await room.send(Close(speaker="ann"))
    await room.say("ben", "too late")
    settings = WorkerSettings(task_queue=rooms.task_queue)
    async with create_worker(client, Config(worker=settings), workflows=[Conversation], activities=[]):
        result = await room.result()
        assert result.turns == 1
        [rejection] = (await room.rejections(1)).recent
    assert (rejection.signal, rejection.speaker, rejection.type) == ("turn", "ben", ErrorType.CONVERSATION_CLOSED)


async def test_a_turn_after_the_end_is_refused_by_the_server(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN)
    await room.close()
    sending: list[Callable[[], Awaitable[object]]] = [
        lambda: room.say("ben", "hello?"),
        lambda: room.submit(Turn(speaker="ben", text="hello?")),
    ]
    for send in sending:
        with pytest.raises(RPCError) as error:
            await send()
        assert error.value.status is RPCStatusCode.NOT_FOUND


# What people see


async def listed(client: Client, query: str) -> list[str]:
    return [found.id async for found in client.list_workflows(query)]


async def test_who_is_waited_for_is_found_by_a_list(rooms: Rooms) -> None:
    name = f"ann-{uuid4()}"
    room = await rooms.open(person(name, *ANN.can), BEN)
    inbox = f'ParleyAwaiting="{name}"'
    client = rooms.client
    assert await eventually(lambda: listed(client, inbox)) == [room.id]
    await room.say(name, "hello")
    await eventually(lambda: listed(client, inbox), lambda found: not found)
    await room.say("ben", "hello")
    await eventually(lambda: listed(client, inbox))
    await room.close(name)
    await eventually(lambda: listed(client, inbox), lambda found: not found)
    ended = f'ParleyStop="closed" AND ParleyMode="conversation" AND WorkflowId="{room.id}"'
    assert await eventually(lambda: listed(client, ended)) == [room.id]


async def test_as_many_of_those_waited_for_are_listed_as_there_is_room_for(rooms: Rooms) -> None:
    crowd = [person(f"{number:03}".ljust(64, "x")) for number in range(199)]
    room = await rooms.open(ANN, *crowd, coordination=FREE_FORM, constraints={"participant_limit": 200})
    await room.begun()
    assert len((await room.status()).awaiting) == 200
    listed = (await room.handle.describe()).search_attributes["ParleyAwaiting"]
    assert listed == ["ann", *(someone.id for someone in crowd[:30])]
    assert len(json.dumps(listed, separators=(",", ":"))) <= MAX_BYTES
    await room.close()


async def test_a_private_message_is_shown_to_those_whom_it_is_for_alone(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, CAT, coordination=FREE_FORM, routing={"kind": "addressed"})
    await room.say("ann", "hello all")
    await room.send(Turn(speaker="ann", text="a surprise for Cat", to=("ben",)))
    await room.said(2)
    seen = {name: [m.text for m in (await room.transcript(name)).messages] for name in ("ann", "ben", "cat", None)}
    everything = ["hello all", "a surprise for Cat"]
    assert seen == {"ann": everything, "ben": everything, None: everything, "cat": ["hello all"]}
    await room.close()


async def test_a_transcript_for_a_stranger_is_refused(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN)
    with pytest.raises(WorkflowQueryFailedError, match="'zoe' is not a participant"):
        await room.transcript("zoe")
    await room.close()


async def shown(room: Room) -> str:
    metadata: WorkflowMetadata = await room.handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details


async def test_the_page_shows_where_it_stands_with_all_that_people_wrote_as_text(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN)
    await room.say("ann", "# Look <img src=x onerror=alert(1)> [here](http://example.com) | `x`")
    await room.send(Propose(speaker="ben", outcome={"<b>": "*bold*"}))
    await room.say("zoe", "let me in")
    await room.rejections(1)
    page = await shown(room)
    assert "# Lunch" in page
    assert "waits for **ben" in page
    assert f"temporal workflow signal --workflow-id {room.id} --name turn" in page
    assert "NotAParticipant" in page
    assert '`{"<b>": "*bold*"}`' in page
    for markup in ("<img", "[here](", "\n# Look"):
        assert markup not in page
    await room.close()


# Without a cache


async def test_a_worker_that_keeps_nothing_in_memory_goes_on_from_the_history(client: Client) -> None:
    talkers = Talkers()
    async with running_worker(client, [Conversation], [talkers.reply], max_cached_workflows=0) as name:
        room = await Rooms(client, name).open(ANN, talker(Manner.ECHO), BEN)
        await room.say("ben", "held")
        for text in ("one", "two"):
            await room.say("ann", text)
        assert await room.said(5) == [
            ("ann", "one"),
            ("bot", "I heard: one"),
            ("ben", "held"),
            ("ann", "two"),
            ("bot", "I heard: two"),
        ]
        await room.close()
        failed = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
        assert await room.events(failed) == []
