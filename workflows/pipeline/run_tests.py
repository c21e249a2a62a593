"""Fragment: run tests of a commit."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from signals.checkouts import Checkout, CheckoutRequest, RunTestsRequest, StageRequest
from signals.pipeline import Stage, StageResult
from signals.run import RunSoFar
from workflows.compiled import Fragment, compiled, step
from workflows.options import COMMAND, GIT
from workflows.pipeline.errors import PipelineError
from workflows.pipeline.fragments import BOUND, LATER
from workflows.pipeline.stubs import Checkouts, Stages


@compiled(fragment=Fragment(modes=LATER, bound=BOUND))
class RunTests:
    """Run all tests of a commit, or some."""

    async def tidy_up(self, run: RunSoFar) -> None:
        """Remove the run's folder."""
        await workflow.execute_activity_method(Checkouts.discard, run.id, summary="tidy up", **GIT)

    @step(compensation=tidy_up)
    async def source(self, request: RunTestsRequest, run: RunSoFar) -> Checkout:
        """Have the commit at hand."""
        asked = CheckoutRequest(
            workspace=run.id, repository=request.repository, revision=request.commit, pipeline=request.pipeline
        )
        return await workflow.execute_activity_method(Checkouts.check_out, asked, summary="check out", **GIT)

    @step(result=True)
    async def result(self, request: RunTestsRequest, source: Checkout, run: RunSoFar) -> StageResult:
        """Run them."""
        if source.pipeline.test is None:
            reason = f"commit {source.commit[:12]} has no tests: its pipeline says none"
            raise ApplicationError(reason, type=PipelineError.NO_PIPELINE, non_retryable=True)
        asked = StageRequest(
            workspace=run.id,
            repository=request.repository,
            commit=source.commit,
            tree="build",
            fresh=True,
            stage=Stage.TEST,
            command=source.pipeline.test,
            more=request.tests,
        )
        return await workflow.execute_activity_method(Stages.run_stage, asked, summary="test", **COMMAND)

    @step
    async def tidied(self, run: RunSoFar, result: StageResult) -> None:
        """Remove the run's folder."""
        await workflow.execute_activity_method(Checkouts.discard, run.id, summary="tidy up", **GIT)
