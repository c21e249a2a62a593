"""Build, lint and test a commit."""

from temporalio import workflow

from signals.checkouts import CheckRequest, Checks, StageRequest
from signals.pipeline import Stage, StageResult, StageState
from signals.project import Command
from workflows.compiled import compiled, step
from workflows.options import COMMAND
from workflows.pipeline.stubs import Stages


def is_built(request: CheckRequest) -> bool:
    """Whether there is anything to build."""
    return request.build is not None


def is_linted(request: CheckRequest) -> bool:
    """Whether there is anything to lint with."""
    return request.lint is not None


def is_tested(request: CheckRequest, build: StageResult | None) -> bool:
    """Whether there are tests, and something to test."""
    return request.test is not None and (build is None or build.state is StageState.PASSED)


@compiled
class CheckCommit:
    """Build, lint and test a commit; what doesn't need each other runs at the same time."""

    @step(when=is_built)
    async def build(self, request: CheckRequest) -> StageResult:
        """Build it; a retry begins with a clean checkout."""
        return await _stage(request, Stage.BUILD, request.build, tree="build", fresh=True)

    @step(when=is_linted)
    async def lint(self, request: CheckRequest) -> StageResult:
        """Look it over, in a checkout of its own."""
        return await _stage(request, Stage.LINT, request.lint, tree="lint", fresh=True)

    @step(when=is_tested)
    async def test(self, request: CheckRequest, build: StageResult | None) -> StageResult:
        """Test what was built."""
        return await _stage(request, Stage.TEST, request.test, tree="build", fresh=build is None)

    @step(result=True)
    def checks(
        self, request: CheckRequest, build: StageResult | None, lint: StageResult | None, test: StageResult | None
    ) -> Checks:
        """Put together what came of it."""
        done = [result for result in (build, lint, test) if result is not None]
        if request.test is not None and test is None:
            done.append(StageResult(stage=Stage.TEST, state=StageState.SKIPPED, reason="the build failed"))
        return Checks(commit=request.commit, stages=tuple(done))


async def _stage(
    request: CheckRequest, stage: Stage, command: Command | None, *, tree: str, fresh: bool
) -> StageResult:
    if command is None:
        return StageResult(stage=stage, state=StageState.SKIPPED)
    asked = StageRequest(
        workspace=request.workspace,
        repository=request.repository,
        commit=request.commit,
        tree=tree,
        fresh=fresh,
        stage=stage,
        command=command,
    )
    return await workflow.execute_activity_method(Stages.run_stage, asked, summary=stage.value, **COMMAND)
