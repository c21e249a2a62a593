"""A report as tables of text, for the terminal and for the page alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from infra.reports.tallies import Cost, Durations, Endings, Report, WaitRow
from infra.reports.words import duration, money, number, share, size

SHOWN: Final = 20
"""How many rows of a long table are shown; JSON has more."""

BY_ITSELF: Final = "(by itself)"
"""A conversation that no run holds."""


@dataclass(frozen=True)
class Column:
    """A column, and what is in it."""

    name: str
    cells: tuple[str, ...]
    is_number: bool = False
    is_optional: bool = False
    """Left out where there is nothing in it."""

    @property
    def says_something(self) -> bool:
        """Whether something is in it."""
        return any(cell not in ("", "0") for cell in self.cells)


@dataclass(frozen=True)
class Sheet:
    """A table with its heading."""

    key: str
    title: str
    columns: tuple[Column, ...]
    note: str = ""

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The rows, as far as they are shown."""
        return list(zip(*(column.cells for column in self.columns), strict=True))


def sheets(report: Report) -> list[Sheet]:
    """Lay a report out; what nothing is known of is left out."""
    laid = [
        _workflows(report),
        _paradigms(report),
        _modes(report),
        _transitions(report),
        _waits(report),
        _conversations(report),
    ]
    return [sheet for sheet in laid if sheet.rows]


def remarks(report: Report) -> list[str]:
    """What must be known to read it: what was left out, and what could not be read."""
    told = []
    if report.more:
        told.append(
            "There are more runs; these are the latest. Raise --limit, or ask for fewer with --since or --query."
        )
    if report.foreign:
        types = ", ".join(f"{name} ({count})" for name, count in list(report.foreign.items())[:10])
        told.append(f"Left out, since they are other programs': {number(sum(report.foreign.values()))} runs: {types}.")
    for reason, count in list(report.unread.items())[:10]:
        told.append(f"Of {number(count)} runs not everything could be read: {reason}.")
    return told


def _workflows(report: Report) -> Sheet:
    rows = report.workflows[:SHOWN]
    columns = (
        _text("workflow", (row.workflow for row in rows)),
        *_endings([row.ended for row in rows]),
        _count("talked", (row.talked for row in rows)),
        *_took([row.took for row in rows]),
    )
    return _sheet("workflows", "Workflows", columns)


def _paradigms(report: Report) -> Sheet:
    rows = report.paradigms
    columns = (
        _text("paradigm", (row.paradigm for row in rows)),
        *_endings([row.ended for row in rows]),
        _amount("median", (duration(row.took.median) for row in rows)),
        _text("because", ("\n".join(f"{one.count} x {one.text}" for one in row.reasons) for row in rows)),
    )
    return _sheet("paradigms", "Paradigms chosen, and why", columns)


def _modes(report: Report) -> Sheet:
    rows = report.modes
    columns = (
        _text("mode", (row.mode for row in rows)),
        *_endings([row.ended for row in rows]),
        *_spans([row.stays for row in rows], "stays"),
    )
    return _sheet("modes", "Time and success by mode", columns, "A run counts for every mode that it was in.")


def _transitions(report: Report) -> Sheet:
    rows = report.transitions[:SHOWN]
    columns = (
        _text("trigger", (row.trigger or "(not known)" for row in rows)),
        _text("from", (row.source for row in rows)),
        _text("to", (row.target for row in rows)),
        _count("times", (row.count for row in rows), is_optional=False),
        _count("decided", (row.decided for row in rows)),
        _count("undecided", (row.undecided for row in rows)),
        _count("talking", (row.talking for row in rows)),
        *_endings([row.ended for row in rows])[1:-1],
    )
    note = "Decided or not: the conversation that the change opened or ended. Then what became of the runs."
    return _sheet("transitions", "What moved runs, and how that ended", columns, note)


def _waits(report: Report) -> Sheet:
    rows = report.waits[:SHOWN]
    columns = (
        _text("workflow", (row.workflow or BY_ITSELF for row in rows)),
        _text("step", (row.step or "" for row in rows)),
        _text("point", (row.point or "" for row in rows)),
        _text("who", (row.person for row in rows)),
        *_spans([row.waits for row in rows], "times"),
        _count("waits now", (row.waiting for row in rows)),
    )
    return _sheet("waits", "Where people were waited for", columns)


def _conversations(report: Report) -> Sheet:
    rows, all_of_them = report.conversations[:SHOWN], report.all_conversations
    costs: list[Cost] = [*rows, all_of_them]
    if not rows:
        return _sheet("conversations", "", ())
    named = [*(row.conversation for row in rows), f"all {number(all_of_them.conversations)}"]
    columns = (
        _text("conversation", named),
        _count("tokens in", (one.tokens.input for one in costs)),
        _count("tokens out", (one.tokens.output for one in costs)),
        _amount("cost", (money(one.cost) if one.cost else "" for one in costs)),
        _amount("events", (number(one.events) for one in costs)),
        _amount("bytes", (size(one.bytes) for one in costs)),
    )
    note = "Tokens and cost of language models; events and bytes in Temporal's history. The dearest first."
    return _sheet("conversations", "Cost by conversation", columns, note)


# Columns


def _sheet(key: str, title: str, columns: Iterable[Column], note: str = "") -> Sheet:
    kept = tuple(column for column in columns if column.says_something or not column.is_optional)
    return Sheet(key, title, kept, note)


def _text(name: str, cells: Iterable[str]) -> Column:
    return Column(name, tuple(cells), is_optional=name in ("step", "point"))


def _amount(name: str, cells: Iterable[str], *, is_optional: bool = True) -> Column:
    return Column(name, tuple(cells), is_number=True, is_optional=is_optional)


def _count(name: str, counts: Iterable[int], *, is_optional: bool = True) -> Column:
    return _amount(name, map(number, counts), is_optional=is_optional)


def _endings(ended: Sequence[Endings]) -> list[Column]:
    return [
        _count("runs", (one.runs for one in ended), is_optional=False),
        _count("completed", (one.completed for one in ended), is_optional=False),
        _count("failed", (one.failed for one in ended)),
        _count("stopped", (one.stopped for one in ended)),
        _count("open", (one.open for one in ended)),
        _amount("success", (share(one.success) for one in ended)),
    ]


def _took(took: Sequence[Durations]) -> list[Column]:
    return [
        _amount("median", (duration(one.median) for one in took)),
        _amount("longest", (duration(one.longest) for one in took)),
    ]


def _spans(spans: Sequence[Durations], times: str) -> list[Column]:
    return [
        _count(times, (one.count for one in spans), is_optional=False),
        _amount("total", (duration(one.total) for one in spans)),
        *_took(spans),
    ]


def place(row: WaitRow) -> str:
    """Where somebody was waited for, in a word."""
    return row.workflow or BY_ITSELF if row.step is None else f"{row.workflow}.{row.step}"
