"""The syntax trees of functions and classes that are there in memory; each file is parsed once."""

import ast
import linecache
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Final

Definition = ast.FunctionDef | ast.AsyncFunctionDef

_ALLOW: Final = re.compile(r"#\s*parley:\s*allow\b(.*)")


@dataclass(frozen=True)
class Allowance:
    """A comment that allows something."""

    codes: frozenset[str]
    reason: str


@dataclass(frozen=True)
class Source:
    """A file."""

    path: str
    lines: list[str]
    tree: ast.Module
    definitions: Mapping[tuple[str, int], Definition]
    """By name and first line, decorators included."""

    classes: Mapping[Definition, ast.ClassDef]
    """The class that a method is defined in."""

    def allowances(self, first: int, last: int) -> Iterator[Allowance]:
        """The allowing comments on some lines, counted from 1, both included."""
        for line in self.lines[first - 1 : last]:
            if found := _ALLOW.search(line):
                codes, _, reason = found[1].partition(" - ")
                yield Allowance(frozenset(codes.replace(",", " ").split()), reason.strip())


@dataclass(frozen=True)
class Located:
    """A function's place in its file."""

    source: Source
    node: Definition | ast.Lambda


_FILES: dict[str, Source] = {}


def locate(function: FunctionType) -> Located | None:
    """Find a function in its file; nothing if it has none, as in an interactive session, or it has been changed."""
    code = function.__code__
    source = _read(code.co_filename)
    if source is None:
        return None
    if code.co_name == "<lambda>":
        there = [
            node
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Lambda) and node.lineno == code.co_firstlineno
        ]
        return Located(source, there[0]) if len(there) == 1 else None
    node = source.definitions.get((code.co_name, code.co_firstlineno))
    return Located(source, node) if node else None


def _read(path: str) -> Source | None:
    linecache.checkcache(path)
    lines = linecache.getlines(path)
    known = _FILES.get(path)
    if known is not None and known.lines is lines:
        return known
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:
        return None  # it is being edited: what is in memory was read before
    definitions: dict[tuple[str, int], Definition] = {}
    classes: dict[Definition, ast.ClassDef] = {}
    for statement, owner in _statements(tree, None):
        if isinstance(statement, Definition):
            first = min([statement.lineno, *(decorator.lineno for decorator in statement.decorator_list)])
            definitions[statement.name, first] = statement
            if owner is not None:
                classes[statement] = owner
    _FILES[path] = Source(path, lines, tree, definitions, classes)
    return _FILES[path]


def _statements(node: ast.AST, owner: ast.ClassDef | None) -> Iterator[tuple[ast.stmt, ast.ClassDef | None]]:
    """All statements within, each with the class whose body it is directly in."""
    for name in ("body", "orelse", "handlers", "finalbody", "cases"):
        for inner in getattr(node, name, ()):
            if isinstance(inner, ast.stmt):
                yield inner, owner
            keeps = isinstance(inner, ast.If | ast.Try | ast.With | ast.ExceptHandler)
            yield from _statements(inner, inner if isinstance(inner, ast.ClassDef) else owner if keeps else None)
