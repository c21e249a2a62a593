"""A worker killed while pipelines test, talk and deploy: another takes them up, and each commit is deployed once."""

import asyncio
from pathlib import Path

import psutil
import pytest
from temporalio.client import Client

from infra.devserver import DevServer
from signals.names import TASK_QUEUE
from signals.pipeline import PipelineStatus
from tests.chaos.processes import language_model, workers
from tests.harness import eventually
from tests.unit.pipeline.projects import Project
from tests.workflows.pipelines import Crew

SEEN = "echo begun >> $1.log; while [ ! -e $2/go ]; do sleep 0.05; done; echo ended >> $1.log"
"""A script that notes that it was begun, and ends when the test lets it."""


def script(log: Path) -> dict[str, object]:
    return {"command": ["sh", "-c", SEEN, "chaos", str(log), str(log.parent)], "seconds": 60}


def lines(log: Path) -> list[str]:
    file = log.with_name(f"{log.name}.log")
    return file.read_text().split() if file.exists() else []


def running(log: Path) -> list[int]:
    """The processes that a script of ours still runs in."""
    return [one.pid for one in psutil.process_iter(["cmdline"]) if str(log) in (one.info["cmdline"] or ())]


@pytest.mark.timeout(180)
async def test_pipelines_go_on_when_their_worker_is_killed_in_a_test_in_a_conversation_and_in_a_deployment(
    server: DevServer, client: Client, tmp_path: Path
) -> None:
    project = Project(tmp_path / "shop")
    project.commit({"state": "bad"})
    mended = project.commit({"state": "good"})
    test, deploy = tmp_path / "test", tmp_path / "deploy"
    good = {"command": ["grep", "-q", "good", "state"]}
    base = {"review": {"approvals": 0}, "assistants": False}
    deployed = {"kind": "command", "target": f"{tmp_path.name}-d", "deploy": script(deploy)}
    pipelines = {
        "test": {**base, "test": script(test), "deploy": {"kind": "releases", "target": f"{tmp_path.name}-t"}},
        "talk": {**base, "test": good, "deploy": {"kind": "releases", "target": f"{tmp_path.name}-c"}},
        "deploy": {**base, "test": good, "deploy": deployed},
    }
    settings = {
        "PARLEY_PIPELINE__FOLDER": str(tmp_path / "work"),
        "PARLEY_PIPELINE__DEPLOYMENTS": str(tmp_path / "deployments"),
        "PARLEY_PIPELINE__AT_ONCE": "4",
    }
    crew = Crew(client, TASK_QUEUE)
    with language_model() as model:
        async with workers(server.address, tmp_path, model, settings) as group:
            first = await group.start()
            runs = {
                name: await crew.push(project, "main~1" if name == "talk" else "main", pipeline=pipeline)
                for name, pipeline in pipelines.items()
            }
            opened = await crew.talk(runs["talk"], 1)

            async def begun() -> bool:
                return lines(test) == lines(deploy) == ["begun"]

            await eventually(begun)
            await group.kill(first)

            async def gone() -> bool:
                return not running(test) and not running(deploy)

            await eventually(gone)
            assert (lines(test), lines(deploy)) == (["begun"], ["begun"])
            await group.start()
            (tmp_path / "go").touch()
            await crew.propose(opened, "ann", {"action": "commit", "commit": "main"})
            results = [await asyncio.wait_for(crew.result(run), 60) for run in runs.values()]
    assert {(result.status, result.commit) for result in results} == {(PipelineStatus.DEPLOYED, mended)}
    # What was under way was begun once more, and ended once.
    assert (lines(test), lines(deploy)) == (["begun", "begun", "ended"], ["begun", "begun", "ended"])
    for target in ("t", "c"):
        releases = tmp_path / "deployments" / f"{tmp_path.name}-{target}" / "releases"
        assert [path.name for path in releases.iterdir()] == [mended]
    assert list((tmp_path / "work" / "runs").iterdir()) == []
