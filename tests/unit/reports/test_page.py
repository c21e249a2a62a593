"""How a report is shown: as tables and as a page. What runs and people are called stays text."""

import base64
import io
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Final
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from rich.console import Console

from infra.cli.report import show
from infra.reports.page import page
from infra.reports.sheets import remarks, sheets
from infra.reports.tallies import (
    CostRow,
    Count,
    Durations,
    Endings,
    ModeRow,
    ParadigmRow,
    Report,
    Totals,
    TransitionRow,
    WaitRow,
    WorkflowRow,
)
from infra.reports.words import duration, money, size
from signals.conversation import Tokens

NOW: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
EVIL: Final = '<script>alert("$x_1$")</script>'
HOUR: Final = Durations(count=1, total=3600, median=3600, longest=3600)
EMPTY: Final = Report(namespace="default", made=NOW)
ENDED: Final = Endings(completed=3, failed=1, open=1)
FULL: Final = Report(
    namespace="default",
    query=f"WorkflowId={EVIL}",
    made=NOW,
    runs=5,
    more=True,
    foreign={EVIL: 2},
    unread={f"no key {EVIL}": 1},
    workflows=(WorkflowRow(workflow=EVIL, ended=ENDED, talked=2, took=HOUR),),
    paradigms=(ParadigmRow(paradigm="workflow", ended=ENDED, took=HOUR, reasons=(Count(text=EVIL, count=3),)),),
    modes=(ModeRow(mode="conversation", ended=ENDED, stays=HOUR),),
    transitions=(
        TransitionRow(
            trigger="point",
            source="workflow",
            target="conversation",
            count=5,
            decided=4,
            undecided=1,
            talking=0,
            ended=ENDED,
        ),
    ),
    waits=(WaitRow(workflow=EVIL, step="handled", point="refused", person=EVIL, waits=HOUR, waiting=1),),
    conversations=(CostRow(conversation=EVIL, tokens=Tokens(input=1200, output=34), cost=0.5, events=80, bytes=5000),),
    all_conversations=Totals(conversations=2, tokens=Tokens(input=1300, output=40), cost=0.6, events=99, bytes=6000),
)


class Seen(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.images: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "img":
            self.images.append(dict(attrs)["src"] or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def drawn(image: str) -> Element:
    kind, _, data = image.partition(",")
    assert kind == "data:image/svg+xml;base64"
    svg: Element = fromstring(base64.b64decode(data), forbid_dtd=False)
    return svg


def printed(report: Report, width: int = 160) -> str:
    out = io.StringIO()
    show(report, Console(file=out, width=width, markup=False, highlight=False, emoji=False))
    return out.getvalue()


def test_nothing_on_the_page_is_markup_that_somebody_wrote() -> None:
    seen = Seen(page(FULL))
    assert seen.tags.isdisjoint({"script", "iframe", "link", "object"})
    assert seen.text.count(EVIL) == 8


def test_the_page_needs_nothing_from_anywhere() -> None:
    assert set(re.findall(r'(?:src|href)="(\w+):', page(FULL))) == {"data"}


def test_the_charts_draw_names_as_they_are() -> None:
    charts = [drawn(image) for image in Seen(page(FULL)).images]
    assert len(charts) == 5
    tags = {element.tag.rpartition("}")[2] for chart in charts for element in chart.iter()}
    assert "script" not in tags
    texts = [element.text or "" for chart in charts for element in chart.iter() if element.tag.endswith("}text")]
    assert any(text.startswith(EVIL) for text in texts)
    assert "point: workflow → conversation" in texts


def test_a_table_is_on_the_page_and_on_the_terminal_alike() -> None:
    text, seen = printed(FULL), Seen(page(FULL)).text
    for sheet in sheets(FULL):
        for cell in (sheet.title, *(cell for row in sheet.rows for cell in row)):
            assert cell in text
            assert cell in seen


def test_on_a_narrow_terminal_no_number_is_cut_off() -> None:
    seen = printed(FULL, width=40)
    numbers = [column for sheet in sheets(FULL) for column in sheet.columns if column.is_number]
    assert [cell for column in numbers for cell in column.cells if cell not in seen] == []


def test_what_nothing_is_known_of_is_left_out() -> None:
    assert (sheets(EMPTY), remarks(EMPTY)) == ([], [])
    assert printed(EMPTY) == "0 runs in default\n"
    assert Seen(page(EMPTY)).images == []


def test_columns_with_nothing_in_them_are_left_out() -> None:
    [sheet] = sheets(EMPTY.model_copy(update={"modes": FULL.modes}))
    names = [column.name for column in sheet.columns]
    assert ("failed" in names, "stopped" in names) == (True, False)


def test_a_terminal_is_not_told_what_to_do() -> None:
    row = WorkflowRow(workflow="\x1b[2Jx", ended=ENDED, took=HOUR)
    assert "\x1b" not in printed(EMPTY.model_copy(update={"workflows": (row,)}))


def test_what_was_left_out_and_could_not_be_read_is_told() -> None:
    more, foreign, unread = remarks(FULL)
    assert "--limit" in more
    assert EVIL in foreign
    assert f"no key {EVIL}" in unread


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, ""),
        (0, "0 ms"),
        (0.25, "250 ms"),
        (59.4, "59.4 s"),
        (60, "1 min"),
        (3700, "1 h 1 min"),
        (180000, "2 d 2 h"),
    ],
)
def test_durations_are_told_in_their_largest_units(seconds: float | None, told: str) -> None:
    assert duration(seconds) == told


def test_sizes_and_money_are_told_as_people_read_them() -> None:
    assert (size(512), size(5000), size(3 << 20)) == ("512 B", "4.9 KB", "3.0 MB")
    assert (money(0.0123), money(1234.5)) == ("$0.0123", "$1,234.50")
