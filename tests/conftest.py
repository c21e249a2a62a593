import sys
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import settings
from temporalio.client import Client

from infra.connection import connect
from infra.devserver import DevServer
from tests.containers.engine import NoEngineError, container_engine
from tests.containers.temporal import TemporalContainer, temporal_image

# The same examples at every run, and no verdict by how busy the machine is: a red test is the code's fault.
settings.register_profile("parley", deadline=None, derandomize=True)
settings.load_profile("parley")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the server be one in a container."""
    parser.addoption(
        "--temporal-image",
        metavar="IMAGE",
        help="use Temporal servers in containers of this image, or of one built here where it can't be pulled",
    )


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Mark the tests that need a server, so that `-m "not server"` leaves them out."""
    for item in items:
        if "server" in item.fixturenames:
            item.add_marker("server")


@pytest.fixture(scope="session")
def image(pytestconfig: pytest.Config) -> Iterator[str]:
    """An image of Temporal's server, and an engine to run it; tests that use it are left out where there is none."""
    official: str | None = pytestconfig.getoption("temporal_image")
    if official is None and sys.platform != "linux":
        pytest.skip("the program of this environment is none for containers: choose an image with --temporal-image")
    try:
        with container_engine():
            yield temporal_image(official)
    except NoEngineError as error:
        if official is not None:
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
async def server(request: pytest.FixtureRequest) -> AsyncIterator[DevServer | TemporalContainer]:
    """A Temporal server, one for each process of tests: a development server in memory, or one in a container."""
    contained = request.config.getoption("temporal_image") is not None
    async with TemporalContainer(request.getfixturevalue("image")) if contained else DevServer() as running:
        yield running


@pytest.fixture(scope="session")
async def client(server: DevServer) -> Client:
    """A client of the server, as the worker has it."""
    return await connect(server.address)
