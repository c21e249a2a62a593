"""Test results from JUnit XML: a file that the tests of a stranger's commit have written, and so read with care."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from signals.pipeline import FailedTest

MAX_BYTES: Final = 32 * 1024 * 1024
MAX_FAILURES: Final = 50
"""How many failed tests are named."""

MAX_MESSAGE: Final = 1_000
MAX_NAME: Final = 300


class ReportError(Exception):
    """A report can't be read; the text says why."""


class Report(NamedTuple):
    """What a report tells."""

    tests: int
    failed: int
    failures: tuple[FailedTest, ...]
    """The first ones."""


def read_report(path: Path) -> Report:
    """Read a report, in memory that doesn't depend on its size.

    Raises:
        ReportError: It isn't there, is too large, is no JUnit XML, or declares entities.
    """
    tests = failed = 0
    failures: list[FailedTest] = []
    with _opened(path) as file:
        try:
            for case in _cases(file):
                tests += 1
                if (fault := _fault(case)) is not None:
                    failed += 1
                    if len(failures) < MAX_FAILURES:
                        failures.append(_failure(case, fault))
        except DefusedXmlException:
            raise ReportError(f"{path.name} declares entities or a document type, which no report needs") from None
        except (ParseError, ValueError, LookupError) as error:
            raise ReportError(f"{path.name} is no XML: {error}") from None
    return Report(tests, failed, tuple(failures))


def _opened(path: Path) -> IO[bytes]:
    try:
        # A link may lead anywhere, and a pipe may never end.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    except OSError as error:
        raise ReportError(f"{path.name} can't be read: {error.strerror}") from None
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
        file.close()
        raise ReportError(f"{path.name} is no file of at most {MAX_BYTES:,} bytes")
    return file


def _cases(file: IO[bytes]) -> Iterator[Element]:
    opened: list[Element] = []
    for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
        if event == "start":
            if not opened and element.tag not in ("testsuites", "testsuite"):
                raise ReportError(
                    f"a JUnit report begins with <testsuites> or <testsuite>, this one with <{element.tag[:50]}>"
                )
            opened.append(element)
            continue
        opened.pop()
        if element.tag == "testcase":
            yield element
        if not any(around.tag == "testcase" for around in opened[-2:]):
            element.clear()
            if opened:
                opened[-1].remove(element)


def _fault(case: Element) -> Element | None:
    return next((inner for inner in case if inner.tag in ("failure", "error")), None)


def _failure(case: Element, fault: Element) -> FailedTest:
    file, text = case.get("file"), fault.text or ""
    message = (fault.get("message") or text or fault.get("type") or fault.tag).strip()
    return FailedTest(
        name=_name(case, file)[:MAX_NAME],
        file=file[:MAX_NAME] if file else None,
        line=_line(case, file, text),
        message=_shown(message)[:MAX_MESSAGE],
    )


def _name(case: Element, file: str | None) -> str:
    """The test as its runner takes it, where the report says in which file it is."""
    name, place = case.get("name") or "?", case.get("classname") or ""
    if not file or not file.endswith(".py"):
        return f"{place}.{name}" if place else name
    module = file.removesuffix(".py").replace("/", ".")
    classes = place.removeprefix(module).strip(".") if place.startswith(module) else ""
    return "::".join([file, *classes.split(".")] if classes else [file]) + f"::{name}"


def _line(case: Element, file: str | None, text: str) -> int | None:
    """Where it failed: the last place of the file that its text names; else where the report says it is."""
    named = re.findall(rf"^{re.escape(file)}:(\d{{1,7}})\b", text, re.MULTILINE) if file else []
    said = named[-1] if named else case.get("line") or ""
    return int(said) if said.isascii() and said.isdigit() and len(said) < 8 else None


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() or char in "\n\t" else "?" for char in text)
