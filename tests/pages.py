"""What a reader sees of a page in Markdown."""

from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

UI: Final = MarkdownIt("gfm-like", {"linkify": False, "html": True})
"""Close to the Web UI: it has tables, and lets HTML through."""


def sections(markdown: str) -> dict[str, list[list[str]]]:
    """The lines under each heading: a table's row is its cells, any other line is one cell."""
    found: dict[str, list[list[str]]] = {}
    lines: list[list[str]] = []
    opened = ""
    for token in UI.parse(markdown):
        if token.type.endswith("_open"):
            opened = token.type
        if token.type == "tr_open":
            lines.append([])
        elif token.type == "fence":
            lines += [[line] for line in token.content.splitlines()]
        elif token.type == "inline" and opened == "heading_open":
            lines = found[_text(token)] = []
        elif token.type == "inline" and opened in ("th_open", "td_open"):
            lines[-1].append(_text(token))
        elif token.type == "inline":
            lines.append([_text(token)])
    return found


def _text(token: Token) -> str:
    return "".join(child.content for child in token.children or []).strip()
