"""Text from people and models, made safe to print: no escape sequences, no invisible or reordering characters."""

import unicodedata
from typing import Final

_JOINERS: Final = "\u200c\u200d"
"""Invisible, but parts of words and of emoji."""

_VISIBLE: Final = {"\t": "    ", "\u2028": "\n", "\u2029": "\n"}


def printable(text: str) -> str:
    """Replace what a terminal might act on by how Python writes it (backslash, x1b); lines stay lines."""
    return "".join(map(_shown, text.replace("\r\n", "\n")))


def flat(text: str, most: int = 500) -> str:
    """Make text printable on one line, cut to so many characters."""
    line = " ".join(printable(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _shown(char: str) -> str:
    if char.isprintable() or char == "\n" or char in _JOINERS:
        return char
    if char in _VISIBLE:
        return _VISIBLE[char]
    if unicodedata.category(char) == "Zs":
        return " "
    return char.encode("unicode_escape").decode()
