"""Fragments on the real server: run as children that outlive the conversation, told and known when they are done."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError

from activities.results import WorkflowResults
from infra.replay import replayer
from signals.conversation import InvocationStatus, MessageKind
from signals.errors import ErrorType
from signals.messages import Answer, Close, Disposition, InvocationMode, Invoke, Propose, Turn
from signals.participants import Kind, Participant, Permission
from tests.flows.fragments import FLOWS, Errander, Foreign
from tests.flows.steps import Agency
from tests.harness import eventually, running_worker
from tests.unit.conversation.talk import ANYTHING, person
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Room, Rooms, setup_of
from workflows.compiled import Fragment, compiled
from workflows.composition import REGISTRY
from workflows.conversation.workflow import Conversation

INITIATED = EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED
SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED

ASYNC, DETACHED = InvocationMode.ASYNCHRONOUS, InvocationMode.DETACHED

BOT = Participant(id="bot", kind=Kind.AI, role="guest", can=(Permission.SPEAK, Permission.INVOKE))

SEAT = {"what": "seat to Rome"}


@pytest.fixture(scope="module")
async def rooms(client: Client, agency: Agency) -> AsyncIterator[Rooms]:
    activities = [*agency.activities, Errander().reply, WorkflowResults(client).await_result]
    async with running_worker(client, [*FLOWS, Conversation], activities) as name:
        yield Rooms(client, name)
        agency.let_all_go()


async def opened(rooms: Rooms, *participants: Participant, **options: object) -> Room:
    """Open a conversation in which fragments may be run."""
    return await rooms.open(
        *(participants or (ANN, BEN)), **({"coordination": FREE_FORM, "fragments": ["Errand", "Counsel"]} | options)
    )


def errand(place: str = "Rome", *, slow: bool = False, mode: InvocationMode | None = None) -> Invoke:
    """Ann wants a seat."""
    arguments = {"place": place} | ({"slow": ["seat"]} if slow else {})
    return Invoke.model_validate({"speaker": "ann", "fragment": "Errand", "arguments": arguments, "mode": mode})


async def told(room: Room) -> list[str]:
    """What was said about fragments."""
    return [message.text for message in (await room.transcript()).messages if message.kind is MessageKind.FRAGMENT]


async def until_told(room: Room, beginning: str) -> list[str]:
    """Wait until the last thing that was said about fragments begins so."""
    return await eventually(lambda: told(room), lambda texts: texts and texts[-1].startswith(beginning))


# The ways to run one


async def test_while_a_synchronous_one_runs_turns_are_held_and_its_result_is_known_afterwards(
    rooms: Rooms, agency: Agency
) -> None:
    room = await opened(rooms)
    await room.send(errand(slow=True))
    [running] = (await room.until(lambda status: status.invocations)).invocations
    assert (running.status, running.workflow_id) == (InvocationStatus.RUNNING, f"{room.id}/Errand-1")
    await room.say("ben", "hello")
    assert (await room.until(lambda status: status.held)).turns == 0
    agency.let_go(f"{room.id}/Errand-1", "seat")
    assert await room.said(1) == [("ben", "hello")]
    assert (await told(room))[-1] == 'Errand gave {"what": "seat to Rome"}'
    result = await room.close()
    assert result.facts == {"seat": SEAT}
    assert [one.status for one in result.invocations] == [InvocationStatus.SUCCEEDED]


async def test_while_an_asynchronous_one_runs_the_conversation_goes_on(rooms: Rooms, agency: Agency) -> None:
    room = await opened(rooms)
    await room.send(errand(slow=True, mode=ASYNC))
    await room.say("ben", "hello")
    assert await room.said(1) == [("ben", "hello")]
    agency.let_go(f"{room.id}/Errand-1", "seat")
    await until_told(room, "Errand gave")
    await room.close()


async def test_nobody_waits_for_a_detached_one(rooms: Rooms, client: Client, agency: Agency) -> None:
    room = await opened(rooms)
    await room.submit(errand(slow=True, mode=DETACHED))
    result = await room.close()
    [left] = result.invocations
    assert (left.status, left.workflow_id) == (InvocationStatus.DETACHED, f"{room.id}/Errand-1")
    agency.let_go(f"{room.id}/Errand-1", "seat")
    assert await client.get_workflow_handle(f"{room.id}/Errand-1").result() == SEAT


async def test_what_is_missing_is_asked_for_and_an_answer_goes_on(rooms: Rooms) -> None:
    room = await opened(rooms)
    answer = await room.submit(Invoke(speaker="ann", fragment="Errand"))
    assert answer == Answer(disposition=Disposition.RECORDED, seq=1)
    assert await told(room) == ["asks for Errand", "Errand needs place (text); please answer message 2"]
    await room.send(Turn(speaker="ben", text="Rome", in_reply_to=2))
    await until_told(room, 'Errand gave {"what": "seat to Rome"}')
    await room.close()


async def test_one_that_fails_is_told_and_can_be_asked_for_again(rooms: Rooms, agency: Agency) -> None:
    room = await opened(rooms)
    agency.sell_out(f"{room.id}/Errand-1", "seat")
    await room.send(errand())
    assert (await until_told(room, "Errand failed"))[-1] == (
        "Errand failed (SoldOut): no seat to be had; it can be asked for again"
    )
    await room.send(errand())
    await until_told(room, "Errand gave")
    assert [one.status for one in (await room.close()).invocations] == ["failed", "succeeded"]


async def test_one_that_can_not_be_started_is_told(rooms: Rooms, client: Client, agency: Agency) -> None:
    room = await opened(rooms)
    name = f"{room.id}/Errand-1"
    await client.start_workflow("Errand", {"place": "x", "slow": ["seat"]}, id=name, task_queue=rooms.task_queue)
    await room.send(errand())
    texts = await until_told(room, "Errand failed")
    assert texts[-1] == (
        f"Errand failed (WorkflowAlreadyStarted): '{name}' is running already; it can be asked for again"
    )
    agency.let_go(name, "seat")
    await room.close()


async def test_one_that_takes_too_long_or_is_cancelled_has_failed(rooms: Rooms, client: Client) -> None:
    context = {"type": "object", "properties": {}}
    offers = [{"name": name, "context": context, "timeout_seconds": 1} for name in ("Nobody", "Anybody")]
    room = await opened(rooms, fragments=offers)
    await room.submit(Invoke(speaker="ann", fragment="Nobody", mode=ASYNC))
    await until_told(room, "Nobody failed (TimedOut): it took too long")
    await room.submit(Invoke(speaker="ann", fragment="Anybody", mode=ASYNC))
    await client.get_workflow_handle(f"{room.id}/Anybody-2").terminate()
    await until_told(room, "Anybody failed (Terminated): it was terminated")
    await room.close()


async def test_any_workflow_can_be_run_that_is_described_on_whatever_queue(rooms: Rooms, client: Client) -> None:
    context = {"type": "object", "properties": {"who": {"type": "string"}}, "required": ["who"]}
    async with running_worker(client, [Foreign]) as queue:
        room = await opened(
            rooms, fragments=[{"name": "Foreign", "context": context, "task_queue": queue}], facts={"who": "Eve"}
        )
        await room.send(Invoke(speaker="ann", fragment="Foreign"))
        await until_told(room, 'Foreign gave "Eve was here"')
        await room.close()


async def test_one_may_hold_a_conversation_of_its_own_and_come_back(rooms: Rooms, client: Client) -> None:
    room = await opened(rooms)
    await room.send(Invoke(speaker="ann", fragment="Counsel", arguments={"topic": "Which place?"}))
    inner = Room(client, f"{room.id}/Counsel-1/choice-1")
    await eventually(lambda: is_open(inner))
    await room.say("ben", "they talk")
    await inner.say("ann", "Oslo?")
    await inner.send(Propose(speaker="bob", outcome={"place": "Oslo", "nights": 2}))
    await until_told(room, 'Counsel gave {"place": "Oslo", "nights": 2}')
    assert await room.said(1) == [("ben", "they talk")]
    assert (await room.close()).facts == {"Counsel": {"place": "Oslo", "nights": 2}}


async def is_open(room: Room) -> bool:
    """Whether a conversation has been opened; it has no run before."""
    listed = [run.id async for run in room.client.list_workflows(f"WorkflowId = '{room.id}'")]
    return bool(listed)


async def test_an_ai_participant_has_one_run_and_goes_on_with_its_result(rooms: Rooms) -> None:
    room = await opened(rooms, ANN, BOT, fragments=["Errand"])
    await room.say("ann", "Rome")
    assert await room.said(2) == [("ann", "Rome"), ("bot", 'Done: Errand gave {"what": "seat to Rome"}')]
    assert (await told(room))[0] == 'asks for Errand {"place": "Rome"}'
    await room.close()


async def test_a_synchronous_one_costs_13_events_and_nothing_is_written_of_who_is_waited_for(rooms: Rooms) -> None:
    room = await opened(rooms)
    await room.say("ben", "hello")
    await room.taken(1)
    before = len(await room.events())
    await room.send(errand())
    await until_told(room, "Errand gave")
    await room.until(lambda status: not status.invocations)
    assert len(await room.events()) - before == 13
    await room.close()


# What is refused


async def test_an_unknown_one_is_a_rejection_and_a_message_and_the_conversation_goes_on(rooms: Rooms) -> None:
    room = await opened(rooms)
    await room.send(Invoke(speaker="ann", fragment="Erand"))
    [rejection] = (await room.rejections(1)).recent
    assert rejection.type is ErrorType.WORKFLOW_NOT_AVAILABLE
    assert await told(room) == [f"ann asked for Erand (WorkflowNotAvailable): {rejection.reason}"]
    await room.say("ben", "hello")
    assert await room.said(1) == [("ben", "hello")]
    await room.close()


async def test_an_update_that_asks_for_an_unknown_one_is_refused_and_nothing_recorded(rooms: Rooms) -> None:
    room = await opened(rooms)
    await room.status()
    error = await room.refusal("submit_invoke", Invoke(speaker="ann", fragment="Erand"))
    assert (error.type, error.message) == (
        ErrorType.WORKFLOW_NOT_AVAILABLE,
        "there is no fragment 'Erand' here; there are: Errand, Counsel",
    )
    assert await told(room) == []
    await room.close()


@pytest.mark.parametrize(
    ("fragments", "reason"),
    [
        (["Errand", "Erand"], "fragments.1: there is no fragment 'Erand'; did you mean 'Errand'?"),
        (["Errand", "Errand"], "fragments: 'Errand' is named twice"),
        ([{"name": "X", "context": {}}], "fragments.0.context: it must be of the type object, with properties"),
        (["no name"], "fragments.0.name: String should match pattern"),
    ],
)
async def test_a_setup_whose_fragments_there_are_not_is_refused_at_the_start(
    rooms: Rooms, client: Client, fragments: list[object], reason: str
) -> None:
    setup = setup_of(ANN, BEN).model_dump(mode="json") | {"fragments": fragments}
    name = f"{rooms.task_queue}-{abs(hash(str(fragments)))}"
    with pytest.raises(WorkflowFailureError) as failed:
        await client.execute_workflow("Conversation", setup, id=name, task_queue=rooms.task_queue)
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == ErrorType.INVALID_INPUT
    assert reason in failed.value.cause.message


# The same again


async def test_what_is_asked_for_twice_is_run_once(rooms: Rooms, agency: Agency) -> None:
    room = await opened(rooms)
    first = errand(slow=True, mode=ASYNC)
    marked = first.model_copy(update={"id": "i-1"})
    assert (await room.submit(first)).disposition is Disposition.RECORDED
    assert (await room.submit(first)).disposition is Disposition.DUPLICATE
    assert (await room.submit(marked)).disposition is Disposition.DUPLICATE
    agency.let_go(f"{room.id}/Errand-1", "seat")
    await until_told(room, "Errand gave")
    assert (await room.submit(marked)).disposition is Disposition.DUPLICATE
    assert len(await room.events(INITIATED)) == 1
    await room.close()


# Beyond a run of the conversation


async def continued(room: Room) -> None:
    """Let Ben speak until the conversation has continued as new."""
    before, turns = (await room.handle.describe()).run_id, (await room.status()).turns
    while (await room.handle.describe()).run_id == before:
        turns += 1
        await room.say("ben", f"{turns}")
        await room.taken(turns)


async def test_what_becomes_of_them_is_told_in_the_continued_run(rooms: Rooms, agency: Agency) -> None:
    room = await opened(rooms, history_events=50, window=100)
    for place in ("Rome", "Oslo"):
        await room.submit(errand(place, slow=True, mode=ASYNC))
    agency.sell_out(f"{room.id}/Errand-2", "seat")
    await continued(room)
    await eventually(lambda: room.events(SCHEDULED), lambda asked: len(asked) == 2)
    assert (await room.submit(errand(slow=True))).disposition is Disposition.DUPLICATE
    agency.let_go(f"{room.id}/Errand-1", "seat")
    await until_told(room, "Errand gave")
    agency.let_go(f"{room.id}/Errand-2", "seat")
    await until_told(room, "Errand failed (SoldOut): no seat to be had")
    result = await room.close()
    assert result.facts == {"seat": SEAT}
    assert [one.status for one in result.invocations] == ["succeeded", "failed"]


async def test_one_that_ends_after_the_conversation_is_listed_as_running_and_keeps_its_result(
    rooms: Rooms, client: Client, agency: Agency
) -> None:
    room = await opened(rooms)
    await room.submit(errand(slow=True, mode=ASYNC))
    [left] = (await room.close()).invocations
    assert left.status is InvocationStatus.RUNNING
    assert left.workflow_id is not None
    agency.let_go(left.workflow_id, "seat")
    assert await client.get_workflow_handle(left.workflow_id).result() == SEAT


async def test_one_that_is_asked_for_as_the_conversation_ends_is_started_all_the_same(
    client: Client, agency: Agency
) -> None:
    rooms = Rooms(client, f"test-{uuid4()}")
    room = await opened(rooms)
    await room.send(errand(slow=True, mode=ASYNC))
    await room.send(Close(speaker="ann"))
    async with running_worker(client, [*FLOWS, Conversation], agency.activities, task_queue=rooms.task_queue):
        [left] = (await room.result()).invocations
        agency.let_go(f"{room.id}/Errand-1", "seat")
        assert await client.get_workflow_handle(left.workflow_id or "").result() == SEAT


@pytest.mark.parametrize("after", ["at once", "continued"])
async def test_a_conversation_that_is_cancelled_cancels_what_is_waited_for(
    rooms: Rooms, client: Client, agency: Agency, after: str
) -> None:
    room = await opened(rooms, history_events=50)
    await room.submit(errand("Rome", slow=True, mode=ASYNC))
    await room.submit(errand("Oslo", slow=True, mode=DETACHED))
    if after == "continued":
        await continued(room)
    await room.submit(errand("Bern", slow=True))
    await room.handle.cancel()
    with pytest.raises(WorkflowFailureError) as failed:
        await room.result()
    assert isinstance(failed.value.cause, CancelledError)
    for number in (1, 3):
        with pytest.raises(WorkflowFailureError) as failed:
            await client.get_workflow_handle(f"{room.id}/Errand-{number}").result()
        assert isinstance(failed.value.cause, CancelledError)
    detached = client.get_workflow_handle(f"{room.id}/Errand-2")
    assert (await detached.describe()).status is WorkflowExecutionStatus.RUNNING
    agency.let_go(detached.id, "seat")


async def test_a_later_release_does_not_change_what_a_conversation_was_offered(rooms: Rooms) -> None:
    room = await opened(rooms, ANN, person("lea", *ANYTHING, role="lead"), fragments=["Errand"])
    await room.send(errand())
    await until_told(room, "Errand gave")
    earlier, [flow] = REGISTRY.fragments["Errand"], [flow for flow in FLOWS if flow.__name__ == "Errand"]
    REGISTRY.add(workflows=[compiled(fragment=Fragment(roles=("lead",), fact="place"))(flow.__bases__[0])])
    try:
        assert REGISTRY.fragments["Errand"] != earlier
        await replayer([Conversation]).replay_workflow(await room.handle.fetch_history())
        await room.send(errand("Oslo"))
        await until_told(room, 'Errand gave {"what": "seat to Oslo"}')
        later = await opened(rooms, ANN, person("lea", *ANYTHING, role="lead"), fragments=["Errand"])
        await later.send(errand())
        assert "is for the roles lead" in (await later.rejections(1)).recent[0].reason
        await later.close()
    finally:
        REGISTRY.add(workflows=[flow])
    assert (await room.close()).facts == {"seat": {"what": "seat to Oslo"}}
