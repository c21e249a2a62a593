"""What the compiler finds wrong: data with a place and a remedy, and the error that carries it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"


class Code(StrEnum):
    """Stable names of what can be wrong."""

    NO_STEPS = "no-steps"
    RESERVED_NAME = "reserved-name"
    MISSING_ANNOTATION = "missing-annotation"
    BAD_ANNOTATION = "bad-annotation"
    UNKNOWN_PARAMETER = "unknown-parameter"
    TYPE_MISMATCH = "type-mismatch"
    CYCLE = "cycle"
    NO_RESULT = "no-result"
    SEVERAL_RESULTS = "several-results"
    NO_REQUEST = "no-request"
    REQUEST_TYPES = "request-types"
    NOT_SERIALISABLE = "not-serialisable"
    UNUSED_STEP = "unused-step"
    MISSING_DEFAULT = "missing-default"
    FUNCTION = "function"
    """A function that a step is decided with, or taken back with."""

    POINT = "conversation-point"
    FRAGMENT = "fragment"
    """What conversations that may run the workflow would be offered."""

    DUPLICATE_NAME = "duplicate-name"
    INHERITED_STEP = "inherited-step"
    EXCEEDS_WIRE = "exceeds-wire"
    UNREACHABLE_STEP = "unreachable-step"
    NONDETERMINISTIC_CLOCK = "nondeterministic-clock"
    NONDETERMINISTIC_RANDOM = "nondeterministic-random"
    NONDETERMINISTIC_IO = "nondeterministic-io"
    NONDETERMINISTIC_ENVIRONMENT = "nondeterministic-environment"
    NONDETERMINISTIC_THREAD = "nondeterministic-thread"
    NONDETERMINISTIC_SET_ORDER = "nondeterministic-set-order"
    NONDETERMINISTIC_GLOBAL_STATE = "nondeterministic-global-state"
    UNAWAITED_COROUTINE = "unawaited-coroutine"
    UNEXPLAINED_ALLOW = "unexplained-allow"
    """A comment allows something that is not deterministic, and doesn't say why."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or looks wrong."""

    code: Code
    severity: Severity
    file: str
    line: int
    workflow: str
    step: str | None
    parameter: str | None
    message: str
    remedy: str
    column: int | None = None
    """Where in the line it begins, from 0, if it is narrower than the line."""

    width: int = 0
    """How many characters it has from there."""

    def __str__(self) -> str:
        place = ".".join(part for part in (self.workflow, self.step) if part)
        what = f" parameter '{self.parameter}'" if self.parameter else ""
        where = f"{self.file}:{self.line}"
        return f"{where}: {self.severity} [{self.code}] {place}{what}: {self.message}; {self.remedy}"


def seen_from_here(path: str) -> str:
    """Write a file's path as people read it: from the working directory, where it is below that."""
    source, here = Path(path), Path.cwd()
    return str(source.relative_to(here) if source.is_relative_to(here) else source)


class CompileError(TypeError):
    """A workflow class that can't be compiled; its message has a line for each finding."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


class CompileWarning(UserWarning):
    """Something about a workflow class looks wrong; it is compiled all the same."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding
