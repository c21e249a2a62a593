"""`diagram`: draws a workflow's steps; of a run, with where each stands."""

import argparse
import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Final

from temporalio.client import Client, WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.service import RPCError, RPCStatusCode

from infra.cli.commands import Commands
from infra.cli.loading import load
from infra.connection import connect
from infra.errors import SetupError
from workflows.compiled.diagram import mermaid
from workflows.compiled.plan import plan_of
from workflows.composition.composite import NamedComposite
from workflows.composition.diagram import mermaid as draw

TEXT: Final = ".mmd"
IMAGES: Final = (".svg", ".png")
ANSWER_TIMEOUT: Final = timedelta(seconds=10)


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command."""
    parser = commands.add_parser("diagram", help="draw a workflow, or a run with the state of its steps")
    parser.add_argument("type", nargs="?", metavar="TYPE", help="the workflow type; not needed with --run")
    parser.add_argument("--run", metavar="ID", help="a run, by its workflow id")
    parser.add_argument("--module", metavar="MODULE", help="where to find the type (default: as for check)")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=f"where to draw it: {TEXT}, .svg or .png (default: Mermaid, printed)"
    )
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Draw the diagram.

    Raises:
        SetupError: There is no such type or run, or the file can't be written.
    """
    out: Path | None = options.out
    if out and out.suffix not in (TEXT, *IMAGES):
        raise SetupError(f"{out}: the name must end with {TEXT}, {' or '.join(IMAGES)}")
    if options.run:
        text = asyncio.run(_of_run(options.run, options.type))
    elif options.type:
        text = _of_type(options.type, options.module)
    else:
        raise SetupError("name a workflow type, or a run with --run")
    if out is None:
        print(text, end="")
        return 0
    try:
        out.write_bytes(text.encode() if out.suffix == TEXT else _drawn(text, out.suffix))
    except OSError as error:
        raise SetupError(f"{out}: {error.strerror}") from error
    return 0


def _of_type(name: str, module: str | None) -> str:
    loaded = load([module] if module else [])
    if loaded.failures:
        raise SetupError(loaded.failures[0])
    types = {cls.__name__: cls for cls in loaded.workflows}
    if name not in types:
        others = f"there are: {', '.join(types)}" if types else "`temporal parley check` says why"
        raise SetupError(f"there is no workflow type '{name}'; {others}")
    flow = types[name]
    if plan := plan_of(flow):
        return mermaid(plan)
    if issubclass(flow, NamedComposite):
        return draw(flow.part)
    raise SetupError(f"'{name}' has no plan to draw: it is neither compiled nor composed")


async def _of_run(workflow_id: str, expected: str | None) -> str:
    client = await connect()
    try:
        return await _definition(client, workflow_id, expected)
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        raise SetupError(f"run '{workflow_id}' can't be drawn: {error}") from error
    except RPCError as error:
        match error.status:
            case RPCStatusCode.NOT_FOUND:
                told = f"there is no run '{workflow_id}' in the namespace '{client.namespace}'"
            case RPCStatusCode.DEADLINE_EXCEEDED | RPCStatusCode.CANCELLED:
                told = f"no worker answers for the run '{workflow_id}': start one that serves its task queue"
            case _:
                told = f"run '{workflow_id}': {error.message}"
        raise SetupError(told) from error


async def _definition(client: Client, workflow_id: str, expected: str | None) -> str:
    handle = client.get_workflow_handle(workflow_id)
    if expected:
        found = (await handle.describe(rpc_timeout=ANSWER_TIMEOUT)).workflow_type
        if found != expected:
            raise SetupError(f"run '{workflow_id}' is a {found}, not a {expected}")
    text: str = await handle.query("definition", result_type=str, rpc_timeout=ANSWER_TIMEOUT)
    return text


def _drawn(text: str, suffix: str) -> bytes:
    import mmdr  # native code of 27 MB: only who wants a picture loads it

    picture = mmdr.render(text)
    return picture.svg().encode() if suffix == ".svg" else picture.png(background="#ffffff")
