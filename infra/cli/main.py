"""`temporal parley`: looks at workflows before they run, and while they do; takes part in their conversations."""

import argparse
import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import Final, NoReturn

from infra.cli import (
    chat,
    check,
    codec,
    config,
    diagram,
    inbox,
    keys,
    pipeline,
    replay,
    report,
    rollout,
    schema,
    sign,
    transcript,
)
from infra.errors import SetupError

FAILED: Final = 2
"""The exit status when something couldn't be done."""

INTERRUPTED: Final = 130
"""The exit status after Ctrl-C, as shells have it."""


def main() -> NoReturn:
    """Run the command, and end the process with its status: 0, or what the subcommand says, or `FAILED`."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # not every terminal has every letter
    try:
        status = _run(command_line().parse_args())
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        status = FAILED  # who was reading has had enough
    except KeyboardInterrupt:
        status = INTERRUPTED
    # The SDK's runtime sometimes crashes while the interpreter goes down, when all is done.
    os._exit(status)


def _run(options: argparse.Namespace) -> int:
    # Python puts the command's own folder there; modules are meant to be found as `python -m` finds them.
    sys.path.insert(0, str(Path.cwd()))
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except SetupError as error:
        print(f"parley: {error}", file=sys.stderr)
        return FAILED


def command_line() -> argparse.ArgumentParser:
    """Describe what the command takes: its subcommands, each with its options."""
    parser = argparse.ArgumentParser(
        prog="temporal parley",
        description="Look at Parley's workflows before they run, and while they do; take part in their conversations.",
        epilog="Each command has its own --help. Which server: as for Temporal's own, by `temporal config set`, "
        "TEMPORAL_ADDRESS, TEMPORAL_PROFILE, ... Settings: parley.toml; `temporal parley config` shows those in force.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    check.add_to(commands)
    diagram.add_to(commands)
    config.add_to(commands)
    schema.add_to(commands)
    chat.add_to(commands)
    inbox.add_to(commands)
    transcript.add_to(commands)
    report.add_to(commands)
    keys.add_to(commands)
    sign.add_to(commands)
    codec.add_to(commands)
    pipeline.add_to(commands)
    replay.add_to(commands)
    rollout.add_to(commands)
    return parser
