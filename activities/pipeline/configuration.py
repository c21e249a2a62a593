"""A project's pipeline, as its commit says it; or what it has to be, where the commit is of a kind that is known."""

import tomllib
from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import ValidationError

from activities.pipeline.refusals import refused
from signals.project import Command, Pipeline
from signals.wire import one_line
from workflows.pipeline.errors import PipelineError

PROJECT: Final = "pyproject.toml"
OWN: Final = ".parley.toml"
FILES: Final[tuple[str, ...]] = (PROJECT, OWN)
"""Where a pipeline may be said."""

REPORT: Final = ".parley-report.xml"

BUILD: Final = Command(command=("python", "-m", "compileall", "-q", "."), seconds=300)
LINT: Final = Command(command=("ruff", "check", "."), seconds=300)
TEST: Final = Command(
    # This family of reports says in which file a test is.
    command=("python", "-m", "pytest", "-q", "--rootdir=.", "-o", "junit_family=xunit1", f"--junit-xml={REPORT}"),
    seconds=1800,
    report=REPORT,
)

_STAGES: Final = ("build", "lint", "test")

Table = Mapping[str, object]


def pipeline_of(texts: Mapping[str, str], names: Sequence[str]) -> Pipeline:
    """Find a commit's pipeline.

    `[pipeline]` of .parley.toml goes before `[tool.parley.pipeline]` of pyproject.toml. Where neither says how to
    build, lint or test, a Python project with pytest is built, linted and tested as such.

    Args:
        texts: Those of `FILES` that are there.
        names: What is in the commit's topmost folder.

    Raises:
        ApplicationError: `PipelineInvalid`: what it says doesn't fit; `NoPipeline`: it says nothing, and nothing is
            recognised.
    """
    project = _toml(PROJECT, texts)
    own = _toml(OWN, texts)
    where, said = (
        (f"{OWN} [pipeline]", _table(own, "pipeline"))
        if OWN in texts
        else (
            f"{PROJECT} [tool.parley.pipeline]",
            _table(_table(_table(project, "tool"), "parley"), "pipeline"),
        )
    )
    known: dict[str, object] = {} if any(stage in said for stage in _STAGES) else {**_recognised(project, names)}
    if not said and not known:
        raise refused(
            PipelineError.NO_PIPELINE,
            "the commit says no pipeline, and is no Python project with pytest: add [tool.parley.pipeline] to "
            f"{PROJECT} or [pipeline] to {OWN}, or give the run one as 'pipeline'",
        )
    try:
        return Pipeline.model_validate({**known, **said})
    except ValidationError as error:
        raise refused(PipelineError.PIPELINE_INVALID, f"{where}: {one_line(error)}") from None


def _toml(name: str, texts: Mapping[str, str]) -> Table:
    try:
        return tomllib.loads(texts.get(name, ""))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise refused(PipelineError.PIPELINE_INVALID, f"{name}: {error}") from None


def _table(table: Table, name: str) -> Table:
    inner = table.get(name, {})
    return inner if isinstance(inner, dict) else {}


def _recognised(project: Table, names: Sequence[str]) -> dict[str, Command]:
    """The stages of a Python project with pytest; none where it is something else."""
    tools = _table(project, "tool")
    has_tests = "tests" in names or "pytest.ini" in names or "conftest.py" in names or "pytest" in tools
    if not has_tests and not any(name.startswith("test_") and name.endswith(".py") for name in names):
        return {}
    lints = "ruff" in tools or "ruff.toml" in names or ".ruff.toml" in names
    return {"build": BUILD, "test": TEST, **({"lint": LINT} if lints else {})}
