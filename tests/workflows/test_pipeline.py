"""A pipeline takes a commit to its deployment; it talks about what fails, and about what is to be deployed."""

import asyncio
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from pydantic import JsonValue
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError

from signals.conversation import StopReason
from signals.errors import ErrorType
from signals.messages import Propose
from signals.pipeline import PipelineResult, PipelineStatus, Stage, StageState
from tests.harness import eventually
from tests.unit.pipeline.projects import BAD, CART, GOOD, Project
from tests.workflows.pipelines import Crew, Floor
from tests.workflows.talks import Run, failure
from workflows.pipeline.errors import PipelineError

OWN = """
[pipeline]
lead = "dana"
[pipeline.build]
command = ["python", "-m", "compileall", "-q", "."]
[pipeline.test]
command = ["python", "-m", "pytest", "-q", "-o", "junit_family=xunit1", "--junit-xml=report.xml"]
report = "report.xml"
[pipeline.deploy]
kind = "releases"
target = "@TARGET@"
[pipeline.verify]
kind = "command"
run = { command = ["sh", "-c", "test ! -e broken"] }
"""
"""A pipeline with all there is."""

GIVE_UP: JsonValue = {"action": "give_up", "reason": "not worth it"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project that is deployed to a target of its own."""
    project = Project(tmp_path / "cart")
    project.commit({**CART, ".parley.toml": OWN.replace("@TARGET@", tmp_path.name)}, "Add the cart")
    return project


def target_of(floor: Floor, project: Project) -> Path:
    return floor.deployments / project.path.parent.name


def current(floor: Floor, project: Project) -> str | None:
    """The commit that is deployed."""
    link = target_of(floor, project) / "current"
    return link.readlink().name if link.is_symlink() else None


def light(project: Project, **more: object) -> dict[str, object]:
    """A pipeline of small programs, without review: the file `state` must have `good` in it."""
    return {
        "test": {"command": ["grep", "-q", "good", "state"]},
        "deploy": {"kind": "releases", "target": project.path.parent.name},
        "review": {"approvals": 0},
        "assistants": False,
        "lead": "dana",
        **more,
    }


def states(result: PipelineResult) -> dict[Stage, StageState]:
    return {stage.stage: stage.state for stage in result.stages}


async def test_a_failing_commit_is_mended_in_a_conversation_reviewed_in_another_and_deployed(
    crew: Crew, floor: Floor, project: Project
) -> None:
    bad = project.commit({"cart.py": BAD}, "Speed up")
    patch = project.patch({"cart.py": GOOD})
    run = await crew.push(project)
    debugging = await crew.talk(run, 1)
    assert (debugging.id, debugging.people) == (f"{run.id}/debugging-1", ("ann", "dana"))
    assert debugging.because == "test: 1 of 2 tests failed: test_cart.py::test_total"
    await crew.propose(debugging, "ann", {"action": "patch", "patch": patch, "reason": "Count right"})
    review = await crew.talk(run, 2)
    assert (review.id, review.people) == (f"{run.id}/review-1", ("ann", "dana"))
    mended = project.git("for-each-ref", "--format=%(objectname)", "refs/heads/parley")
    await crew.propose(review, "dana", {"verdict": "approve", "commit": mended})
    result = await crew.result(run)
    assert (result.status, result.requested, result.commit) == (PipelineStatus.DEPLOYED, bad, mended)
    assert (result.approved_by, result.deployed, result.reason) == (("dana",), mended, None)
    assert [(stage.stage, stage.state) for stage in result.stages] == [
        (stage, StageState.PASSED) for stage in (Stage.CHECKOUT, Stage.BUILD, Stage.TEST, Stage.DEPLOY, Stage.VERIFY)
    ]
    assert current(floor, project) == mended
    assert floor.left() == []


async def test_a_good_commit_is_deployed_without_a_word(crew: Crew, floor: Floor, project: Project) -> None:
    commit = project.commit({"state": "good"})
    result = await crew.result(await crew.push(project, pipeline=light(project)))
    assert (result.status, result.conversations) == (PipelineStatus.DEPLOYED, ())
    assert current(floor, project) == commit


async def test_a_pipeline_that_deploys_nothing_passes(crew: Crew, project: Project) -> None:
    project.commit({"state": "good"})
    result = await crew.result(await crew.push(project, pipeline=light(project, deploy=None)))
    assert (result.status, result.target, result.deployed) == (PipelineStatus.PASSED, None, None)


async def test_what_does_not_need_each_other_runs_at_the_same_time_but_no_test_before_its_build(
    crew: Crew, floor: Floor, project: Project, tmp_path: Path
) -> None:
    here = {"HERE": str(tmp_path)}
    meet = 'touch "$HERE/$1"; while [ ! -e "$HERE/$2" ]; do sleep 0.05; done'
    stages = {
        "build": {"command": ["sh", "-c", f"{meet}; touch built", "-", "build", "lint"]},
        "lint": {"command": ["sh", "-c", f"test ! -e built && {meet}", "-", "lint", "build"]},
        "test": {"command": ["test", "-e", "built"]},
    }
    pipeline = light(project, **{name: {**stage, "environment": here, "seconds": 20} for name, stage in stages.items()})
    result = await crew.result(await crew.push(project, pipeline=pipeline))
    assert result.status is PipelineStatus.DEPLOYED


async def test_without_a_build_nothing_is_tested_and_people_may_give_up(
    crew: Crew, floor: Floor, project: Project
) -> None:
    project.commit({"cart.py": "def total(:"})
    run = await crew.push(project)
    opened = await crew.talk(run, 1)
    assert opened.because == "build: python ended with status 1"
    await crew.propose(opened, "ann", GIVE_UP)
    result = await crew.result(run)
    assert (result.status, result.reason) == (PipelineStatus.GIVEN_UP, "not worth it")
    assert (states(result)[Stage.BUILD], states(result)[Stage.TEST]) == (StageState.FAILED, StageState.SKIPPED)
    assert (current(floor, project), floor.left()) == (None, [])


async def test_a_failure_that_people_accept_is_deployed_and_said(crew: Crew, floor: Floor, project: Project) -> None:
    commit = project.commit({"state": "bad"})
    run = await crew.push(project, pipeline=light(project))
    await crew.propose(await crew.talk(run, 1), "dana", {"action": "accept", "reason": "known"})
    result = await crew.result(run)
    assert (result.status, states(result)[Stage.TEST]) == (PipelineStatus.DEPLOYED, StageState.ACCEPTED)
    assert current(floor, project) == commit


async def test_a_change_that_can_t_be_made_is_talked_about_again_and_the_next_one_is_tested(
    crew: Crew, project: Project
) -> None:
    project.commit({"state": "bad\n"})
    patch = project.patch({"state": "good\n"})
    run = await crew.push(project, pipeline=light(project))
    await crew.propose(await crew.talk(run, 1), "ann", {"action": "commit", "commit": "no-such-branch"})
    again = await crew.talk(run, 2)
    assert again.because == f"there is no commit 'no-such-branch' in {project.path}"
    await crew.propose(again, "ann", {"action": "patch", "patch": patch.replace("bad", "worse")})
    third = await crew.talk(run, 3)
    assert "the patch does not apply" in third.because
    await crew.propose(third, "ann", {"action": "patch", "patch": patch})
    assert (await crew.result(run)).status is PipelineStatus.DEPLOYED


async def test_a_fix_that_doesn_t_mend_it_is_talked_about_so_many_times_and_no_more(
    crew: Crew, project: Project
) -> None:
    project.commit({"state": "bad"})
    run = await crew.push(project, pipeline=light(project))
    for number in range(1, 6):
        opened = await crew.talk(run, number)
        project.commit({"state": f"bad {number}"})
        await crew.propose(opened, "ann", {"action": "commit", "commit": "main"})
    result = await crew.result(run)
    assert result.status is PipelineStatus.GIVEN_UP
    assert len(result.conversations) == 5
    assert result.commit == project.git("rev-parse", "main")


async def test_an_approval_is_of_one_commit_by_others_than_its_author(
    crew: Crew, floor: Floor, project: Project
) -> None:
    first = project.commit({"state": "good"})
    review = {"approvals": 2, "reviewers": ["ed", "flo"]}
    run = await crew.push(project, pipeline=light(project, review=review))
    opened = await crew.talk(run, 1)
    await crew.propose(opened, "ann", {"verdict": "approve", "commit": first})
    await crew.propose(opened, "ed", {"verdict": "approve", "commit": first})
    second = project.commit({"more": ""})
    await crew.propose(opened, "ann", {"verdict": "changes", "reason": "one more file", "replacement": "main"})
    again = await crew.talk(run, 2)
    assert again.because == f"Change ({second[:12]})"
    late = Propose(speaker="flo", outcome={"verdict": "approve", "commit": first})
    await crew.conversation(again.id).signal("propose", late)
    rejections = await crew.rejections(crew.conversation(again.id), 1)
    assert rejections.recent[0].type is ErrorType.OUTCOME_INVALID
    for reviewer in ("dana", "flo"):
        await crew.propose(again, reviewer, {"verdict": "approve", "commit": second})
    result = await crew.result(run)
    assert (result.status, result.commit, result.approved_by) == (PipelineStatus.DEPLOYED, second, ("dana", "flo"))
    assert [record.stop for record in result.conversations] == [StopReason.DECISION, StopReason.QUORUM]
    assert current(floor, project) == second


async def test_requested_changes_come_as_a_new_commit_which_is_checked_and_reviewed(
    crew: Crew, project: Project
) -> None:
    project.commit({"state": "good"})
    run = await crew.push(project, pipeline=light(project, review={"approvals": 1}))
    await crew.propose(await crew.talk(run, 1), "dana", {"verdict": "changes", "reason": "no test"})
    rework = await crew.talk(run, 2)
    assert (rework.point, rework.because) == ("rework", "dana asks for changes: no test")
    project.commit({"state": "bad"})
    await crew.propose(rework, "ann", {"action": "commit", "commit": "main"})
    debugging = await crew.talk(run, 3)
    assert debugging.point == "debugging"
    mended = project.commit({"state": "good again"})
    await crew.propose(debugging, "ann", {"action": "commit", "commit": "main"})
    review = await crew.talk(run, 4)
    await crew.propose(review, "dana", {"verdict": "approve", "commit": mended})
    result = await crew.result(run)
    assert (result.status, result.commit) == (PipelineStatus.DEPLOYED, mended)
    assert [record.point for record in result.conversations] == ["review", "rework", "debugging", "review"]


async def test_a_rejected_commit_is_not_deployed(crew: Crew, floor: Floor, project: Project) -> None:
    project.commit({"state": "good"})
    run = await crew.push(project, pipeline=light(project, review={"approvals": 1}))
    await crew.propose(await crew.talk(run, 1), "dana", {"verdict": "reject", "reason": "not wanted"})
    result = await crew.result(run)
    assert (result.status, result.reason, current(floor, project)) == (PipelineStatus.REJECTED, "not wanted", None)


async def test_a_deployment_that_turns_out_bad_is_taken_back(crew: Crew, floor: Floor, project: Project) -> None:
    verify = {"kind": "command", "run": {"command": ["test", "!", "-e", "broken"]}}
    first = project.commit({"state": "good"})
    pipeline = light(project, verify=verify)
    assert (await crew.result(await crew.push(project, pipeline=pipeline))).status is PipelineStatus.DEPLOYED
    second = project.commit({"broken": ""})
    result = await crew.result(await crew.push(project, pipeline=pipeline))
    assert (result.status, result.commit, result.deployed) == (PipelineStatus.ROLLED_BACK, second, first)
    assert (result.reason, current(floor, project)) == ("test ended with status 1", first)
    assert states(result)[Stage.DEPLOY] is StageState.ROLLED_BACK
    assert states(result)[Stage.VERIFY] is StageState.FAILED


async def test_one_deploys_at_a_time_and_a_commit_is_deployed_once(
    crew: Crew, floor: Floor, project: Project, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    alone = 'mkdir "$LOG.lock" && echo "$PARLEY_COMMIT" >> "$LOG" && sleep 0.3 && rmdir "$LOG.lock"'
    deploy = {
        "kind": "command",
        "target": tmp_path.name,
        "deploy": {"command": ["sh", "-c", alone], "environment": {"LOG": str(log)}},
    }
    commits = [project.commit({"state": f"good {number}"}) for number in range(2)]
    runs = [await crew.push(project, commit, pipeline=light(project, deploy=deploy)) for commit in commits * 2]
    results = [await crew.result(run) for run in runs]
    assert {result.status for result in results} == {PipelineStatus.DEPLOYED}
    deployed = log.read_text().split()
    assert len(deployed) < 5
    assert all(one != other for one, other in pairwise(deployed))
    assert current(floor, project) is None


async def test_a_cancelled_run_leaves_no_process_and_no_folder_behind(
    crew: Crew, floor: Floor, project: Project, tmp_path: Path
) -> None:
    test = {"command": ["sh", "-c", f"touch {tmp_path}/started; sleep 4321.5; true"]}
    run = await crew.push(project, pipeline=light(project, test=test))

    async def started() -> bool:
        return await asyncio.to_thread((tmp_path / "started").exists)

    await eventually(started)
    await run.cancel()
    with pytest.raises(WorkflowFailureError):
        await run.result()
    assert floor.left() == []
    assert [
        process.pid for process in psutil.process_iter(["cmdline"]) if "4321.5" in (process.info["cmdline"] or ())
    ] == []


async def why(run: Run) -> tuple[str | None, str]:
    """The type and the text of what a run failed by."""
    error = await failure(run)
    cause = error.cause if isinstance(error, ActivityError) else error
    assert isinstance(cause, ApplicationError)
    return cause.type, cause.message


async def test_what_can_t_be_begun_fails_at_once_with_the_reason(
    crew: Crew, floor: Floor, project: Project, tmp_path: Path
) -> None:
    assert await why(await crew.push(project, "no-such-branch")) == (
        PipelineError.NO_SUCH_COMMIT,
        f"there is no commit 'no-such-branch' in {project.path}",
    )
    kind, _ = await why(await crew.push(project, repository=str(tmp_path / "none")))
    assert kind == PipelineError.REPOSITORY_UNAVAILABLE
    kind, text = await why(await crew.push(project, pipeline={"test": {"command": ["true"]}}))
    assert (kind, text.startswith("review.approvals: 1 must approve")) == (PipelineError.PIPELINE_INVALID, True)
    project.commit({".parley.toml": "[pipeline]\ntset = 1"})
    kind, text = await why(await crew.push(project))
    assert (kind, text.startswith(".parley.toml [pipeline]: ")) == (PipelineError.PIPELINE_INVALID, True)
    kind, text = await why(await crew.push(project, repository="--evil"))
    assert (kind, text.startswith("repository: ")) == (ErrorType.INVALID_INPUT, True)
    assert floor.left() == []
