"""What helps people to find a cause: tests of any commit, its files, and the commit that made tests fail."""

import sys
from pathlib import Path

import pytest
from temporalio.exceptions import ActivityError, ApplicationError

from activities.pipeline.configuration import TEST
from signals.checkouts import BisectRequest, Culprit, FileExcerpt, RunTestsRequest, ShowFileRequest
from signals.conversation import MessageKind
from signals.errors import ErrorType
from signals.messages import Invoke
from signals.names import WorkflowType
from signals.pipeline import PipelineStatus, Stage, StageResult, StageState
from signals.wire import Wire
from tests.harness import eventually
from tests.unit.pipeline.projects import BAD, CART, Project
from tests.workflows.pipelines import Crew, Floor
from tests.workflows.talks import Run, failure
from workflows.pipeline.errors import PipelineError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "cart")
    project.commit(CART, "Add the cart")
    return project


async def started(crew: Crew, flow: WorkflowType, request: Wire, result: type[Wire]) -> Run:
    run = await crew.start(flow, request)
    return crew.client.get_workflow_handle(run.id, result_type=result)


async def test_some_tests_of_a_commit_are_run(crew: Crew, floor: Floor, project: Project) -> None:
    project.commit({"cart.py": BAD})
    request = RunTestsRequest(repository=str(project.path), commit="main", tests=("test_cart.py::test_total",))
    result = await (await started(crew, WorkflowType.RUN_TESTS, request, StageResult)).result()
    assert isinstance(result, StageResult)
    assert (result.state, result.tests, result.failed) == (StageState.FAILED, 1, 1)
    before = request.model_copy(update={"commit": "main~1"})
    result = await (await started(crew, WorkflowType.RUN_TESTS, before, StageResult)).result()
    assert isinstance(result, StageResult)
    assert (result.state, floor.left()) == (StageState.PASSED, [])


async def test_lines_of_a_file_are_shown(crew: Crew, floor: Floor, project: Project) -> None:
    request = ShowFileRequest(repository=str(project.path), commit="main", path="cart.py", first=2, last=2)
    excerpt = await (await started(crew, WorkflowType.SHOW_FILE, request, FileExcerpt)).result()
    assert isinstance(excerpt, FileExcerpt)
    assert (excerpt.text, excerpt.lines, floor.left()) == ("    return sum(prices)", 2, [])


async def test_a_file_that_isn_t_there_is_told_and_nothing_is_left(crew: Crew, floor: Floor, project: Project) -> None:
    request = ShowFileRequest(repository=str(project.path), commit="main", path="none.py")
    error = await failure(await started(crew, WorkflowType.SHOW_FILE, request, FileExcerpt))
    assert isinstance(error, ActivityError)
    assert isinstance(error.cause, ApplicationError)
    assert (error.cause.type, floor.left()) == (PipelineError.NO_SUCH_FILE, [])


async def test_the_commit_that_made_tests_fail_is_found(crew: Crew, floor: Floor, project: Project) -> None:
    commits = [project.commit({"state": "good" if number < 5 else f"bad {number}"}) for number in range(8)]
    pipeline = {"test": {"command": ["grep", "-q", "good", "state"]}}
    request = BisectRequest.model_validate(
        {"repository": str(project.path), "good": commits[0], "bad": "main", "pipeline": pipeline}
    )
    culprit = await (await started(crew, WorkflowType.BISECT, request, Culprit)).result()
    assert isinstance(culprit, Culprit)
    assert (culprit.commits, floor.left()) == ((commits[5],), [])
    assert culprit.tested <= 3


async def test_people_find_the_cause_from_the_conversation_that_it_is_talked_about_in(
    crew: Crew, floor: Floor, project: Project
) -> None:
    project.commit({"cart.py": BAD})
    run = await crew.push(project, pipeline={"test": TEST.model_dump(mode="json"), "lead": "dana", "assistants": False})
    opened = await crew.talk(run, 1)
    evil = {"test": {"command": ["touch", "/tmp/evil"]}}
    asked = (
        ("ShowFile", {"path": "cart.py", "first": 2}),
        ("RunTests", {"commit": "main~1", "tests": ["test_cart.py::test_total"]}),
        ("RunTests", {"commit": "main~1", "pipeline": evil}),
    )
    for fragment, arguments in asked:
        await run.signal("invoke", Invoke(speaker="ann", fragment=fragment, arguments=arguments))

    async def told() -> list[str]:
        messages = (await crew.transcript(opened.id)).messages
        return [message.text for message in messages if message.kind is MessageKind.FRAGMENT]

    await eventually(told, lambda texts: any('"tests":1' in text.replace(" ", "") for text in texts))
    assert any("return sum(prices) + 1" in text for text in await told())
    assert (await crew.rejections(crew.conversation(opened.id), 1)).recent[0].type is ErrorType.INVALID_INPUT
    await crew.propose(opened, "ann", {"action": "give_up", "reason": "enough seen"})
    assert (await crew.result(run)).status is PipelineStatus.GIVEN_UP

    async def left() -> list[str]:
        return floor.left()

    await eventually(left, lambda names: not names)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this copy of the project is no git repository")
@pytest.mark.timeout(300)
async def test_this_project_goes_through_its_own_pipeline(crew: Crew, floor: Floor) -> None:
    report = "report.xml"
    some = ("tests/unit/test_markdown.py", "tests/unit/conversation/test_wire.py")
    test = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "junit_family=xunit1")
    pipeline = {
        "build": {"command": ["python", "-m", "compileall", "-q", "signals", "workflows"]},
        "lint": {"command": ["python", "-m", "ruff", "check", "--no-cache", "signals"]},
        "test": {"command": [*test, f"--junit-xml={report}", *some], "report": report, "seconds": 240},
        "review": {"approvals": 0},
        "assistants": False,
    }
    run = await crew.push(Project(ROOT), "HEAD", pipeline=pipeline)
    result = await crew.result(run)
    assert (result.status, result.conversations) == (PipelineStatus.PASSED, ())
    tested = next(stage for stage in result.stages if stage.stage is Stage.TEST)
    assert (tested.failed, floor.left()) == (0, [])
    assert (tested.tests or 0) > 10
