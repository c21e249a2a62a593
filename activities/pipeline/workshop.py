"""What the pipeline's activities work with: the runs' folders and repositories, and the commands that run in them."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from temporalio import activity

from activities.pipeline.commands import Ended, Program, is_there, run
from activities.pipeline.folders import RunFolder, WorkFolder, inside
from activities.pipeline.git import Git
from activities.pipeline.output import Log
from activities.pipeline.refusals import refused
from activities.pipeline.reports import Report, ReportError, read_report
from signals.pipeline import Stage, StageResult, StageState
from signals.project import Command, Limits
from workflows.pipeline.errors import PipelineError

HEARTBEAT: Final = 1.0
"""Seconds between two signs of life."""

MEGABYTE: Final = 1024 * 1024


class Workshop:
    """Runs' folders, and commands in them.

    Args:
        folder: Where the folders of runs are made.
        environment: What every command finds in its environment; nothing else of the worker's gets there.
        git_environment: What git needs to reach other repositories.
        at_once: How many commands run at a time; further ones wait.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], git_environment: Mapping[str, str], at_once: int
    ) -> None:
        self._work = WorkFolder(folder)
        self._environment = dict(environment)
        self._git_environment = dict(git_environment)
        self._gate = asyncio.Semaphore(at_once)

    def folder(self, workspace: str) -> RunFolder:
        """The folder of a run."""
        return self._work.of(workspace)

    def prune(self) -> None:
        """Remove what is old."""
        self._work.prune()

    def git(self, workspace: str) -> Git:
        """The repository of a run."""
        return Git(self.folder(workspace), self._git_environment)

    async def tree(self, workspace: str, repository: str, commit: str, name: str, *, fresh: bool = False) -> Path:
        """A folder with a commit's files: the one that is there, or, on another machine, one made anew.

        Raises:
            ApplicationError: `RepositoryUnavailable`, `NoSuchCommit`.
        """
        git = self.git(workspace)
        async with self.folder(workspace).locked():
            await git.prepare(repository)
            if await git.resolve(repository, commit) is None:
                raise refused(PipelineError.NO_SUCH_COMMIT, f"there is no commit {commit[:12]} in {repository}")
            return await git.tree(commit, name, fresh=fresh)

    async def perform(
        self,
        workspace: str,
        tree: Path,
        stage: Stage,
        command: Command,
        *,
        more: tuple[str, ...] = (),
        variables: Mapping[str, str] | None = None,
    ) -> StageResult:
        """Run a stage's command in a checkout, give signs of life meanwhile, and tell what came of it.

        Args:
            workspace: The run.
            tree: The checkout.
            stage: Which stage it is.
            command: What to run.
            more: Further words.
            variables: What it finds in its environment beside the usual.
        """
        place = inside(tree, command.folder)
        if place is None or not place.is_dir():
            return _failed(stage, f"folder: there is no folder '{command.folder}' in the checkout")
        report = None
        if command.report is not None:
            report = place / command.report
            if inside(tree, str(report.parent)) is None:
                return _failed(stage, f"report: '{command.report}' leaves the checkout")
            report.unlink(missing_ok=True)
        folder = self.folder(workspace)
        program = Program(
            words=(*command.command, *more),
            folder=place,
            environment={
                **self._environment,
                **{"HOME": str(folder.home), "TMPDIR": str(folder.temporary), "CI": "true"},
                **(variables or {}),
                **command.environment,
            },
            seconds=command.seconds,
            limits=_limits(command.limits),
        )
        if not is_there(program):
            return _failed(stage, f"{command.command[0]}: there is no such program")
        log_file = folder.logs / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{stage}.log"
        with Log(log_file) as log:
            async with beating(lambda: {"stage": stage.value, "bytes": log.size, "last": log.tail(200)}), self._gate:
                ended = await run(program, log)
        told, fault = _told(report)
        reason = fault or _reason(command, ended, told)
        return StageResult(
            stage=stage,
            state=StageState.FAILED if reason else StageState.PASSED,
            seconds=round(ended.seconds, 3),
            reason=reason,
            exit=ended.status,
            tests=told.tests if told else None,
            failed=told.failed if told else 0,
            failures=told.failures if told else (),
            log=str(log_file),
            tail=log.tail(),
            output_bytes=log.size,
        )


@asynccontextmanager
async def beating(details: Callable[[], object]) -> AsyncIterator[None]:
    """Give signs of life while something is done: a worker that gives none is taken for dead.

    Args:
        details: What to say of how far it is.
    """

    async def beat() -> None:
        while True:
            activity.heartbeat(details())
            await asyncio.sleep(HEARTBEAT)

    beats = asyncio.create_task(beat())
    try:
        yield
    finally:
        beats.cancel()


def _failed(stage: Stage, reason: str) -> StageResult:
    return StageResult(stage=stage, state=StageState.FAILED, reason=reason)


def _limits(limits: Limits) -> dict[str, int]:
    asked = {
        "RLIMIT_DATA": limits.memory_mb and limits.memory_mb * MEGABYTE,
        "RLIMIT_FSIZE": limits.file_mb and limits.file_mb * MEGABYTE,
        "RLIMIT_CPU": limits.cpu_seconds,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CORE": 0,
    }
    return {name: limit for name, limit in asked.items() if limit is not None}


def _told(report: Path | None) -> tuple[Report | None, str | None]:
    """What a report tells, or what is wrong with it; nothing where there is none."""
    if report is None or not (report.exists() or report.is_symlink()):
        return None, None
    try:
        return read_report(report), None
    except ReportError as error:
        return None, f"report: {error}"


def _reason(command: Command, ended: Ended, told: Report | None) -> str | None:
    """Why a stage failed; nothing where it didn't."""
    if ended.status is None:
        return f"{command.command[0]} took longer than {command.seconds:g} s"
    if told and told.failed:
        return f"{told.failed} of {told.tests} tests failed"
    missing = f"wrote no report '{command.report}'" if command.report and told is None else ""
    if ended.status == 0:
        return f"{command.command[0]} {missing}" if missing else None
    how = _signal(ended.status) or f"ended with status {ended.status}"
    return f"{command.command[0]} {how}" + (f", and {missing}" if missing else "")


def _signal(status: int) -> str | None:
    try:
        return f"was ended by {signal.Signals(status - 128).name}" if status > 128 else None
    except ValueError:
        return None
