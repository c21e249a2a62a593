"""`rollout`: says which version of the workers new runs go to."""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from rich.console import Console
from rich.table import Table

from infra.cli.commands import Commands
from infra.config import load_config
from infra.connection import connect
from infra.errors import SetupError
from infra.rollouts import Rollout, Stage, Version

PATIENCE: Final = 60
"""Seconds to wait for a version's workers."""

Step = Callable[[Rollout, argparse.Namespace], Awaitable[str]]


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command."""
    steps = commands.add_parser("rollout", help="move new runs to another version of the workers").add_subparsers(
        metavar="STEP", required=True
    )
    status = steps.add_parser("status", help="list the versions, with the runs that are open on each")
    status.add_argument("--json", action="store_true", help="print a JSON list, for programs")
    to = steps.add_parser("to", help="let new runs go to a version", epilog="Open conversations end on theirs.")
    to.add_argument("build_id", metavar="BUILD_ID", help="the version: [worker] build_id of its workers")
    to.add_argument("--percentage", type=_percentage, metavar="N", help="of the new runs; all of them when left out")
    to.add_argument("--wait", type=int, default=PATIENCE, metavar="SECONDS", help="for its workers (%(default)s)")
    back = steps.add_parser("back", help="end a ramp, or return to the version before")
    for parser, step in ((status, _status), (to, _to), (back, _back)):
        parser.add_argument("--deployment", metavar="NAME", help="the worker deployment (default: that of parley.toml)")
        parser.set_defaults(command=run, step=step)


def run(options: argparse.Namespace) -> int:
    """Take a step.

    Raises:
        SetupError: No deployment is named, or the server refuses.
    """
    print(asyncio.run(_taken(options)))
    return 0


async def _taken(options: argparse.Namespace) -> str:
    deployment: str | None = options.deployment or load_config().worker.deployment
    if deployment is None:
        raise SetupError("name the deployment with --deployment, or as [worker] deployment")
    step: Step = options.step
    return await step(Rollout(await connect(), deployment), options)


async def _status(rollout: Rollout, options: argparse.Namespace) -> str:
    versions = await rollout.versions()
    if options.json:
        return json.dumps([version.model_dump(mode="json") for version in versions], indent=2)
    return _table(versions)


async def _to(rollout: Rollout, options: argparse.Namespace) -> str:
    await rollout.to(options.build_id, options.percentage, timedelta(seconds=options.wait))
    share = "New runs" if options.percentage is None else f"{options.percentage:g}% of new runs"
    return f"{share} go to {options.build_id}."


async def _back(rollout: Rollout, options: argparse.Namespace) -> str:
    return f"New runs go to {await rollout.back()}."


def _table(versions: list[Version]) -> str:
    table = Table("version", "is", "since", "open runs", box=None, pad_edge=False)
    for version in versions:
        part = f" {version.percentage:g}%" if version.stage is Stage.RAMPING else ""
        table.add_row(
            version.build_id, f"{version.stage}{part}", f"{version.since:%Y-%m-%d %H:%M}", str(version.open_runs)
        )
    console = Console(markup=False, highlight=False, emoji=False)
    with console.capture() as shown:
        console.print(table)
    return shown.get().rstrip()


def _percentage(text: str) -> float:
    try:
        percentage = float(text)
    except ValueError:
        percentage = -1
    if not 0 < percentage <= 100:
        raise argparse.ArgumentTypeError("a percentage is more than 0, and at most 100")
    return percentage
