"""The settings of the terminal's side."""

from pathlib import Path

from infra.table import Table


class ChatSettings(Table):
    """`[chat]`: who sits at the terminal."""

    key_file: Path | None = None
    """The key that their messages are signed with; `temporal parley keys signing` makes one."""
