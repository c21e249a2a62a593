"""What modules of tests share on the real server; a module that needs another worker says so under the same name."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from activities.relay import RelayActivities
from tests.flows import composition, modes, points
from tests.flows.steps import Agency
from tests.flows.talkers import Talkers
from tests.harness import running_worker
from tests.workflows.composing import Composing
from tests.workflows.pipelines import Crew, Floor
from tests.workflows.rooms import Rooms
from tests.workflows.talks import Talks
from workflows.composition import REGISTRY
from workflows.composition.workflow import Composite
from workflows.conversation.workflow import Conversation
from workflows.library import WORKFLOWS


@pytest.fixture(scope="module")
def agency() -> Agency:
    """What the steps of journeys call."""
    return Agency()


@pytest.fixture(scope="module")
async def task_queue(client: Client, agency: Agency) -> AsyncIterator[str]:
    """A worker that runs journeys, and the conversations that they open."""
    relay = RelayActivities(client)
    activities = [*agency.activities, relay.pass_on, relay.fetch_result]
    async with running_worker(client, [*points.FLOWS, *modes.FLOWS, Conversation], activities) as name:
        yield name
        agency.let_all_go()


@pytest.fixture
def talks(client: Client, task_queue: str) -> Talks:
    """Runs that talk, on the module's worker."""
    return Talks(client, task_queue)


@pytest.fixture
def rooms(client: Client, task_queue: str) -> Rooms:
    """Conversations of their own, on the module's worker."""
    return Rooms(client, task_queue)


@pytest.fixture(scope="module")
async def talkers() -> AsyncIterator[Talkers]:
    """AI participants who reply as a test wants them to."""
    talkers = Talkers()
    yield talkers
    talkers.let_all_go()


@pytest.fixture(scope="module")
async def composing(client: Client) -> AsyncIterator[Composing]:
    """A worker that runs composites."""
    flows = [*composition.FLOWS, Composite]
    REGISTRY.add(workflows=flows, selectors=composition.SELECTORS, predicates=composition.PREDICATES)
    async with running_worker(client, flows, [composition.plus_one]) as name:
        yield Composing(client, name)


@pytest.fixture(scope="module")
def floor(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Floor:
    """Where pipelines work."""
    return Floor(client, tmp_path_factory.mktemp("pipelines"))


@pytest.fixture(scope="module")
async def crew(client: Client, floor: Floor) -> AsyncIterator[Crew]:
    """A worker that runs pipelines, and the people who take part."""
    async with running_worker(client, WORKFLOWS, floor.activities) as name:
        yield Crew(client, name)
