"""`replay`: tells which open runs this code could not go on with, before it is rolled out."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

from rich.console import Console
from rich.progress import Progress
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from infra.cli.commands import Commands
from infra.cli.loading import load
from infra.config import load_config
from infra.connection import connect
from infra.errors import SetupError
from infra.printable import flat
from infra.replay import dealt_with, reason, replayer

OK: Final = 0
CHANGED: Final = 1

OPEN: Final = 'ExecutionStatus="Running"'
MOST: Final = 1000
ANSWER_TIMEOUT: Final = timedelta(seconds=30)

_EPILOG: Final = (
    "Exit status: 0 if this code can go on with all of them, 1 if not, 2 if that can't be told. Nothing is sent to the "
    "runs, and no worker is needed."
)


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command."""
    parser = commands.add_parser("replay", help="tell which open runs this code could not go on with", epilog=_EPILOG)
    parser.add_argument("--query", default=OPEN, metavar="QUERY", help="which runs, as for `temporal workflow list`")
    parser.add_argument("--most", type=int, default=MOST, metavar="N", help="the latest, at most (%(default)s)")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Replay runs.

    Returns:
        The exit status.

    Raises:
        SetupError: The server can't be asked, or a module of workflows can't be imported.
    """
    loaded = load([])
    if loaded.failures:
        raise SetupError(loaded.failures[0])
    replayed, changed = asyncio.run(_replay(options.query, options.most, loaded.workflows))
    for line in changed:
        print(line)
    print(
        f"{replayed} {'run' if replayed == 1 else 'runs'} replayed, {len(changed) or 'none'} can't go on with this code"
    )
    return CHANGED if changed else OK


async def _replay(query: str, most: int, workflows: list[type]) -> tuple[int, list[str]]:
    client = await connect()
    sandbox = load_config().worker.sandbox
    replayed, changed = 0, []
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("replaying", total=None)
        replaying = replayer(workflows, converter=client.data_converter, sandbox=sandbox)
        try:
            async with replaying.workflow_replay_iterator(_histories(client, query, most)) as results:
                async for result in results:
                    replayed += 1
                    progress.advance(task)
                    if result.replay_failure is not None:
                        changed.append(f"{result.history.workflow_id}: {reason(result.replay_failure)}")
        except RPCError as error:
            raise SetupError(f"the namespace '{client.namespace}' can't be read: {flat(error.message)}") from error
    return replayed, changed


async def _histories(client: Client, query: str, most: int) -> AsyncIterator[WorkflowHistory]:
    async for found in client.list_workflows(query, limit=most):
        handle = client.get_workflow_handle(found.id, run_id=found.run_id)
        try:
            history = await handle.fetch_history(rpc_timeout=ANSWER_TIMEOUT)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                continue  # it was deleted a moment ago
            raise
        if events := dealt_with(history.events):
            yield WorkflowHistory(found.id, events)
