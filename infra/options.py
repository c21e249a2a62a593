"""The worker's command line."""

import argparse
from pathlib import Path
from typing import Final

from infra.devserver import PORT, UI_OFFSET
from infra.table import MAX_PORT

DATABASE: Final = Path("var/temporal.db")
"""Where the development server keeps runs, by default."""


def worker_options() -> argparse.ArgumentParser:
    """Describe what the worker's command line takes."""
    parser = argparse.ArgumentParser(
        prog="worker.py",
        description="Run Parley's workflows and activities. Which Temporal server it works for is set as for "
        "Temporal's own tools: `temporal config set`, TEMPORAL_ADDRESS, TEMPORAL_PROFILE, ...",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the settings (default: ./parley.toml, if there)")
    parser.add_argument("--prepare", action="store_true", help="make the example's database if it isn't there; stop")
    dev = parser.add_argument_group("with a development server of its own")
    dev.add_argument("--dev", action="store_true", help="start one, and stop it with the worker")
    dev.add_argument("--port", type=_port, default=PORT, help="where it listens (default: %(default)s; 0: any)")
    dev.add_argument("--ui-port", type=_port, help=f"where its Web UI listens (default: the port + {UI_OFFSET})")
    dev.add_argument("--db", type=Path, default=DATABASE, metavar="FILE", help="where it keeps runs (%(default)s)")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= MAX_PORT:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to {MAX_PORT}")
    return port


def ui_port(options: argparse.Namespace) -> int:
    """Where the Web UI of a development server listens; 0 for any port."""
    if isinstance(options.ui_port, int):
        return options.ui_port
    usual: int = options.port + UI_OFFSET
    return usual if options.port and usual <= MAX_PORT else 0
