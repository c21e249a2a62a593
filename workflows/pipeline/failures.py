"""What is wrong with a commit, and what people and models are told of it: bounded, however much there is. Pure."""

from collections.abc import Iterator
from typing import Final

from pydantic import JsonValue

from signals.checkouts import Checkout, Checks
from signals.pipeline import FailedTest, Stage, StageResult, StageState
from workflows.pipeline.errors import PipelineError

TESTS_TOLD: Final = 5
LOG_TOLD: Final = 1_500
DIFF_TOLD: Final = 3_500
"""How many failed tests, and how many characters, go into what is known in a conversation."""

PART: Final = 450
"""How long one thing may be that is known: what is longer is told in parts."""

_KINDS: Final = {
    Stage.BUILD: PipelineError.BUILD_FAILED,
    Stage.TEST: PipelineError.TESTS_FAILED,
    Stage.LINT: PipelineError.LINT_FAILED,
}
"""In the order in which they are talked about."""


def failed_stage(checks: Checks) -> StageResult | None:
    """The stage whose failure is to be talked about; none where all is well."""
    failed = {result.stage: result for result in checks.stages if result.state is StageState.FAILED}
    return next((failed[stage] for stage in _KINDS if stage in failed), None)


def kind_of(failed: StageResult) -> PipelineError:
    """The error type of a stage's failure."""
    return _KINDS[failed.stage]


def told(failed: StageResult) -> str:
    """A failure in one line."""
    names = ", ".join(test.name for test in failed.failures[:3])
    more = f" and {failed.failed - 3} more" if failed.failed > 3 else ""
    return f"{failed.stage}: {failed.reason}" + (f": {names}{more}" if names else "")


def accepted(checks: Checks) -> tuple[StageResult, ...]:
    """The stages, with their failures accepted."""
    return tuple(
        result.model_copy(update={"state": StageState.ACCEPTED}) if result.state is StageState.FAILED else result
        for result in checks.stages
    )


def facts_of(candidate: Checkout, checks: Checks) -> dict[str, JsonValue]:
    """What is known of a commit, most important first; the names of the first ones are those that fragments ask for."""
    known: dict[str, JsonValue] = {
        "repository": candidate.repository,
        "commit": candidate.commit,
        "subject of the commit": candidate.subject,
    }
    for result in checks.stages:
        known[f"stage {result.stage}"] = result.state + (f": {result.reason}" if result.reason else "")
    failed = failed_stage(checks)
    if failed is not None:
        for number, test in enumerate(failed.failures[:TESTS_TOLD], 1):
            known[f"failed test {number}"] = _test(test)
        if failed.failed > TESTS_TOLD:
            known["failed tests not told"] = failed.failed - TESTS_TOLD
        known |= _parts("end of the log", failed.tail[-LOG_TOLD:])
    known["changed files"] = ", ".join(candidate.files)[:PART]
    known |= _parts("difference", candidate.diff[:DIFF_TOLD])
    known["pipeline"] = candidate.pipeline.model_dump(mode="json", exclude_none=True)
    return known


def _test(test: FailedTest) -> str:
    place = f" (line {test.line})" if test.line is not None else ""
    return f"{test.name}{place}: {test.message}"[:PART]


def _parts(name: str, text: str) -> dict[str, JsonValue]:
    parts = list(_cut(text.strip("\n")))
    return {
        f"{name}, part {number} of {len(parts)}" if len(parts) > 1 else name: part
        for number, part in enumerate(parts, 1)
    }


def _cut(text: str) -> Iterator[str]:
    """A text in parts of whole lines, as far as lines are short enough."""
    part = ""
    for line in text.splitlines(keepends=True):
        while len(part) + len(line) > PART:
            if part:
                yield part
                part = ""
            else:
                yield line[:PART]
                line = line[PART:]
        part += line
    if part:
        yield part
