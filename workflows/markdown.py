"""Markdown for the Web UI's details pages. What people and models wrote is escaped before it gets here."""

import re
import shlex
from collections.abc import Iterable, Sequence

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_SPACE = re.compile(r"\s+")
_FENCE = re.compile(r"`{3,}")


def escape(text: str, most: int = 500) -> str:
    """Make any text show as itself, on one line: no markup, no links, no HTML.

    CommonMark takes a backslash before any ASCII punctuation as that character.

    Args:
        text: What somebody wrote.
        most: How many characters of it to show.
    """
    flat = _SPACE.sub(" ", text).strip()
    shown = flat if len(flat) <= most else flat[: most - 1] + "…"
    return _PUNCTUATION.sub(r"\\\1", shown)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table; the cells are Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def commands(lines: Iterable[Sequence[str]]) -> str:
    """Show commands to copy into a shell, each given as its words."""
    shown = "\n".join(shlex.join(words) for words in lines)
    # Nothing in a block can end it that is shorter than what it began with.
    fence = "`" * (1 + max(map(len, _FENCE.findall(shown)), default=2))
    return f"{fence}\n{shown}\n{fence}"
