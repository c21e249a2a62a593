from collections.abc import AsyncIterator

import pytest
from hypothesis import settings
from temporalio.client import Client

from infra.connection import connect
from infra.devserver import DevServer

# The same examples at every run, and no verdict by how busy the machine is.
settings.register_profile("parley", deadline=None, derandomize=True)
settings.load_profile("parley")


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Mark the tests that need a server, so that `-m "not server"` leaves them out."""
    for item in items:
        if "server" in item.fixturenames:
            item.add_marker("server")


@pytest.fixture(scope="session")
async def server() -> AsyncIterator[DevServer]:
    """A development server in memory, one for each process of tests."""
    async with DevServer() as running:
        yield running


@pytest.fixture(scope="session")
async def client(server: DevServer) -> Client:
    """A client of the development server, as the worker has it."""
    return await connect(server.address)
