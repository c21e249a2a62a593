"""Markdown for the Web UI's details pages. What people and models wrote is escaped before it gets here."""

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from pydantic import JsonValue

_MARKUP = re.compile(r"[!#$&()*+\-.:<=>@\[\\\]^_`{|}~]")
"""What can be markup, a link or HTML in any dialect of Markdown."""
_EM_SPACE = "&#8195;"
_TIED = "\u00a0"
_SPACE = re.compile(r"\s+")
_FENCE = re.compile(r"`{3,}")


def escape(text: str, most: int = 500) -> str:
    """Make any text show as itself, on one line: no markup, no links, no HTML.

    The Web UI's Markdown doesn't know all of the escapes with a backslash; it knows character references.

    Args:
        text: What somebody wrote.
        most: How many characters of it to show.
    """
    flat = _SPACE.sub(" ", text).strip()
    shown = flat if len(flat) <= most else flat[: most - 1] + "…"
    return _MARKUP.sub(lambda character: f"&#{ord(character[0])};", shown)


def json_code(value: JsonValue, most: int = 500) -> str:
    """Make JSON show as it is, to be copied; in text the Web UI makes curly quotes of straight ones.

    Args:
        value: The JSON.
        most: How many characters of it to show.
    """
    # What could end the code, or a table's cell, is in strings only, where JSON has another way to write it.
    shown = json.dumps(value, ensure_ascii=False).replace("`", r"\u0060").replace("|", r"\u007c")
    return f"`{shown if len(shown) <= most else shown[: most - 1] + '…'}`"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table; the cells are Markdown."""
    lines = [_row(head), "|" + " :--- |" * len(head), *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    # The Web UI leaves no space between columns.
    return f"| {f'{_EM_SPACE} | '.join(cells)} |"


def moments(times: Iterable[datetime]) -> list[str]:
    """Tell times (UTC), each with its date where that is another one than before: what is shown may be months old."""
    told: list[str] = []
    day: date | None = None
    for at in times:
        told.append(f"{at:%H:%M:%S}" if at.date() == day else moment(at))
        day = at.date()
    return told


def moment(at: datetime) -> str:
    """Tell a time (UTC) with its date."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


def counted(number: int, what: str) -> str:
    """Say how many of something there are: `1 turn`, `2 turns`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def took(seconds: float) -> str:
    """Tell how long something took; it isn't broken over lines."""
    return f"{seconds:.1f}{_TIED}s" if seconds >= 1 else f"{seconds * 1000:.0f}{_TIED}ms"


def commands(lines: Iterable[Sequence[str]]) -> str:
    """Show commands to copy into a shell, each given as its words."""
    shown = "\n".join(shlex.join(words) for words in lines)
    # Nothing in a block can end it that is shorter than what it began with.
    fence = "`" * (1 + max(map(len, _FENCE.findall(shown)), default=2))
    return f"{fence}\n{shown}\n{fence}"
