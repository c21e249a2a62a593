"""Fragment: find the commit that made tests fail."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from signals.checkouts import BisectRequest, Checkout, CheckoutRequest, CommitRange, Culprit, RangeRequest, StageRequest
from signals.pipeline import Stage
from signals.run import RunSoFar
from workflows.compiled import Fragment, Repeat, compiled, step
from workflows.options import COMMAND, GIT
from workflows.pipeline.errors import PipelineError
from workflows.pipeline.fragments import BOUND, LATER
from workflows.pipeline.narrowing import Narrowing
from workflows.pipeline.stubs import Checkouts, Stages

MOST_TESTED = 100
"""How many commits are tested at most: of a thousand, ten have to be, and more where some can't be."""


def is_found(narrowed: Narrowing) -> bool:
    """Whether there is nothing left to test."""
    return narrowed.done


@compiled(fragment=Fragment(modes=LATER, bound=BOUND))
class Bisect:
    """Find the first commit of a range with which tests fail, by testing some of them."""

    async def tidy_up(self, run: RunSoFar) -> None:
        """Remove the run's folder."""
        await workflow.execute_activity_method(Checkouts.discard, run.id, summary="tidy up", **GIT)

    @step(compensation=tidy_up)
    async def source(self, request: BisectRequest, run: RunSoFar) -> Checkout:
        """Have the bad commit at hand; all are tested by its pipeline."""
        asked = CheckoutRequest(
            workspace=run.id, repository=request.repository, revision=request.bad, pipeline=request.pipeline
        )
        return await workflow.execute_activity_method(Checkouts.check_out, asked, summary="check out", **GIT)

    @step
    async def between(self, request: BisectRequest, source: Checkout, run: RunSoFar) -> CommitRange:
        """List the commits."""
        asked = RangeRequest(workspace=run.id, repository=request.repository, good=request.good, bad=source.commit)
        return await workflow.execute_activity_method(Checkouts.commits_between, asked, summary="list commits", **GIT)

    @step(repeat=Repeat(until=is_found, most=MOST_TESTED))
    async def narrowed(
        self,
        request: BisectRequest,
        source: Checkout,
        between: CommitRange,
        run: RunSoFar,
        previous: Narrowing | None = None,
    ) -> Narrowing:
        """Test one that halves what is left."""
        now = previous or Narrowing(good=0, bad=len(between.commits) - 1)
        number = now.next
        if source.pipeline.test is None:
            reason = f"commit {source.commit[:12]} has no tests: its pipeline says none"
            raise ApplicationError(reason, type=PipelineError.NO_PIPELINE, non_retryable=True)
        if number is None:
            return now
        asked = StageRequest(
            workspace=run.id,
            repository=request.repository,
            commit=between.commits[number],
            tree="bisect",
            stage=Stage.TEST,
            command=source.pipeline.test,
            more=request.tests,
        )
        result = await workflow.execute_activity_method(
            Stages.run_stage, asked, summary=f"test commit {number} of {len(between.commits)}", **COMMAND
        )
        return now.after(number, result)

    @step(result=True)
    def culprit(self, between: CommitRange, narrowed: Narrowing) -> Culprit:
        """Say which it is."""
        return Culprit(commits=between.commits[narrowed.good + 1 : narrowed.bad + 1], tested=narrowed.tested)

    @step
    async def tidied(self, run: RunSoFar, culprit: Culprit) -> None:
        """Remove the run's folder."""
        await workflow.execute_activity_method(Checkouts.discard, run.id, summary="tidy up", **GIT)
