"""A finding as a developer wants to see it: the line of code, what in it is meant, why, and what to do."""

import linecache
import re
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from infra.cli.loading import Problem
from workflows.compiled.findings import Severity
from workflows.composition import PlanFinding

_STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow"}
_LONGEST_SIGNATURE: Final = 40
"""How many lines after a definition's first its parameters are looked for."""


@dataclass(frozen=True)
class Spot:
    """A place in a line."""

    line: int
    column: int = 0
    width: int = 0
    """0 for the line as a whole."""


def excerpt(finding: Problem) -> Text:
    """Draw a finding."""
    style = _STYLES[finding.severity]
    text = Text.assemble((f"{finding.severity}[{finding.code}]", style), " ", (_subject(finding), "bold"))
    text.append(f": {finding.message}\n")
    spot = _spot(finding)
    line = linecache.getline(finding.file, spot.line).rstrip().replace("\t", " ")
    margin = " " * len(str(spot.line))
    text.append(f"{margin}--> {finding.file}:{spot.line}\n", "blue")
    if line:
        text.append(f"{spot.line} | ", "blue").append(f"{line}\n")
    if line and spot.width:
        text.append(f"{margin} | ", "blue").append(" " * spot.column + "^" * spot.width + "\n", style)
    return text.append(f"{margin} = ", "blue").append(f"{finding.remedy}\n")


def _subject(finding: Problem) -> str:
    if isinstance(finding, PlanFinding):
        return f"{finding.workflow} {finding.place}"
    place = ".".join(part for part in (finding.workflow, finding.step) if part)
    return f"{place} parameter '{finding.parameter}'" if finding.parameter else place


def _spot(finding: Problem) -> Spot:
    """Where to point: what the finding says, or else the name that it is about, from its line on."""
    if isinstance(finding, PlanFinding):
        wanted = r"^\s+(?P<name>plan)\b"
    elif finding.column is not None:
        return Spot(finding.line, finding.column, finding.width)
    elif finding.parameter:
        wanted = rf"\b(?P<name>{re.escape(finding.parameter)})\b\s*[:,=)]"
    else:
        kind, name = ("def", finding.step) if finding.step else ("class", finding.workflow)
        wanted = rf"\b{kind}\s+(?P<name>{re.escape(name)})\b"
    for number in range(finding.line, finding.line + _LONGEST_SIGNATURE):
        if found := re.search(wanted, linecache.getline(finding.file, number)):
            return Spot(number, found.start("name"), len(found["name"]))
    return Spot(finding.line)
