"""The commands of a pipeline, each an activity."""

from temporalio import activity

from activities.pipeline.workshop import Workshop, beating
from signals.checkouts import StageRequest
from signals.pipeline import StageResult
from workflows.pipeline.stubs import Stages


class CommandStages(Stages):
    """Commands in checkouts.

    Args:
        workshop: Where they run.
    """

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop

    @activity.defn(name="run_stage")
    async def run_stage(self, request: StageRequest) -> StageResult:
        """Run a command in a checkout. That it fails is its result, not an error."""
        fresh = request.fresh and activity.info().attempt > 1
        async with beating(lambda: "git"):
            tree = await self._workshop.tree(
                request.workspace, request.repository, request.commit, request.tree, fresh=fresh
            )
        return await self._workshop.perform(
            request.workspace,
            tree,
            request.stage,
            request.command,
            more=request.more,
            variables={"PARLEY_STAGE": request.stage, "PARLEY_COMMIT": request.commit},
        )
