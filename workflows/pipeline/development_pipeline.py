"""Example 2: a pipeline from commit to deployment that talks about what fails, and about what is to be deployed.

From the seed's "Development Pipeline": build and test by workflow; failing tests open a debugging conversation, whose
fix is tested again; a review conversation decides; it is deployed by workflow, verified, and taken back if it must be.
"""

from dataclasses import dataclass

from pydantic import JsonValue
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError

from signals.checkouts import Change, Checkout, CheckoutRequest, CheckRequest, Checks, DeploymentRequest, DeployRequest
from signals.names import WorkflowType, child_run_id
from signals.pipeline import (
    Abandon,
    Approve,
    Deployed,
    Fix,
    PipelineRequest,
    PipelineResult,
    PipelineStatus,
    Reject,
    RequestChanges,
    ReviewDecision,
    Reviewed,
    Stage,
    StageResult,
    StageState,
)
from signals.run import RunSoFar
from workflows.compiled import compiled, step
from workflows.compiled.talk import step_error
from workflows.exclusive import run_exclusively
from workflows.hybrid import ConversationPoint, Default, OnException, PointConstraints, RetryWith, StepError
from workflows.options import CHILD_TASK_TIMEOUT, COMMAND, GIT
from workflows.pipeline import failures, talks
from workflows.pipeline.errors import PipelineError
from workflows.pipeline.policy import review_fault
from workflows.pipeline.standing import DEBUGGING, REVIEW, REWORK, Standing, standing
from workflows.pipeline.stubs import Checkouts, Deployments

_NO_FIX: JsonValue = {
    "action": "give_up",
    "reason": "nobody mended it in time, or in as many conversations as there may be",
}
_NO_REVIEW: JsonValue = {"verdict": "reject", "reason": "nobody decided in time"}

_DEBUGGING = ConversationPoint(
    name=DEBUGGING,
    trigger=OnException(
        PipelineError.BUILD_FAILED, PipelineError.TESTS_FAILED, PipelineError.LINT_FAILED, PipelineError.CHANGE_REFUSED
    ),
    setup=talks.debugging,
    integration=RetryWith("fix"),
    constraints=PointConstraints(fallback=Default(_NO_FIX), most=5),
)

_REWORK = ConversationPoint(
    name=REWORK,
    trigger=OnException(PipelineError.CHANGES_REQUESTED),
    setup=talks.debugging,
    integration=RetryWith("rework"),
    constraints=PointConstraints(fallback=Default(_NO_FIX), most=5),
)

_REVIEW = ConversationPoint(
    name=REVIEW,
    trigger=OnException(PipelineError.REVIEW_NEEDED),
    setup=talks.review,
    integration=RetryWith("review"),
    constraints=PointConstraints(fallback=Default(_NO_REVIEW), most=20),
)


@dataclass(frozen=True)
class _Known:
    """What is known of the commit that a run is at, so that nothing is checked twice."""

    changes: tuple[Change, ...]
    commit: Checkout
    checks: Checks


def is_to_be_deployed(reviewed: Reviewed) -> bool:
    """Whether a commit may be deployed, and there is somewhere to deploy it to."""
    return reviewed.status is PipelineStatus.PASSED and reviewed.pipeline.deploy is not None


