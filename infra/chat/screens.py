"""Two kinds of terminals: a real one, with a prompt that stays below what is shown, and plain lines."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.patch_stdout import patch_stdout
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.chat.completion import choices
from infra.chat.session import Screen
from infra.chat.view import Entry
from signals.conversation import Recorded, Status


@contextmanager
def screen_for(speaker: str) -> Iterator[Screen]:
    """Open the screen that suits where the program runs."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        with patch_stdout(raw=True):
            yield PromptScreen(speaker)
    else:
        yield PlainScreen()


class PlainScreen:
    """Prints lines and reads lines, as scripts do."""

    def __init__(self) -> None:
        self._standing = ""

    def show(self, entry: Entry) -> None:
        """Print a message."""
        print(entry, flush=True)

    def tell(self, line: str) -> None:
        """Print something that nobody said."""
        print(line, flush=True)

    def stand(self, line: str) -> None:
        """Print who is waited for, if that has changed."""
        if line != self._standing:
            self._standing = line
            self.tell(f"-- {line}")

    def know(self, status: Status, messages: Sequence[Recorded]) -> None:
        """Nothing is completed here."""

    async def lines(self) -> AsyncIterator[str]:
        """Give the lines of standard input."""
        loop, read = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def follow() -> None:
            for line in sys.stdin:
                loop.call_soon_threadsafe(read.put_nowait, line)
            loop.call_soon_threadsafe(read.put_nowait, None)

        # Not by the loop's own threads: it would wait for one that waits for input.
        threading.Thread(target=follow, daemon=True).start()
        while (line := await read.get()) is not None:
            yield line


class PromptScreen(Completer):
    """Prints above a prompt that has completion, a history, and a line with who is waited for."""

    def __init__(self, speaker: str) -> None:
        self._console = Console(markup=False, highlight=False, emoji=False)
        self._standing = ""
        self._status: Status | None = None
        self._messages: Sequence[Recorded] = ()
        self._prompt = PromptSession[str](
            FormattedText([("bold", f"{speaker}> ")]),
            completer=self,
            complete_while_typing=True,
            bottom_toolbar=lambda: FormattedText([("", self._standing)]),
        )

    def show(self, entry: Entry) -> None:
        """Print a message, its lines below each other."""
        row = Table.grid(padding=(0, 1, 0, 0))
        row.add_column(style="bold", no_wrap=True)
        row.add_column(overflow="fold")
        row.add_row(Text(entry.head), Text("\n".join(entry.lines)))
        self._console.print(row)

    def tell(self, line: str) -> None:
        """Print something that nobody said."""
        self._console.print(Text(line, style="dim"))

    def stand(self, line: str) -> None:
        """Show who is waited for, below the prompt."""
        self._standing = line
        self._prompt.app.invalidate()

    def know(self, status: Status, messages: Sequence[Recorded]) -> None:
        """Learn what completions are made of."""
        self._status = status
        self._messages = messages or self._messages

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Say how the line may go on."""
        if self._status is None:
            return
        for choice in choices(document.text_before_cursor, self._status, self._messages):
            yield Completion(choice.text, start_position=-choice.over, display_meta=choice.about)

    async def lines(self) -> AsyncIterator[str]:
        """Give what is typed, until Ctrl-D or Ctrl-C."""
        while True:
            try:
                yield await self._prompt.prompt_async()
            except (EOFError, KeyboardInterrupt):
                return
