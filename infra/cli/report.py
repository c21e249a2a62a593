"""`report`: counts what happened to the runs of a namespace: paradigms, modes, transitions, waiting, cost."""

import argparse
import asyncio
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from temporalio.client import Client

from infra.cli.commands import Commands
from infra.connection import connect
from infra.errors import SetupError
from infra.printable import printable
from infra.reports.counting import Counting
from infra.reports.reading import histories, number_of, query_of
from infra.reports.sheets import Sheet, remarks, sheets
from infra.reports.tallies import Report
from infra.reports.words import number

LIMIT: Final = 1000
"""How many histories are read, where nothing else is said."""

MOST_WIDTH: Final = 26
"""Up to how many characters a cell is kept on one line where there is little room."""

_AGO: Final = re.compile(r"(\d{1,6})(min|h|d|w)")
_UNITS: Final = {
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command."""
    parser = commands.add_parser(
        "report",
        help="count what happened to runs: modes, transitions, waiting, cost",
        description="Count what happened to the runs of the namespace: which paradigms were chosen and why, time and "
        "success by mode, what moved runs and how that ended, where people were waited for, what conversations cost.",
    )
    parser.add_argument(
        "--query", metavar="QUERY", help="only these runs: a visibility query, as `temporal workflow list` takes"
    )
    parser.add_argument(
        "--since",
        type=_moment,
        metavar="TIME",
        help="only runs begun since then: 7d, 12h, 30min, or 2026-01-31[T12:00]",
    )
    parser.add_argument(
        "--limit", type=_limit, default=LIMIT, help="how many histories are read, the latest runs first (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object, for programs")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with charts as well")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print the report.

    Raises:
        SetupError: The namespace can't be searched, or the page can't be written.
    """
    file: Path | None = options.html
    report = asyncio.run(_count(query_of(options.query, options.since), options.limit))
    if options.json:
        print(report.model_dump_json(indent=2))
    else:
        show(report, Console(markup=False, highlight=False, emoji=False))
    if file is not None:
        _write(file, report)
    return 0


async def _count(query: str, limit: int) -> Report:
    client = await connect()
    counting = Counting(datetime.now(UTC))
    there = await number_of(client, query)
    await _read(client, query, min(limit, there), counting)
    return counting.report(client.namespace, query, more=there > limit)


async def _read(client: Client, query: str, total: int, counting: Counting) -> None:
    """Read the histories, and show on the terminal how far that is."""
    screen = Console(stderr=True)
    columns = (TextColumn("reading histories"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task("", total=total)
        async for read in histories(client, query, total):
            if read.part is None:
                counting.add_foreign(read.workflow)
            else:
                counting.add(read.part)
            if read.unread:
                counting.add_unread(read.unread)
            progress.advance(task)


def show(report: Report, console: Console) -> None:
    """Print a report as tables."""
    found = f" of {report.query}" if report.query else ""
    console.print(Text(printable(f"{number(report.runs)} runs in {report.namespace}{found}")), soft_wrap=True)
    for remark in remarks(report):
        console.print(Text(printable(remark), "yellow"), soft_wrap=True)
    for sheet in sheets(report):
        console.print()
        console.print(Text(sheet.title, "bold"))
        table = _table(sheet)
        # What doesn't fit is broken by the terminal, not cut off.
        width = max(console.width, Measurement.get(console, console.options, table).minimum)
        console.print(table, width=width, crop=False)
        if sheet.note:
            console.print(Text(sheet.note, "dim"))


def _table(sheet: Sheet) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for column in sheet.columns:
        longest = max(map(len, column.cells), default=0)
        table.add_column(
            column.name,
            justify="right" if column.is_number else "left",
            no_wrap=column.is_number,
            min_width=min(longest, MOST_WIDTH),
            overflow="fold",
        )
    for row in sheet.rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def _write(file: Path, report: Report) -> None:
    try:
        from infra.reports.page import page  # half a second, and not installed where no page is written
    except ModuleNotFoundError as error:
        raise SetupError(
            f"{error.name} is not installed, which the page is drawn with: install Parley with its extra 'report'"
        ) from error
    try:
        file.write_text(page(report), encoding="utf-8")
    except OSError as error:
        raise SetupError(f"'{file}' can't be written: {error.strerror}") from error
    print(f"The page is {file}", file=sys.stderr)


def _moment(text: str) -> datetime:
    if ago := _AGO.fullmatch(text):
        return datetime.now(UTC) - int(ago[1]) * _UNITS[ago[2]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: say 7d, 12h, 30min, or 2026-01-31[T12:00]") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _limit(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of runs")
    return int(text)
