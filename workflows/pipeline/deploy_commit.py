"""Deploy a commit, verify it, and take it back if that fails."""

from temporalio import workflow

from signals.checkouts import Before, DeploymentRequest, DeployRequest, VerifyRequest
from signals.pipeline import Deployed, StageResult
from workflows.compiled import compiled, step
from workflows.options import COMMAND
from workflows.pipeline.stubs import Deployments


def is_verified(request: DeploymentRequest) -> bool:
    """Whether there is anything to verify it with."""
    return request.verify is not None


@compiled
class DeployCommit:
    """Deploy a commit to a target, verify it, or take it back; runs in the target's critical section."""

    async def take_back(self, request: DeploymentRequest, before: Before) -> None:
        """Deploy again what was deployed before."""
        await workflow.execute_activity_method(
            Deployments.roll_back, _asked(request, before), summary="take it back", **COMMAND
        )

    @step(compensation=take_back)
    async def before(self, request: DeploymentRequest) -> Before:
        """See what is deployed: that is what is gone back to."""
        asked = DeployRequest(
            workspace=request.workspace, repository=request.repository, commit=request.commit, deploy=request.deploy
        )
        commit = await workflow.execute_activity_method(
            Deployments.deployed, asked, summary="what is deployed?", **COMMAND
        )
        return Before(commit=commit)

    @step
    async def release(self, request: DeploymentRequest, before: Before) -> StageResult:
        """Deploy it, once."""
        return await workflow.execute_activity_method(
            Deployments.deploy, _asked(request, before), summary="deploy", **COMMAND
        )

    @step(when=is_verified)
    async def verification(
        self, request: DeploymentRequest, before: Before, release: StageResult
    ) -> StageResult | None:
        """Look whether it works."""
        if request.verify is None:
            return None
        asked = VerifyRequest(deployment=_asked(request, before), verify=request.verify)
        return await workflow.execute_activity_method(Deployments.verify, asked, summary="verify", **COMMAND)

    @step(result=True)
    def deployed(
        self, request: DeploymentRequest, before: Before, release: StageResult, verification: StageResult | None
    ) -> Deployed:
        """Put together what came of it."""
        stages = (release,) if verification is None else (release, verification)
        return Deployed(stages=stages, deployed=request.commit, previous=before.commit)


def _asked(request: DeploymentRequest, before: Before) -> DeployRequest:
    return DeployRequest(
        workspace=request.workspace,
        repository=request.repository,
        commit=request.commit,
        deploy=request.deploy,
        previous=before.commit,
    )