@compiled
class DevelopmentPipeline:
    """Take a commit to its deployment: checked, talked about where it fails, reviewed, deployed, verified."""

    _known: _Known | None = None

    async def tidy_up(self, run: RunSoFar) -> None:
        """Remove the run's folder; its logs stay."""
        await _tidy_up(run)

    @step(compensation=tidy_up)
    async def source(self, request: PipelineRequest, run: RunSoFar) -> Checkout:
        """Find the commit, and its pipeline."""
        return await self._checked_out(request, (), run)

    @step(checkpoint=True, talk=(_DEBUGGING, _REWORK, _REVIEW))
    async def reviewed(
        self,
        request: PipelineRequest,
        source: Checkout,
        run: RunSoFar,
        fix: Fix | None = None,
        rework: Fix | None = None,
        review: ReviewDecision | None = None,
    ) -> Reviewed:
        """Build, lint and test it, and have it reviewed; go on with what people bring until it may be deployed.

        Each conversation brings it here anew. What it begins with is all that people decided so far, not the last
        thing alone: a fix is made to what the fixes before it have made.
        """
        if fault := review_fault(source.pipeline, request.author, request.participants):
            raise ApplicationError(fault, type=PipelineError.PIPELINE_INVALID, non_retryable=True)
        now = standing(run.conversations)
        known = await self._checked(request, source, now, run)
        ended = next((end for end in (fix, rework, review) if isinstance(end, Abandon | Reject)), None)
        if ended is not None:
            return _reviewed(known, now, reason=ended.reason, rejected=isinstance(ended, Reject))
        if now.is_new and known.commit.refused is not None:
            raise _error(PipelineError.CHANGE_REFUSED, known.commit.refused, known)
        failed = failures.failed_stage(known.checks)
        if failed is not None and now.accepted is None:
            raise _error(failures.kind_of(failed), failures.told(failed), known)
        if source.pipeline.review.approvals:
            _require_approval(now, known)
        return _reviewed(known, now)

    @step(when=is_to_be_deployed)
    async def deployed(self, request: PipelineRequest, reviewed: Reviewed, run: RunSoFar) -> Deployed:
        """Deploy it and verify it, alone at its target; it is taken back if that fails."""
        deploy = reviewed.pipeline.deploy
        if deploy is None:
            return Deployed(stages=(), deployed=None)
        asked = DeploymentRequest(
            workspace=run.id,
            repository=request.repository,
            commit=reviewed.commit,
            deploy=deploy,
            verify=reviewed.pipeline.verify,
        )
        try:
            return await run_exclusively(f"deploy-{deploy.target}", WorkflowType.DEPLOY_COMMIT, asked, Deployed)
        except ChildWorkflowError as error:
            failed = step_error(error)
            if failed.type not in (PipelineError.DEPLOY_FAILED, PipelineError.VERIFY_FAILED):
                raise
        where = DeployRequest(workspace=run.id, repository=request.repository, commit=reviewed.commit, deploy=deploy)
        there = await workflow.execute_activity_method(
            Deployments.deployed, where, summary="what is deployed?", **COMMAND
        )
        return Deployed(stages=_broken(failed), deployed=there, reason=failed.message)

    @step
    async def tidied(self, run: RunSoFar, reviewed: Reviewed, deployed: Deployed | None) -> None:
        """Remove the run's folder; its logs stay."""
        await _tidy_up(run)

    @step(result=True)
    def result(self, source: Checkout, reviewed: Reviewed, deployed: Deployed | None, run: RunSoFar) -> PipelineResult:
        """Sum up."""
        status = reviewed.status
        if deployed is not None:
            status = PipelineStatus.DEPLOYED if deployed.reason is None else PipelineStatus.ROLLED_BACK
        checkout = StageResult(stage=Stage.CHECKOUT, state=StageState.PASSED, seconds=source.seconds)
        deploy = reviewed.pipeline.deploy
        return PipelineResult(
            status=status,
            requested=source.requested,
            commit=reviewed.commit,
            branch=reviewed.branch,
            stages=(checkout, *reviewed.stages, *(deployed.stages if deployed else ())),
            approved_by=reviewed.approved_by,
            target=deploy.target if deploy else None,
            deployed=deployed.deployed if deployed else None,
            reason=deployed.reason if deployed and deployed.reason else reviewed.reason,
            conversations=run.conversations,
            transitions=run.transitions,
        )

    async def _checked_out(self, request: PipelineRequest, changes: tuple[Change, ...], run: RunSoFar) -> Checkout:
        asked = CheckoutRequest(
            workspace=run.id,
            repository=request.repository,
            revision=request.commit,
            changes=changes,
            base=request.base,
            pipeline=request.pipeline,
        )
        return await workflow.execute_activity_method(Checkouts.check_out, asked, summary="check out", **GIT)

    async def _checked(self, request: PipelineRequest, source: Checkout, now: Standing, run: RunSoFar) -> _Known:
        """Check the commit that the run is at, unless that is done."""
        if self._known is not None and self._known.changes == now.changes:
            return self._known
        commit = await self._checked_out(request, now.changes, run) if now.changes else source
        if self._known is not None and self._known.commit.commit == commit.commit:
            checks = self._known.checks
        else:
            checks = await _checks(commit, run)
        self._known = _Known(now.changes, commit, checks)
        return self._known


async def _checks(commit: Checkout, run: RunSoFar) -> Checks:
    pipeline = commit.pipeline
    asked = CheckRequest(
        workspace=run.id,
        repository=commit.repository,
        commit=commit.commit,
        build=pipeline.build,
        lint=pipeline.lint,
        test=pipeline.test,
    )
    checks: Checks = await workflow.execute_child_workflow(
        WorkflowType.CHECK_COMMIT,
        asked,
        id=child_run_id(run.id, "checks", len(run.conversations) + 1),
        result_type=Checks,
        task_timeout=CHILD_TASK_TIMEOUT,
        static_summary="build, lint, test",
    )
    return checks


def _require_approval(now: Standing, known: _Known) -> None:
    """Hold a commit to its review.

    Raises:
        ApplicationError: `ReviewNeeded`, `ChangesRequested`.
    """
    match now.review:
        case Approve(commit=commit) if commit == known.commit.commit:
            return
        case RequestChanges(reason=reason):
            asked = f"{', '.join(now.reviewed_by)} asks for changes: {reason}"
            raise _error(PipelineError.CHANGES_REQUESTED, asked, known)
        case _:
            subject = f"{known.commit.subject} ({known.commit.commit[:12]})"
            raise _error(PipelineError.REVIEW_NEEDED, subject, known)


def _reviewed(known: _Known, now: Standing, *, reason: str | None = None, rejected: bool = False) -> Reviewed:
    status = PipelineStatus.PASSED
    if reason is not None:
        status = PipelineStatus.REJECTED if rejected else PipelineStatus.GIVEN_UP
    return Reviewed(
        status=status,
        commit=known.commit.commit,
        branch=known.commit.branch,
        stages=known.checks.stages if now.accepted is None else failures.accepted(known.checks),
        pipeline=known.commit.pipeline,
        approved_by=now.reviewed_by if isinstance(now.review, Approve) else (),
        reason=reason,
    )


def _error(kind: PipelineError, message: str, known: _Known) -> ApplicationError:
    return ApplicationError(message, failures.facts_of(known.commit, known.checks), type=kind, non_retryable=True)


def _broken(failed: StepError) -> tuple[StageResult, ...]:
    """The stages of a deployment that failed."""
    told = StageResult.model_validate(failed.details["stage"])
    if failed.type == PipelineError.DEPLOY_FAILED:
        return (told,)
    return StageResult(stage=Stage.DEPLOY, state=StageState.ROLLED_BACK), told


async def _tidy_up(run: RunSoFar) -> None:
    try:
        await workflow.execute_activity_method(Checkouts.discard, run.id, summary="tidy up", **GIT)
    except ActivityError as error:
        # What is done is done: a folder that can't be removed now is old some day, and removed then.
        workflow.logger.warning("Folder of %s not removed: %s", run.id, step_error(error).message)
