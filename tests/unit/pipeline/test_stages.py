"""Commands run in checkouts; whatever is wrong with one ends its stage with a clear reason."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.pipeline.configuration import TEST
from activities.pipeline.stages import CommandStages
from activities.pipeline.workshop import Workshop
from signals.checkouts import StageRequest
from signals.pipeline import Stage, StageResult, StageState
from signals.project import Command
from tests.harness import eventually
from tests.unit.pipeline.projects import BAD, Project
from workflows.pipeline.errors import PipelineError

RUN = "run/1"


class Runner:
    """Runs commands in the newest commit of a project."""

    def __init__(self, stages: CommandStages, environment: ActivityEnvironment, project: Project) -> None:
        self.stages = stages
        self.environment = environment
        self.project = project

    async def __call__(self, *words: str, **more: object) -> StageResult:
        return await self.run(Command.model_validate({"command": words, "seconds": 30, **more}))

    async def run(self, command: Command, *more: str, fresh: bool = False) -> StageResult:
        request = StageRequest(
            workspace=RUN,
            repository=str(self.project.path),
            commit=self.project.git("rev-parse", "HEAD"),
            tree="build",
            stage=Stage.TEST,
            command=command,
            more=more,
            fresh=fresh,
        )
        return await self.environment.run(self.stages.run_stage, request)


@pytest.fixture
def stage(stages: CommandStages, environment: ActivityEnvironment, project: Project) -> Runner:
    return Runner(stages, environment, project)


async def test_a_command_that_does_well_passes(stage: Runner) -> None:
    result = await stage("sh", "-c", "echo hello; ls")
    assert (result.state, result.exit, result.reason) == (StageState.PASSED, 0, None)
    assert result.tail == "hello\ncart.py\ntest_cart.py\n"
    assert await asyncio.to_thread(Path(str(result.log)).read_text) == result.tail


async def test_tests_that_fail_are_named(stage: Runner) -> None:
    stage.project.commit({"cart.py": BAD})
    result = await stage.run(TEST)
    assert (result.state, result.exit, result.reason) == (StageState.FAILED, 1, "1 of 2 tests failed")
    [failure] = result.failures
    assert (failure.name, failure.line) == ("test_cart.py::test_total", 5)
    assert failure.message.startswith("assert 4 == 3")


async def test_a_selection_of_tests_is_run(stage: Runner) -> None:
    stage.project.commit({"cart.py": BAD})
    result = await stage.run(TEST, "test_cart.py::test_nothing")
    assert (result.state, result.tests) == (StageState.PASSED, 1)


@pytest.mark.parametrize(
    ("words", "more", "reason"),
    [
        (("sh", "-c", "exit 7"), {}, "sh ended with status 7"),
        (("sh", "-c", "kill -SEGV $$"), {}, "sh was ended by SIGSEGV"),
        (("no-such-tool",), {}, "no-such-tool: there is no such program"),
        (("sleep", "60"), {"seconds": 0.3}, "sleep took longer than 0.3 s"),
        (("true",), {"folder": "src"}, "folder: there is no folder 'src' in the checkout"),
        (("true",), {"report": "r.xml"}, "true wrote no report 'r.xml'"),
        (("sh", "-c", "exit 2"), {"report": "r.xml"}, "sh ended with status 2, and wrote no report 'r.xml'"),
        (
            ("sh", "-c", "echo '<x' > r.xml"),
            {"report": "r.xml"},
            "report: r.xml is no XML: unclosed token: line 1, column 0",
        ),
        (
            ("sh", "-c", "ln -s /etc/passwd r.xml"),
            {"report": "r.xml"},
            "report: r.xml can't be read: Too many levels of symbolic links",
        ),
    ],
)
async def test_a_command_that_fails_says_why(
    words: tuple[str, ...], more: dict[str, object], reason: str, stage: Runner
) -> None:
    result = await stage(*words, **more)
    assert (result.state, result.reason) == (StageState.FAILED, reason)


async def test_a_folder_or_a_report_that_a_link_leads_out_of_the_checkout_is_refused(stage: Runner) -> None:
    (stage.project.path / "out").symlink_to("/tmp")
    stage.project.commit({})
    assert (await stage("true", folder="out")).reason == "folder: there is no folder 'out' in the checkout"
    assert (await stage("true", report="out/r.xml")).reason == "report: 'out/r.xml' leaves the checkout"


async def test_a_report_of_an_earlier_run_counts_for_nothing(stage: Runner) -> None:
    await stage("sh", "-c", "echo '<testsuite/>' > r.xml", report="r.xml")
    assert (await stage("true", report="r.xml")).reason == "true wrote no report 'r.xml'"


async def test_a_command_finds_what_is_named_in_its_environment_and_nothing_else(
    stage: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    result = await stage(sys.executable, "-c", "import os; print(*sorted(os.environ))", environment={"COLOUR": "red"})
    assert set(result.tail.split()) - {"LC_CTYPE"} == {
        *("CI", "COLOUR", "HOME", "PARLEY_COMMIT", "PARLEY_STAGE", "PATH", "TMPDIR"),
    }


async def test_what_one_command_makes_the_next_finds_unless_a_retry_is_to_begin_anew(stage: Runner) -> None:
    command = Command(command=("sh", "-c", "ls; touch made"))
    assert "made" not in (await stage.run(command, fresh=True)).tail
    assert "made" in (await stage.run(command, fresh=True)).tail
    stage.environment.info = replace(stage.environment.info, attempt=2)
    assert "made" not in (await stage.run(command, fresh=True)).tail


async def test_a_checkout_of_another_machine_is_made_anew(stage: Runner, workshop: Workshop) -> None:
    await stage("true")
    await workshop.folder(RUN).remove()
    assert (await stage("ls")).tail == "cart.py\ntest_cart.py\n"


async def test_a_checkout_that_was_interrupted_is_made_anew(stage: Runner, workshop: Workshop) -> None:
    await stage("true")
    folder = workshop.folder(RUN)
    commit = stage.project.git("rev-parse", "HEAD")
    tree = folder.tree(commit, "build")
    (tree / "cart.py").unlink()
    tree.with_name(f"{tree.name}.ready").unlink()
    (folder.repository / "worktrees" / tree.name / "index.lock").touch()
    assert (await stage("ls")).tail == "cart.py\ntest_cart.py\n"


async def test_a_commit_that_is_gone_is_told(stage: Runner, stages: CommandStages) -> None:
    request = StageRequest(
        workspace=RUN,
        repository=str(stage.project.path),
        commit="0" * 40,
        tree="build",
        stage=Stage.TEST,
        command=Command(command=("true",)),
    )
    with pytest.raises(ApplicationError) as refused:
        await stage.environment.run(stages.run_stage, request)
    assert refused.value.type == PipelineError.NO_SUCH_COMMIT


async def test_no_more_commands_run_at_once_than_there_is_room_for(stage: Runner) -> None:
    count = "touch running-$$; ls | grep -c running; sleep 0.3; rm running-$$"
    results = await asyncio.gather(*(stage("sh", "-c", count) for _ in range(5)))
    assert max(int(result.tail) for result in results) <= 2


async def test_signs_of_life_say_how_far_it_is(stage: Runner) -> None:
    beats: list[object] = []
    stage.environment.on_heartbeat = lambda *details: beats.extend(details)
    await stage("sh", "-c", "echo half way; sleep 1.5")
    assert {"stage": "test", "bytes": 9, "last": "half way\n"} in beats


async def test_a_cancelled_stage_ends_its_command(stage: Runner, workshop: Workshop) -> None:
    running = asyncio.create_task(stage("sh", "-c", "touch ../started; sleep 1234.9; touch ../ended"))
    started = workshop.folder(RUN).path / "trees" / "started"

    async def has_started() -> bool:
        return started.exists()

    await eventually(has_started)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not started.with_name("ended").exists()
