"""Text from outside made harmless for a prompt: nothing that can't be seen, in lines, cut to size."""

import re
import unicodedata
from typing import Final

from signals.participants import Participant

JOINERS: Final = "\u200c\u200d"
"""The invisible characters that writing in some languages needs; all others can only hide something."""

ELLIPSIS: Final = "…"


def name_of(who: Participant) -> str:
    """The name that a participant goes by in a prompt: nothing in it can pass for anything but a name."""
    return re.sub(r"[^\w .,'-]+", " ", one_line(who.label)).strip() or who.id


def one_line(text: str) -> str:
    """Put text on one line."""
    return " ".join(plain_lines(text))


def plain_lines(text: str) -> list[str]:
    """Split text into lines that aren't blank, without what can't be seen."""
    lines = ("".join(char for char in line if _is_plain(char)).strip() for line in text.splitlines())
    return [line for line in lines if line]


def size(text: str) -> int:
    """How much room a line takes, with its end, in bytes of UTF-8."""
    return len(text.encode()) + 1


def cut(text: str, most: int) -> str:
    """Cut a line to a size."""
    data = text.encode()
    if len(data) < most:
        return text
    return data[: max(most - 1 - len(ELLIPSIS.encode()), 0)].decode(errors="ignore") + ELLIPSIS


def _is_plain(char: str) -> bool:
    return char in JOINERS or char == "\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs"}
