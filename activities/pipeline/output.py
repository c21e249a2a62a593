"""What a program prints: kept in bounded memory and on a bounded part of the disk, and shown as plain text."""

import re
from pathlib import Path
from types import TracebackType
from typing import Final, Self

MAX_LOG_BYTES: Final = 64 * 1024 * 1024
"""How much of a command's output is kept in its log file, from its beginning; of the rest, the end is."""

TAIL_BYTES: Final = 64 * 1024
TAIL_CHARACTERS: Final = 6_000
"""How much of the end goes into a stage's result, and so into history."""

_ESCAPE: Final = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Kept:
    """Keeps the beginning of what is printed.

    Args:
        most: How many bytes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.data = bytearray()
        self.size = 0
        """How many bytes there were."""

    def write(self, chunk: bytes) -> None:
        """Take a piece."""
        self.size += len(chunk)
        self.data += chunk[: self._most - len(self.data)]

    @property
    def text(self) -> str:
        """What was kept, as text."""
        return self.data.decode(errors="replace")


class Log:
    """A log file: its beginning, and, where there is too much, its end behind a note of how much is left out.

    Args:
        path: The file; its folder must be there.
        most: How many bytes from the beginning are kept.
    """

    def __init__(self, path: Path, most: int = MAX_LOG_BYTES) -> None:
        self.path = path
        self.size = 0
        """How many bytes were printed."""

        self._most = most
        self._end = bytearray()
        self._file = path.open("wb", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        kept_end = self._end[-TAIL_BYTES:]
        left_out = self.size - self._most - len(kept_end)
        if self.size > self._most:
            rest = kept_end if left_out > 0 else self._end[-(self.size - self._most) :]
            note = f"\n[... {left_out:,} bytes left out ...]\n".encode() if left_out > 0 else b""
            self._file.write(note + rest)
        self._file.close()

    def write(self, chunk: bytes) -> None:
        """Take a piece."""
        room = max(self._most - self.size, 0)
        if room:
            self._file.write(chunk[:room])
        self.size += len(chunk)
        self._end += chunk[-TAIL_BYTES:]
        if len(self._end) > 2 * TAIL_BYTES:
            del self._end[:-TAIL_BYTES]

    def tail(self, most: int = TAIL_CHARACTERS) -> str:
        """The end, as plain text.

        Args:
            most: How many characters.
        """
        return end_of(plain(self._end[-TAIL_BYTES:]), most)


def plain(data: bytes | bytearray) -> str:
    """What is printed, as a person would see it: without colours, without what can't be seen."""
    text = _ESCAPE.sub("", data.decode(errors="replace")).replace("\r\n", "\n")
    # A bar that is drawn over and over shows its last state only.
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return "\n".join(_UNSEEN.sub("", line) for line in lines)


def end_of(text: str, most: int) -> str:
    """The end of a text, from the beginning of a line where there is one."""
    if len(text) <= most:
        return text
    cut = text[-most:]
    return cut.partition("\n")[2] or cut
