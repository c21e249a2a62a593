"""Many pipelines at once: each is talked about only if it must be, and its commit is deployed once."""

import asyncio
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client

from infra.devserver import DevServer
from signals.messages import Propose
from signals.names import SearchAttribute
from signals.pipeline import PipelineStatus, Stage, StageState
from tests.chaos.processes import language_model, workers
from tests.unit.pipeline.projects import BAD, CART, GOOD, Project
from tests.workflows.pipelines import Crew

EACH = 40
OWN = """
[pipeline]
review = { approvals = 0 }
assistants = false
deploy = { kind = "releases", target = "@TARGET@" }
"""


@pytest.fixture
async def crew(server: DevServer, client: Client, tmp_path: Path) -> AsyncIterator[Crew]:
    """People, and two worker processes that share a folder."""
    queue = f"many-{uuid4()}"
    settings = {
        "PARLEY_WORKER__TASK_QUEUE": queue,
        "PARLEY_PIPELINE__FOLDER": str(tmp_path / "work"),
        "PARLEY_PIPELINE__DEPLOYMENTS": str(tmp_path / "deployments"),
    }
    with language_model() as model:
        async with workers(server.address, tmp_path, model, settings) as group:
            for _ in range(2):
                await group.start()
            yield Crew(client, queue)


def made(folder: Path, number: int) -> tuple[Project, str]:
    """A repository; every other one has a bug in its last commit. Gives also the commit that is to be deployed."""
    project = Project(folder / f"shop-{number}")
    good = project.commit({**CART, ".parley.toml": OWN.replace("@TARGET@", str(number))})
    if number % 2 == 0:
        return project, good
    project.commit({"cart.py": BAD}, "Speed up")
    project.git("checkout", "--quiet", "-b", "fix")
    fix = project.commit({"cart.py": GOOD}, "Count right")
    project.git("checkout", "--quiet", "main")
    return project, fix


async def answering(crew: Crew, runs: Collection[str]) -> None:
    """Answer for Ann whatever waits for her: the branch `fix` mends it."""
    answered: set[str] = set()
    while True:
        async for waiting in crew.client.list_workflows(f'{SearchAttribute.AWAITING}="ann"'):
            if waiting.id.rpartition("/")[0] in runs and waiting.id not in answered:
                answered.add(waiting.id)
                outcome = Propose(speaker="ann", outcome={"action": "commit", "commit": "fix"})
                await crew.conversation(waiting.id).signal(outcome.signal, outcome)
        await asyncio.sleep(1)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_forty_bugs_are_talked_about_and_mended_and_forty_good_commits_go_through_without_a_word(
    crew: Crew, tmp_path: Path
) -> None:
    projects = [made(tmp_path, number) for number in range(2 * EACH)]
    runs = [await crew.push(project) for project, _ in projects]
    people = asyncio.create_task(answering(crew, {run.id for run in runs}))
    results = [await crew.result(run) for run in runs]
    people.cancel()
    for number, (result, (_, expected)) in enumerate(zip(results, projects, strict=True)):
        assert (result.status, result.commit) == (PipelineStatus.DEPLOYED, expected), number
        assert len(result.conversations) == number % 2
        tested = next(stage for stage in result.stages if stage.stage is Stage.TEST)
        assert (tested.state, tested.tests) == (StageState.PASSED, 2)
        releases = tmp_path / "deployments" / str(number) / "releases"
        assert [path.name for path in releases.iterdir()] == [expected]
    assert list((tmp_path / "work" / "runs").iterdir()) == []
