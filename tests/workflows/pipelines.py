"""What tests of the development pipeline share: a worker with real git and real commands, and the people who talk."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from pydantic import JsonValue
from temporalio.client import Client

from activities.pipeline.checkouts import GitCheckouts
from activities.pipeline.deployments import TargetDeployments
from activities.pipeline.stages import CommandStages
from activities.pipeline.workshop import Workshop
from activities.relay import RelayActivities
from activities.results import WorkflowResults
from signals.messages import Propose
from signals.names import WorkflowType
from signals.pipeline import PipelineResult
from signals.run import ConversationRecord
from tests.flows import shop
from tests.unit.pipeline.projects import Project
from tests.workflows.talks import Run, Talks

PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


class Floor:
    """Where pipelines run: the activities of a worker, and their folders."""

    def __init__(self, client: Client, root: Path, at_once: int = 2) -> None:
        self.work = root / "work"
        self.deployments = root / "deployments"
        environment = {"PATH": PATH}
        workshop = Workshop(self.work, environment, environment, at_once)
        checkouts, targets = GitCheckouts(workshop), TargetDeployments(self.deployments, workshop)
        self.activities: list[Callable[..., object]] = [
            checkouts.check_out,
            checkouts.show_file,
            checkouts.commits_between,
            checkouts.discard,
            CommandStages(workshop).run_stage,
            targets.deployed,
            targets.deploy,
            targets.roll_back,
            targets.verify,
            shop.Listener().reply,
            RelayActivities(client).pass_on,
            WorkflowResults(client).await_result,
        ]

    def left(self) -> list[str]:
        """The folders of runs that are still there."""
        return sorted(path.name for path in self.work.glob("runs/*"))


class Crew(Talks):
    """Starts pipelines and takes part in their conversations."""

    async def push(self, project: Project, commit: str = "main", **request: object) -> Run:
        """Start a pipeline for a commit of Ann's."""
        return await self.client.start_workflow(
            WorkflowType.DEVELOPMENT_PIPELINE,
            {"repository": str(project.path), "commit": commit, "author": "ann", **request},
            id=f"pipeline-{uuid4()}",
            task_queue=self.task_queue,
            result_type=PipelineResult,
        )

    async def result(self, run: Run) -> PipelineResult:
        """Wait for a pipeline's end."""
        result = await run.result()
        assert isinstance(result, PipelineResult)
        return result

    async def talk(self, run: Run, total: int) -> ConversationRecord:
        """Wait until so many conversations were opened in all; gives the one that is open."""
        [opened] = await self.opened(run, total)
        return opened

    async def propose(self, conversation: ConversationRecord, speaker: str, outcome: JsonValue) -> None:
        """Propose an outcome in a conversation."""
        await self.conversation(conversation.id).signal("propose", Propose(speaker=speaker, outcome=outcome))
