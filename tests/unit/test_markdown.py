"""What people and models wrote shows as itself; commands can be copied; nothing breaks out of its place."""

import json
import re
import shlex
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it.token import Token
from pydantic import JsonValue

from tests.pages import UI
from workflows.markdown import commands, escape, json_code, moments, table, took

# What Markdown can't carry: NUL, and halves of surrogate pairs.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
# Words that a page could be broken with, often.
tricky = st.text(st.sampled_from("`~*_[]()<>|#&;:/\\!-+=.1a\"'$ \n")) | texts


def _inline(text: str) -> list[Token]:
    """The tokens of the only paragraph that a text makes."""
    begin, inline, end = UI.parse(text)
    assert (begin.type, inline.type, end.type) == ("paragraph_open", "inline", "paragraph_close")
    return inline.children or []


def _cells(markdown: str) -> list[list[Token]]:
    """The tokens of a table's cells."""
    tokens = UI.parse(markdown)
    assert tokens[0].type == "table_open"
    assert tokens[-1].type == "table_close"
    return [token.children or [] for token in tokens if token.type == "inline"]


def _shown(tokens: list[Token]) -> str:
    """What people read; there must be nothing but text."""
    assert {token.type for token in tokens} <= {"text", "text_special"}
    return "".join(token.content for token in tokens)


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


@given(tricky)
@example("<script>alert(1)</script>")
@example("[click](javascript:alert(1))")
@example("https://example.com <https://example.com> www.example.com me@example.com")
@example("&lt;b&gt; &#60;")
@example("1. one\n2. two\n\n---\n# head\n> quote")
@example("a | b \\| c \\\\| d")
@example("**bold** ~~gone~~ `code` ![image](x)")
def test_text_shows_as_itself(text: str) -> None:
    escaped = escape(text, most=10_000)
    shown = _shown(_inline(escaped)) if escaped else ""
    assert shown == _on_one_line(text)


json_values = st.recursive(
    tricky | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(tricky, inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
@example({"a `b` | c": ["``", "|", "\\|", "\\`"]})
def test_json_can_be_copied_from_text_and_from_a_table(value: JsonValue) -> None:
    code = json_code(value, most=100_000)
    for tokens in (_inline(code), _cells(table(["outcome"], [[code]]))[1]):
        [shown] = [token.content for token in tokens if token.type == "code_inline"]
        assert json.loads(shown) == value


GAP = "\u2003"
"""What keeps columns apart where the page leaves no space between them."""


@given(tricky, tricky)
def test_text_stays_in_its_cell(one: str, other: str) -> None:
    escaped = [escape(text, most=10_000) for text in (one, other)]
    cells = _cells(table(["a", "b"], [escaped]))
    assert [_shown(cell).rstrip(GAP) for cell in cells] == ["a", "b", _on_one_line(one), _on_one_line(other)]


@given(tricky)
def test_text_makes_no_html(text: str) -> None:
    rendered = UI.render(f"# {escape(text)}\n")
    assert set(re.findall(r"<[^>]*>", rendered)) <= {"<h1>", "</h1>"}


def test_long_text_is_cut_before_it_is_escaped() -> None:
    escaped = escape("*" * 20, most=10)
    assert _shown(_inline(escaped)) == "*" * 9 + "…"


def test_text_that_just_fits_is_whole() -> None:
    assert escape("abcde", most=5) == "abcde"


def test_a_table_has_a_head_and_rows() -> None:
    cells = _cells(table(["a", "b"], [["1", "2"], ["3", "4"]]))
    assert [_shown(cell) for cell in cells] == [f"a{GAP}", "b", f"1{GAP}", "2", f"3{GAP}", "4"]


def test_a_table_without_rows_has_its_head() -> None:
    assert _cells(table(["a"], [])) == _cells("| a |\n| --- |")


words = st.lists(tricky.map(lambda word: word.replace("\r", "")), min_size=1, max_size=4)


@given(words)
@example(["a\n```\nb"])
@example(["a\n````\nb"])
@example(["`" * 9])
@example(["it's", ""])
def test_a_command_can_be_copied_into_a_shell(line: list[str]) -> None:
    tokens = UI.parse(f"before\n\n{commands([line])}\n\nafter\n")
    assert [token.type for token in tokens][3:4] == ["fence"]
    assert tokens[5].content == "after"
    assert len(tokens) == 7
    assert shlex.split(tokens[3].content) == line


@given(st.lists(words, min_size=1, max_size=3))
def test_each_command_is_on_a_line_of_its_own(lines: list[list[str]]) -> None:
    (block,) = UI.parse(commands(lines))
    assert block.content == "".join(f"{shlex.join(line)}\n" for line in lines)


def test_a_command_is_shown_as_typed() -> None:
    assert commands([["temporal", "workflow", "signal", "--input", '{"speaker": "alice"}']]) == (
        """```\ntemporal workflow signal --input '{"speaker": "alice"}'\n```"""
    )


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_blank_text_is_nothing(text: str) -> None:
    assert escape(text) == ""


def test_times_have_their_date_where_it_changes() -> None:
    monday = datetime(2026, 1, 5, 23, 59, 58, tzinfo=UTC)
    times = [monday, monday + timedelta(seconds=1), monday + timedelta(seconds=2)]
    assert moments(times) == ["2026-01-05 23:59:58", "23:59:59", "2026-01-06 00:00:00"]


def test_durations_are_told_so_that_they_are_not_broken_over_lines() -> None:
    assert [took(seconds) for seconds in (0.0421, 1, 61.26)] == ["42\u00a0ms", "1.0\u00a0s", "61.3\u00a0s"]
