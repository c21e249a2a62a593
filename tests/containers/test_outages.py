"""What becomes of conversations when the server goes away in the middle: nothing that it acknowledged is lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import pytest
from temporalio.service import RPCError

from infra.connection import connect
from signals.messages import Answer, Disposition, Turn
from tests.containers.temporal import TemporalContainer
from tests.flows import points
from tests.flows.points import Choice, Wish
from tests.flows.talkers import Manner, Talkers, talker
from tests.harness import eventually, running_worker
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Rooms
from tests.workflows.talks import Talks
from workflows.conversation.workflow import Conversation

SHORT: Final = 50
"""The lowest bound on the events of a conversation's run."""

LONG: Final = 60.0
"""Seconds in which all is well again after an outage: two connections are given up, and the tasks sent into them."""

A_MOMENT: Final = 1.0
"""Seconds that an outage lasts at least."""

T = TypeVar("T")


@dataclass
class House:
    """A server, and a worker of it."""

    server: TemporalContainer
    rooms: Rooms
    talks: Talks
    talkers: Talkers


@pytest.fixture
async def house(image: str) -> AsyncIterator[House]:
    async with TemporalContainer(image) as server, at_work(server) as house:
        yield house


@asynccontextmanager
async def at_work(server: TemporalContainer) -> AsyncIterator[House]:
    talkers, client = Talkers(), await connect(server.address)
    async with running_worker(client, [*points.FLOWS, Conversation], [talkers.reply]) as task_queue:
        yield House(server, Rooms(client, task_queue), Talks(client, task_queue), talkers)
        talkers.let_all_go()


async def sent(send: Callable[[], Awaitable[T]]) -> T:
    """Send something, and again while the server can't be reached; as one does who gives it an id."""

    async def outcome() -> list[T]:
        try:
            return [await send()]
        except RPCError:
            return []

    return (await eventually(outcome, seconds=LONG))[0]


async def test_a_server_that_is_stopped_and_started_goes_on_with_breakouts_and_conversations(house: House) -> None:
    run = await house.talks.start("Consult", Wish())
    [opened] = await house.talks.opened(run)
    room = await house.rooms.open(ANN, BEN, talker(Manner.ECHO), coordination=FREE_FORM)
    await room.say("ann", "bot?")
    await room.taken(2)
    await house.server.stop()
    await house.server.start()
    await room.say("ann", "still there?")
    assert await room.said(4) == [
        *(("ann", "bot?"), ("bot", "I heard: bot?")),
        *(("ann", "still there?"), ("bot", "I heard: still there?")),
    ]
    await house.talks.decide(opened.id, {"place": "Oslo"})
    assert Choice.model_validate(await run.result()) == Choice(place="Oslo")


async def test_what_is_sent_to_a_server_that_hangs_arrives_when_it_goes_on(house: House) -> None:
    room = await house.rooms.open(ANN, BEN, coordination=FREE_FORM)
    await room.say("ann", "before")
    await room.taken(1)
    await house.server.freeze()
    sending = asyncio.create_task(room.submit(Turn(speaker="ben", text="meanwhile", id="m-1")))
    assert not (await asyncio.wait([sending], timeout=A_MOMENT))[0]
    await house.server.thaw()
    assert await sending == Answer(disposition=Disposition.RECORDED, seq=2)
    assert await room.said(2) == [("ann", "before"), ("ben", "meanwhile")]


@pytest.mark.timeout(180)
async def test_a_server_that_is_cut_off_while_an_assistant_thinks_gets_one_reply_and_one_of_each_turn(
    house: House,
) -> None:
    room = await house.rooms.open(ANN, BEN, talker(Manner.PATIENT), coordination=FREE_FORM)
    await room.say("ann", "bot?")
    await eventually(lambda: asyncio.sleep(0, house.talkers.requests[room.id]))
    await house.server.cut_off()
    house.talkers.let_go(room.id)
    meanwhile = Turn(speaker="ben", text="meanwhile", id="m-1")
    sending = asyncio.create_task(sent(lambda: room.send(meanwhile)))
    assert not (await asyncio.wait([sending], timeout=A_MOMENT))[0]
    await house.server.reconnect()
    await sending
    await sent(lambda: room.send(meanwhile))
    await eventually(lambda: sent(room.status), lambda now: now.turns >= 4 and not now.replying, LONG)
    said = await room.said(4)
    assert Counter(speaker for speaker, _ in said) == {"ann": 1, "ben": 1, "bot": 2}  # a reply to each of them
    assert said.count(("bot", "I heard: bot?")) == 1


async def test_a_server_whose_container_is_lost_loses_nothing_that_is_in_its_volume(image: str) -> None:
    turns = [Turn(speaker="ben", text=f"{number}", id=f"{number}") for number in range(60)]
    async with TemporalContainer(image) as server, at_work(server) as house:
        run = await house.talks.start("Consult", Wish())
        [opened] = await house.talks.opened(run)
        room = await house.rooms.open(ANN, BEN, coordination=FREE_FORM, history_events=SHORT, window=100)
        acknowledged: list[Turn] = []

        async def talk() -> None:
            for turn in turns:
                await sent(partial(room.send, turn))
                acknowledged.append(turn)

        talking = asyncio.create_task(talk())
        await eventually(lambda: asyncio.sleep(0, len(acknowledged)), lambda count: count >= 30)
        await server.lose()
        assert 30 <= len(acknowledged) < 60
        await server.replace()
        await talking
        assert await room.said(60) == [(turn.speaker, turn.text) for turn in turns]
        assert len(await room.runs()) > 1, "it was to continue as new on the way"
        await house.talks.decide(opened.id, {"place": "Oslo"})
        assert Choice.model_validate(await run.result()) == Choice(place="Oslo")
