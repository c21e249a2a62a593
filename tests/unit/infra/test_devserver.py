import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from temporalio.client import WorkflowExecutionStatus

from infra.connection import SEARCH_ATTRIBUTES, connect
from infra.devserver import DevServer
from infra.errors import SetupError
from tests.harness import temporal


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which something else listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


async def test_a_taken_port_is_told_with_the_option_that_changes_it(taken: int) -> None:
    with pytest.raises(SetupError, match=rf"^port {taken} can't be used \(Address already in use\).* with --port$"):
        async with DevServer(port=taken):
            pass


async def test_a_taken_port_of_the_web_ui_is_told_with_its_own_option(taken: int) -> None:
    with pytest.raises(SetupError, match=rf"^port {taken} .* with --ui-port$"):
        async with DevServer(ui_port=taken):
            pass


async def test_a_server_that_does_not_come_up_is_told_with_what_it_said() -> None:
    with pytest.raises(SetupError, match="unknown flag: --nonsense"):
        async with DevServer(extra=("--nonsense",)):
            pass


async def test_it_leaves_no_process() -> None:
    before = set(psutil.Process().children())
    async with DevServer():
        assert len(set(psutil.Process().children()) - before) == 1
    assert set(psutil.Process().children()) <= before


async def test_its_runs_outlive_it_in_its_file(tmp_path: Path) -> None:
    db = tmp_path / "var" / "temporal.db"
    async with DevServer(db=db) as first:
        client = await connect(first.address)
        await client.start_workflow("Any", id="run-1", task_queue="none")
    async with DevServer(db=db) as second:
        client = await connect(second.address)
        description = await client.get_workflow_handle("run-1").describe()
        assert description.status is WorkflowExecutionStatus.RUNNING


async def test_it_knows_the_search_attributes(server: DevServer) -> None:
    listed = await temporal(server, "operator", "search-attribute", "list")
    assert all(name in listed for name in SEARCH_ATTRIBUTES)
