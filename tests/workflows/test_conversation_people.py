"""People who are waited for, on the real server with a clock that runs ahead: told, joined by others, given up on."""

from collections.abc import AsyncIterator
from functools import partial

import httpx2
import pytest
from standardwebhooks import Webhook as Signer
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.exceptions import ApplicationError
from temporalio.testing import TimeSkipper, TimeSkippingConfig

from activities.notify import Webhook, WebhookNotifier
from infra.connection import connect
from infra.devserver import DevServer
from signals.conversation import StopReason
from signals.errors import ErrorType
from signals.messages import Disposition, Turn
from signals.notices import Told, Waiting
from signals.participants import Participant
from tests.harness import eventually, running_worker
from tests.unit.assistant.endpoint import Answer, Endpoint
from tests.unit.conversation.talk import person
from tests.workflows.rooms import ANN, BEN, Room, Rooms
from workflows.conversation.stubs import Notifier
from workflows.conversation.workflow import Conversation

HOUR = 3600.0
LEAD = person("lead", role="lead")
LEA = person("lea", role="lead")

LADDER = [
    {"do": "remind", "after_seconds": HOUR},
    {"do": "bring_in", "after_seconds": 2 * HOUR, "role": "lead"},
    {"do": "give_up", "after_seconds": 3 * HOUR, "outcome": "nobody answered"},
]


class Doorbell(Notifier):
    """Keeps what people are told; it is out of order where the topic says so."""

    def __init__(self) -> None:
        self.rung: dict[str, list[Waiting]] = {}

    @activity.defn(name="notify")
    async def notify(self, waiting: Waiting) -> Told:
        """Tell them."""
        if waiting.topic == "broken":
            raise ApplicationError("the webhook wants no more", type=ErrorType.INVALID_INPUT, non_retryable=True)
        self.rung.setdefault(waiting.conversation, []).append(waiting)
        return Told(delivered=1)

    def told(self, room: Room) -> list[tuple[str, ...]]:
        """Whom it told, in order."""
        return [tuple(person.id for person in waiting.people) for waiting in self.rung.get(room.id, [])]


@pytest.fixture(scope="module")
async def clock() -> AsyncIterator[TimeSkipper]:
    """A server whose runs have clocks of their own, which stand by until they are moved on."""
    async with DevServer(extra=("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true")) as server:
        yield TimeSkipper(await connect(server.address), config=TimeSkippingConfig(enabled=False))


@pytest.fixture(scope="module")
async def doorbell() -> Doorbell:
    return Doorbell()


@pytest.fixture(scope="module")
async def rooms(clock: TimeSkipper, doorbell: Doorbell) -> AsyncIterator[Rooms]:
    async with running_worker(clock.client, [Conversation], [doorbell.notify]) as task_queue:
        yield Rooms(clock.client, task_queue)


async def opened(rooms: Rooms, *people: Participant, **options: object) -> Room:
    constraints = {"timeout_seconds": 24 * HOUR, "ladder": LADDER if LEAD in people else LADDER[:1]}
    return await rooms.open(*people, **{"constraints": constraints, **options})


async def awaited(room: Room, *people: str) -> None:
    await room.until(lambda status: status.awaiting == people)


async def test_nobody_answers_up_to_the_last_rung(rooms: Rooms, clock: TimeSkipper, doorbell: Doorbell) -> None:
    room = await opened(rooms, ANN, BEN, LEAD, LEA)
    await clock.fast_forward(room.handle, HOUR + 1)
    await awaited(room, "ann")
    await clock.fast_forward(room.handle, HOUR + 1)
    await awaited(room, "ann", "lead", "lea")
    await clock.fast_forward(room.handle, HOUR + 1)
    result = await room.result()
    assert (result.stop, result.outcome) == (StopReason.FALLBACK, "nobody answered")
    assert doorbell.told(room) == [("ann",), ("ann", "lead", "lea")]


async def test_of_those_brought_in_who_answers_first_takes_the_floor(rooms: Rooms, clock: TimeSkipper) -> None:
    room = await opened(rooms, ANN, BEN, LEAD, LEA)
    await clock.fast_forward(room.handle, 2 * HOUR + 1)
    await awaited(room, "ann", "lead", "lea")
    first = await room.submit(Turn(speaker="lea", text="I can say"))
    second = await room.submit(Turn(speaker="lead", text="so can I"))
    assert (first.disposition, second.disposition) == (Disposition.RECORDED, Disposition.HELD)
    await room.close()


async def test_people_are_told_once_a_wait_not_once_a_turn(
    rooms: Rooms, clock: TimeSkipper, doorbell: Doorbell
) -> None:
    room = await opened(rooms, ANN, BEN)
    for number in range(6):
        await room.say(("ann", "ben")[number % 2], "quick")
    await room.taken(6)
    await clock.fast_forward(room.handle, HOUR + 1)
    await eventually(lambda: asked(doorbell, room))
    kinds = [event.event_type for event in await room.events()]
    assert kinds.count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) == 1
    assert kinds.count(EventType.EVENT_TYPE_TIMER_CANCELED) == 0
    assert doorbell.told(room) == [("ann",)]
    await room.close()


async def asked(doorbell: Doorbell, room: Room) -> bool:
    return bool(doorbell.told(room))


async def test_who_can_not_be_told_is_said_in_the_conversation(rooms: Rooms, clock: TimeSkipper) -> None:
    room = await opened(rooms, ANN, BEN, topic="broken")
    await clock.fast_forward(room.handle, HOUR + 1)
    await room.until(lambda status: status.messages == 1)
    [message] = (await room.transcript()).messages
    assert message.text == "ann could not be told: the webhook wants no more"
    await room.close()


async def test_webhooks_are_posted_to_once_a_wait_and_again_only_where_they_did_not_take_it(
    clock: TimeSkipper,
) -> None:
    signer = Signer("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    with Endpoint() as steady, Endpoint() as flighty:
        steady.answer = flighty.answer = Answer(204)
        flighty.first = [Answer(503, headers={"retry-after": "1"})]
        async with httpx2.AsyncClient() as client:
            notifier = WebhookNotifier([Webhook(one.url, signer) for one in (steady, flighty)], client)
            async with running_worker(clock.client, [Conversation], [notifier.notify]) as task_queue:
                room = await opened(Rooms(clock.client, task_queue), ANN, BEN)
                for waits in (1, 2):
                    await clock.fast_forward(room.handle, HOUR + 1)
                    await eventually(partial(has_posts, flighty, waits + 1))
                    await room.say("ann", "I am here")
                    await room.say("ben", "so am I")
                    await room.taken(2 * waits)
                await room.close()
    for webhook in (steady, flighty):
        told = [signer.verify(post.text, dict(post.headers))["data"]["conversation"] for post in webhook.posts]
        assert set(told) == {room.id}
    ids = [post.headers["webhook-id"] for post in flighty.posts]
    assert (len(steady.posts), len(ids)) == (2, 3)
    assert ids[0] == ids[1] != ids[2]


async def has_posts(webhook: Endpoint, count: int) -> bool:
    return len(webhook.posts) == count
