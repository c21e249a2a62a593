"""What can be wrong with a plan: data with a place and a remedy."""

from dataclasses import dataclass
from enum import StrEnum

from workflows.compiled.findings import Severity


class PlanCode(StrEnum):
    """Stable names of what can be wrong."""

    UNKNOWN_WORKFLOW = "unknown-workflow"
    UNKNOWN_SELECTOR = "unknown-selector"
    UNKNOWN_PREDICATE = "unknown-predicate"
    INPUTS = "inputs"
    """A workflow needs more inputs than the one that a plan gives."""

    TYPE_MISMATCH = "type-mismatch"
    UNKNOWN_FIELD = "unknown-field"
    MISSING_FIELD = "missing-field"
    CONSTANT = "constant"
    """A constant doesn't fit what it is for."""

    COMPARISON = "comparison"
    """A condition that can never hold, or for no reason that was meant."""

    NOT_A_LIST = "not-a-list"
    JOIN_COUNT = "join-count"
    DUPLICATE_NAME = "duplicate-name"
    EMPTY = "empty"
    TOO_LARGE = "too-large"
    LONG_PATH = "long-path"
    REQUEST = "request"
    """It can't be seen what a named composite takes, or gives."""

    INPUT = "input"
    """The input of a run doesn't fit."""


@dataclass(frozen=True)
class PlanFinding:
    """One thing that is wrong with a plan."""

    code: PlanCode
    workflow: str
    """The composite's workflow type."""

    place: str
    """Where in the plan, such as `plan.steps.1`."""

    message: str
    remedy: str
    file: str = ""
    """The file that the plan is in; empty if it came as JSON."""

    line: int = 0
    severity: Severity = Severity.ERROR

    @property
    def told(self) -> str:
        """It in one line, for whoever sent the plan."""
        return f"{self.place}: {self.message}; {self.remedy} [{self.code}]"

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line}: {self.severity} [{self.code}] {self.workflow}.{self.place}: "
            f"{self.message}; {self.remedy}"
        )


class PlanError(TypeError):
    """A plan that can't be run; its message has a line for each finding."""

    def __init__(self, findings: tuple[PlanFinding, ...]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings
