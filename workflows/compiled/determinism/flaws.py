"""What isn't deterministic in a function's source, and where a reader sees it."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from workflows.compiled.findings import Code


@dataclass(frozen=True)
class Flaw:
    """Something that isn't deterministic."""

    code: Code
    message: str
    remedy: str
    line: int
    column: int
    width: int
    lines: tuple[int, int]
    """The first and the last line on which a comment may allow it."""


def flaw_at(
    source: Sequence[str],
    node: ast.expr | ast.stmt,
    statement: ast.expr | ast.stmt,
    code: Code,
    message: str,
    remedy: str,
) -> Flaw:
    """Make the flaw that some syntax is.

    Args:
        source: The lines of its file.
        node: What is pointed at.
        statement: The statement around it: a comment on any of its lines may allow the flaw.
        code: What kind of flaw it is.
        message: What is wrong.
        remedy: What to do.
    """
    line = source[node.lineno - 1]
    column = len(line.encode()[: node.col_offset].decode())
    end = line.encode()[: node.end_col_offset].decode() if node.end_lineno == node.lineno else line.rstrip()
    first, last = _header(statement)
    lines = min(first, node.lineno), max(last, node.lineno)
    return Flaw(code, message, remedy, node.lineno, column, len(end) - column, lines)


def _header(node: ast.stmt | ast.expr) -> tuple[int, int]:
    """The lines of a statement without the statements in it."""
    inner = getattr(node, "body", None)
    last = node.end_lineno or node.lineno
    if isinstance(inner, list) and inner:
        last = max(node.lineno, inner[0].lineno - 1)
    return node.lineno, last
