"""A development pipeline's activities that keep everything in memory: commits are numbers, and small ones are good."""

from collections.abc import Callable
from typing import Final

from temporalio import activity

from signals.checkouts import (
    Checkout,
    CheckoutRequest,
    CommitRange,
    DeployRequest,
    FileExcerpt,
    FileRequest,
    RangeRequest,
    StageRequest,
    VerifyRequest,
)
from signals.pipeline import FailedTest, Stage, StageResult, StageState
from signals.project import Command, Commit, Pipeline, ReleaseFolders, VerifyHttp
from workflows.pipeline.stubs import Checkouts, Deployments, Stages

GOOD: Final = "1".zfill(40)
BAD: Final = "9".zfill(40)
FIRST_BAD: Final = 5

PIPELINE: Final = Pipeline(
    build=Command(command=("make",)),
    lint=Command(command=("ruff", "check")),
    test=Command(command=("pytest",)),
    deploy=ReleaseFolders(target="staging"),
    verify=VerifyHttp(url="http://localhost/health"),
    lead="dana",
)


class CannedCheckouts(Checkouts):
    """Commits that are there without git; any change leads to a good one."""

    @activity.defn(name="check_out")
    async def check_out(self, request: CheckoutRequest) -> Checkout:
        """Find any commit."""
        commit = GOOD if request.changes else request.revision.zfill(40)
        return Checkout(
            repository=request.repository,
            requested=request.revision.zfill(40),
            commit=commit,
            subject="Speed up",
            files=("cart.py",),
            diff="-a\n+b\n",
            pipeline=request.pipeline or PIPELINE,
        )

    @activity.defn(name="show_file")
    async def show_file(self, request: FileRequest) -> FileExcerpt:
        """Know one line."""
        return FileExcerpt(path=request.path, first=1, last=1, lines=1, text="x = 1")

    @activity.defn(name="commits_between")
    async def commits_between(self, request: RangeRequest) -> CommitRange:
        """Count."""
        return CommitRange(commits=tuple(str(number).zfill(40) for number in range(int(request.bad) + 1)))

    @activity.defn(name="discard")
    async def discard(self, workspace: str) -> None:
        """Have nothing to remove."""


class CannedStages(Stages):
    """Commands that aren't run."""

    @activity.defn(name="run_stage")
    async def run_stage(self, request: StageRequest) -> StageResult:
        """Fail the tests of large commits."""
        if request.stage is not Stage.TEST or int(request.commit) < FIRST_BAD:
            return StageResult(stage=request.stage, state=StageState.PASSED, exit=0)
        failure = FailedTest(name="test_cart.py::test_total", message="assert 4 == 3")
        return StageResult(
            stage=request.stage,
            state=StageState.FAILED,
            reason="1 of 2 tests failed",
            exit=1,
            tests=2,
            failed=1,
            failures=(failure,),
            tail="E   assert 4 == 3\n",
        )


class CannedDeployments(Deployments):
    """A place where anything is deployed, and works."""

    @activity.defn(name="deployed")
    async def deployed(self, request: DeployRequest) -> Commit | None:
        """Have nothing yet."""
        return None

    @activity.defn(name="deploy")
    async def deploy(self, request: DeployRequest) -> StageResult:
        """Deploy it."""
        return StageResult(stage=Stage.DEPLOY, state=StageState.PASSED)

    @activity.defn(name="roll_back")
    async def roll_back(self, request: DeployRequest) -> None:
        """Take it back."""

    @activity.defn(name="verify")
    async def verify(self, request: VerifyRequest) -> StageResult:
        """Find it well."""
        return StageResult(stage=Stage.VERIFY, state=StageState.PASSED)


def activities() -> list[Callable[..., object]]:
    """What a worker registers."""
    checkouts, deployments = CannedCheckouts(), CannedDeployments()
    return [
        checkouts.check_out,
        checkouts.show_file,
        checkouts.commits_between,
        checkouts.discard,
        CannedStages().run_stage,
        deployments.deployed,
        deployments.deploy,
        deployments.roll_back,
        deployments.verify,
    ]
