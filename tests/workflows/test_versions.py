"""Two versions of the workers at once: what is open ends where it began, what is new goes where it should."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from infra.config import Config, Versioning, WorkerSettings
from infra.devserver import DevServer
from infra.errors import SetupError
from infra.rollouts import Rollout, Stage
from tests.flows.boundary import Depot, Parcel
from tests.harness import eventually, running_worker
from tests.replay.changed import ChangedConversation
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Room, Rooms
from tests.workflows.shell import Spoken, command
from worker import create_worker
from workflows.conversation.workflow import Conversation

TASK_COMPLETED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED


class Site:
    """A deployment of its own, and the workers of its versions."""

    def __init__(self, client: Client, server: DevServer) -> None:
        self.client = client
        self.server = server
        self.deployment = f"site-{uuid4().hex[:8]}"
        self.queue = f"{self.deployment}-queue"
        self.rooms = Rooms(client, self.queue)
        self.rollout = Rollout(client, self.deployment)

    def worker(self, build_id: str, versioning: Versioning = Versioning.PINNED) -> AbstractAsyncContextManager[object]:
        """The workers of a version."""
        settings = WorkerSettings(
            task_queue=self.queue, deployment=self.deployment, build_id=build_id, versioning=versioning
        )
        return create_worker(self.client, Config(worker=settings), workflows=[Conversation, Depot], activities=[])

    async def command(self, *words: str) -> Spoken:
        """Run `temporal parley rollout`."""
        return await command(self.server, "rollout", *words, "--deployment", self.deployment)

    async def to(self, build_id: str, percentage: float | None = None) -> None:
        """Let new runs go to a version."""
        await self.rollout.to(build_id, percentage, timedelta(seconds=20))

    async def open(self) -> Room:
        """Open a conversation in which something was said."""
        room = await self.rooms.open(ANN, BEN, coordination=FREE_FORM)
        await room.say("ann", "hello")
        await room.taken(1)
        return room


@pytest.fixture
async def workers() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def site(client: Client, server: DevServer) -> Site:
    return Site(client, server)


async def versions_of(room: Room) -> set[str]:
    """The versions that moved a conversation on."""
    tasks = await room.events(TASK_COMPLETED)
    return {task.workflow_task_completed_event_attributes.deployment_version.build_id for task in tasks}


def at_least(count: int, events: list[HistoryEvent]) -> bool:
    return len(events) >= count


async def test_an_open_conversation_ends_on_its_version_and_new_ones_go_to_the_new(
    site: Site, workers: AsyncExitStack
) -> None:
    await workers.enter_async_context(site.worker("1"))
    first = await site.command("to", "1")
    assert (first.status, first.output, first.errors) == (0, "New runs go to 1.\n", "")
    old = await site.open()
    await workers.enter_async_context(site.worker("2"))
    await site.to("2")
    new = await site.open()
    await old.say("ben", "still here?")
    await old.taken(2)
    assert (await versions_of(old), await versions_of(new)) == ({"1"}, {"2"})
    shown = (await site.command("status")).output.splitlines()
    assert sorted(line.split()[:2] for line in shown[1:]) == [["1", "draining"], ["2", "current"]]
    for room in (old, new):
        await room.close()
    assert (await versions_of(old), await versions_of(new)) == ({"1"}, {"2"})


async def test_a_part_of_the_new_runs_tries_a_version_and_a_step_back_ends_that(
    site: Site, workers: AsyncExitStack
) -> None:
    for build_id in ("1", "2"):
        await workers.enter_async_context(site.worker(build_id))
    await site.to("1")
    await site.to("2", percentage=100)
    tried = await site.open()
    assert await versions_of(tried) == {"2"}
    versions = {version.build_id: (version.stage, version.percentage) for version in await site.rollout.versions()}
    assert versions == {"1": (Stage.CURRENT, None), "2": (Stage.RAMPING, 100)}
    assert await site.rollout.back() == "1"
    after = await site.open()
    assert await versions_of(after) == {"1"}
    for room in (tried, after):
        await room.close()


async def test_a_step_back_after_a_whole_rollout_returns_to_the_version_before(
    site: Site, workers: AsyncExitStack
) -> None:
    for build_id in ("1", "2"):
        await workers.enter_async_context(site.worker(build_id))
        await site.to(build_id)
    assert await site.rollout.back() == "1"
    room = await site.open()
    assert await versions_of(room) == {"1"}
    await room.close()


async def test_where_the_setting_says_so_a_run_goes_on_with_the_new_version_but_no_conversation(
    site: Site, workers: AsyncExitStack
) -> None:
    for build_id in ("1", "2"):
        await workers.enter_async_context(site.worker(build_id, Versioning.AUTO_UPGRADE))
    await site.to("1")
    depot = await site.client.start_workflow("Depot", id=f"{site.deployment}-depot", task_queue=site.queue)
    run, talk = Room(site.client, depot.id), await site.open()
    await eventually(lambda: versions_of(run), lambda versions: versions == {"1"})
    await site.to("2")
    await depot.signal("typed", Parcel(id="P-1", weight=1))
    await depot.signal("close")
    assert await depot.result() == ["P-1"]
    await talk.close()
    assert (await versions_of(run), await versions_of(talk)) == ({"1", "2"}, {"1"})


async def test_what_cannot_be_done_is_told_in_a_line(site: Site, workers: AsyncExitStack) -> None:
    with pytest.raises(SetupError, match=r"there is no worker deployment .* no versioned worker was ever started"):
        await site.rollout.versions()
    with pytest.raises(SetupError, match=r"has the version '3': start them with \[worker\] deployment"):
        await site.rollout.to("3", None, timedelta(0))
    await workers.enter_async_context(site.worker("1"))
    await site.to("1")
    with pytest.raises(SetupError, match="there is no version before '1' to go back to"):
        await site.rollout.back()


async def test_before_a_rollout_the_open_runs_that_the_code_cannot_go_on_with_are_named(
    client: Client, server: DevServer
) -> None:
    rooms = []
    for conversation, tasks in ((Conversation, 1), (ChangedConversation, 2)):  # which waits a second between the two
        async with running_worker(client, [conversation]) as queue:
            room = await Rooms(client, queue).open(ANN, BEN)
            await eventually(partial(room.events, TASK_COMPLETED), partial(at_least, tasks))
            rooms.append(room)
    kept, changed = rooms
    told = await command(server, "replay", "--query", f'WorkflowId IN ("{kept.id}", "{changed.id}")')
    [named, counted] = told.output.splitlines()
    assert named.startswith(f"{changed.id}: [TMPRL1100] Nondeterminism error: ")
    assert (told.status, counted) == (1, "2 runs replayed, 1 can't go on with this code")
    for room in rooms:
        await room.handle.terminate()
