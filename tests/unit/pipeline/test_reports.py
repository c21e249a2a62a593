"""Failures are named from JUnit reports, whoever wrote them; a report that could do harm is refused."""

import os
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.pipeline.reports import MAX_FAILURES, Report, ReportError, read_report
from signals.pipeline import FailedTest

PYTEST = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="0" failures="1" skipped="1" tests="3">
<testcase classname="tests.test_cart.TestCart" name="test_total[1-2]" file="tests/test_cart.py" line="4" time="0.1">
<failure message="assert 4 == 3">def test_total():
&gt;       assert total([1, 2]) == 3
E       assert 4 == 3

tests/test_cart.py:12: AssertionError</failure></testcase>
<testcase classname="tests.test_cart" name="test_other" file="tests/test_cart.py" line="9" time="0.1"/>
<testcase classname="tests.test_cart" name="test_later" file="tests/test_cart.py" line="9"><skipped/></testcase>
</testsuite></testsuites>"""

JEST = """<testsuites><testsuite name="cart"><testcase classname="cart total" name="adds up">
<failure>Error: expected 3
    at cart.test.js:4:9</failure></testcase><testcase name="boom"><error type="TypeError"/></testcase>
</testsuite></testsuites>"""

BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><testsuite>&b;</testsuite>'


def read(text: str | bytes, folder: Path) -> Report:
    file = folder / "report.xml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_report(file)


def test_a_failed_test_is_named_as_pytest_takes_it_with_its_place_and_message(tmp_path: Path) -> None:
    told = FailedTest(
        name="tests/test_cart.py::TestCart::test_total[1-2]",
        file="tests/test_cart.py",
        line=12,
        message="assert 4 == 3",
    )
    assert read(PYTEST, tmp_path) == Report(tests=3, failed=1, failures=(told,))


def test_reports_of_other_runners_are_read_too(tmp_path: Path) -> None:
    report = read(JEST, tmp_path)
    assert [(one.name, one.message.splitlines()[0]) for one in report.failures] == [
        ("cart total.adds up", "Error: expected 3"),
        ("boom", "TypeError"),
    ]


def test_the_first_failures_are_named_and_all_are_counted(tmp_path: Path) -> None:
    case = '<testcase name="t"><failure message="no"/></testcase>'
    report = read(f"<testsuite>{case * 500}</testsuite>", tmp_path)
    assert (report.tests, report.failed, len(report.failures)) == (500, 500, MAX_FAILURES)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BOMB, "declares entities"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>', "declares entities"),
        ("<testsuite><testcase>", "is no XML"),
        ("", "is no XML"),
        (b"\x00\x01\x02", "is no XML"),
        ('<?xml version="1.0" encoding="no-such"?><testsuite/>', "is no XML"),
        ("<html><body/></html>", "begins with <testsuites> or <testsuite>, this one with <html>"),
    ],
)
def test_a_report_that_is_broken_or_a_bomb_is_refused(text: str | bytes, told: str, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=told):
        read(text, tmp_path)


def test_a_report_that_is_no_plain_file_of_its_own_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link.xml").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.xml")
    huge = tmp_path / "huge.xml"
    with huge.open("wb") as file:
        file.truncate(10**10)
    for name, told in (("link.xml", "can't be read"), ("pipe.xml", "no file of at most"), ("huge.xml", "no file of")):
        with pytest.raises(ReportError, match=told):
            read_report(tmp_path / name)


def test_a_large_report_costs_no_memory(tmp_path: Path) -> None:
    file = tmp_path / "large.xml"
    case = '<testcase classname="a" name="b"><system-out>' + "x" * 1000 + "</system-out></testcase>"
    file.write_text(f"<testsuites><testsuite>{case * 20_000}</testsuite></testsuites>")
    before = psutil.Process().memory_info().rss
    assert read_report(file).tests == 20_000
    assert psutil.Process().memory_info().rss - before < 15_000_000


@given(message=st.text(max_size=200))
def test_whatever_a_test_says_is_told_or_refused(message: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    escaped = message.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    text = (
        f'<testsuite><testcase name="{escaped}" line="{escaped}"><failure message="{escaped}"/></testcase></testsuite>'
    )
    try:
        report = read(text.encode(errors="replace"), tmp_path_factory.getbasetemp())
    except ReportError:
        return
    assert report.failed == 1
