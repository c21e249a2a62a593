"""What tests of the compiler share."""

import pytest

from signals.wire import Wire
from workflows.compiled import CompileError, Finding, compiled
from workflows.compiled.findings import Code, Severity

Told = tuple[Code, str | None, str | None, str, str]


class Parcel(Wire):
    """An input."""

    weight: int


class Opaque:
    """What can't be written as JSON."""


def findings(cls: type) -> tuple[Finding, ...]:
    with pytest.raises(CompileError) as error:
        compiled(cls)
    assert str(error.value) == "\n".join(str(finding) for finding in error.value.findings)
    return error.value.findings


def told(cls: type) -> list[Told]:
    """What is found, in order; all of it must be about this class."""
    found = findings(cls)
    assert {(finding.workflow, finding.severity) for finding in found} == {(cls.__name__, Severity.ERROR)}
    return [(f.code, f.step, f.parameter, f.message, f.remedy) for f in found]
