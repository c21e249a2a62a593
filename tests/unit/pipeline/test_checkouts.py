"""Commits by real git: found, made of patches, read, removed; and all that can't be had."""

import asyncio
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.pipeline.checkouts import GitCheckouts
from activities.pipeline.workshop import Workshop
from signals.checkouts import Change, Checkout, CheckoutRequest, FileRequest, RangeRequest
from signals.pipeline import FixByCommit, FixByPatch
from tests.unit.pipeline.projects import BAD, GOOD, Project
from workflows.pipeline.errors import PipelineError

RUN = "run/1"


@pytest.fixture
def check_out(checkouts: GitCheckouts, environment: ActivityEnvironment) -> "CheckOut":
    return CheckOut(checkouts, environment)


class CheckOut:
    """Checks commits out."""

    def __init__(self, checkouts: GitCheckouts, environment: ActivityEnvironment) -> None:
        self._checkouts = checkouts
        self._environment = environment

    async def __call__(self, project: Project | str, revision: str, **more: object) -> Checkout:
        repository = project if isinstance(project, str) else str(project.path)
        request = CheckoutRequest.model_validate(
            {"workspace": RUN, "repository": repository, "revision": revision, **more}
        )
        return await self._environment.run(self._checkouts.check_out, request)

    async def refusal(self, project: Project | str, revision: str, **more: object) -> tuple[str | None, str]:
        """Its type and text."""
        with pytest.raises(ApplicationError) as refused:
            await self(project, revision, **more)
        assert refused.value.non_retryable
        return refused.value.type, refused.value.message


class SilentHandler(SimpleHTTPRequestHandler):
    """Serves files, and writes no line for each."""

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@pytest.fixture
def served(project: Project) -> Iterator[str]:
    """The address of a project that is reached over the network, by a server that knows nothing of git."""
    project.git("update-server-info")
    handler = partial(SilentHandler, directory=str(project.path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/.git"
        server.shutdown()


async def test_a_commit_is_found_by_its_name_and_compared_with_its_parent(
    check_out: CheckOut, project: Project
) -> None:
    commit = project.commit({"cart.py": BAD}, "Add one")
    for name in ("main", "HEAD", commit, commit[:10]):
        found = await check_out(project, name)
        assert (found.commit, found.requested, found.subject, found.files) == (commit, commit, "Add one", ("cart.py",))
        assert "+    return sum(prices) + 1\n" in found.diff
        assert found.pipeline.test is not None


async def test_the_first_commit_is_compared_with_nothing(check_out: CheckOut, project: Project) -> None:
    assert (await check_out(project, "main")).files == ("cart.py", "test_cart.py")


async def test_a_commit_is_compared_with_where_its_line_of_history_left_the_base(
    check_out: CheckOut, project: Project
) -> None:
    project.git("checkout", "--quiet", "-b", "work")
    project.commit({"one.py": ""})
    project.commit({"two.py": ""})
    project.git("checkout", "--quiet", "main")
    project.commit({"other.py": ""})
    assert (await check_out(project, "work", base="main")).files == ("one.py", "two.py")


async def test_a_branch_that_moves_is_found_where_it_is_now(check_out: CheckOut, project: Project) -> None:
    first = (await check_out(project, "main")).commit
    second = project.commit({"cart.py": BAD})
    assert (await check_out(project, "main")).commit == second != first


async def test_a_commit_that_no_branch_has_is_found_by_its_hash(check_out: CheckOut, project: Project) -> None:
    lost = project.commit({"cart.py": BAD})
    project.git("reset", "--quiet", "--hard", "HEAD~1")
    assert (await check_out(project, lost)).commit == lost


@pytest.mark.parametrize("by", ["file", "http"])
async def test_a_repository_that_is_elsewhere_is_fetched(
    by: str, check_out: CheckOut, project: Project, served: str
) -> None:
    project.git("update-server-info")
    address = served if by == "http" else f"file://{project.path}"
    commit = project.git("rev-parse", "HEAD")
    for name in ("main", commit):
        assert (await check_out(address, name)).commit == commit


async def test_of_a_repository_elsewhere_only_the_last_commits_are_fetched_and_more_where_more_are_asked_for(
    check_out: CheckOut, project: Project, workshop: Workshop
) -> None:
    first = project.git("rev-parse", "HEAD")
    for number in range(60):
        project.commit({}, f"Commit {number}")
    address = f"file://{project.path}"
    await check_out(address, "main")
    assert (workshop.folder(RUN).repository / "shallow").exists()
    assert (await check_out(address, "main~60")).commit == first


async def test_what_can_t_be_reached_may_be_tried_again(
    checkouts: GitCheckouts, environment: ActivityEnvironment
) -> None:
    request = CheckoutRequest(workspace=RUN, repository="http://127.0.0.1:9/none.git", revision="main")
    with pytest.raises(ApplicationError) as refused:
        await environment.run(checkouts.check_out, request)
    assert (refused.value.type, refused.value.non_retryable) == (PipelineError.REPOSITORY_UNAVAILABLE, False)


async def test_what_is_no_repository_is_refused_and_leaves_nothing_behind(
    check_out: CheckOut, project: Project, tmp_path: Path, workshop: Workshop
) -> None:
    (tmp_path / "empty").mkdir()
    missing = str(tmp_path / "missing")
    assert await check_out.refusal(missing, "main") == (
        PipelineError.REPOSITORY_UNAVAILABLE,
        f"{missing}: there is no such folder on the worker's machine",
    )
    kind, text = await check_out.refusal(str(tmp_path / "empty"), "main")
    assert kind == PipelineError.REPOSITORY_UNAVAILABLE
    assert "empty' does not exist" in text
    for name in ("no-such-branch", "0" * 40):
        kind, text = await check_out.refusal(project, name)
        assert (kind, text) == (PipelineError.NO_SUCH_COMMIT, f"there is no commit '{name}' in {project.path}")
    assert not workshop.folder(RUN).path.exists()


async def test_submodules_are_refused(check_out: CheckOut, project: Project) -> None:
    project.commit({".gitmodules": '[submodule "lib"]\n\tpath = lib\n\turl = ../lib\n'})
    kind, text = await check_out.refusal(project, "main")
    assert (kind, "has submodules" in text) == (PipelineError.REPOSITORY_UNAVAILABLE, True)


async def test_a_commit_without_a_pipeline_is_refused_unless_one_is_given(check_out: CheckOut, tmp_path: Path) -> None:
    project = Project(tmp_path / "text")
    project.commit({"README": "Nothing to test."})
    kind, text = await check_out.refusal(project, "main")
    assert (kind, "add [tool.parley.pipeline]" in text) == (PipelineError.NO_PIPELINE, True)
    given = {"test": {"command": ["true"]}}
    assert (await check_out(project, "main", pipeline=given)).pipeline.test is not None


def by_patch(patch: str) -> Change:
    return Change(fix=FixByPatch(action="patch", patch=patch, reason="Count right"), by="ben")


async def test_a_patch_becomes_a_commit_on_a_branch_of_the_repository_the_same_each_time(
    check_out: CheckOut, project: Project, checkouts: GitCheckouts
) -> None:
    bad = project.commit({"cart.py": BAD})
    patch = project.patch({"cart.py": GOOD})
    mended = await check_out(project, "main", changes=[by_patch(patch)])
    assert (mended.requested, mended.refused) == (bad, None)
    assert mended.branch is not None
    assert project.git("rev-parse", mended.branch) == mended.commit
    assert project.git("show", f"{mended.commit}:cart.py") == GOOD.strip()
    assert project.git("log", "-1", "--format=%an %s", mended.commit) == "ben Count right"
    await checkouts.discard(RUN)
    assert (await check_out(project, "main", changes=[by_patch(patch)])).commit == mended.commit


async def test_a_change_that_can_t_be_made_is_left_out_and_said(check_out: CheckOut, project: Project) -> None:
    bad = project.commit({"cart.py": BAD})
    patch = project.patch({"cart.py": GOOD})
    twice = await check_out(project, "main", changes=[by_patch(patch), by_patch(patch)])
    assert twice.commit != bad
    assert twice.refused is not None
    assert twice.refused.startswith(f"the patch does not apply to {twice.commit[:12]}: ")
    other = Change(fix=FixByCommit(action="commit", commit="nowhere"), by="ann")
    unknown = await check_out(project, "main", changes=[other])
    assert (unknown.commit, unknown.refused) == (bad, f"there is no commit 'nowhere' in {project.path}")
    mended = await check_out(project, "main", changes=[other, by_patch(patch)])
    assert (mended.commit, mended.refused) == (twice.commit, None)


async def test_a_change_to_a_commit_that_can_go_through_no_pipeline_is_left_out(
    check_out: CheckOut, project: Project
) -> None:
    good = project.git("rev-parse", "HEAD")
    project.git("checkout", "--quiet", "-b", "broken")
    project.commit({".parley.toml": "[pipeline]\ntset = 1"})
    change = Change(fix=FixByCommit(action="commit", commit="broken"), by="ann")
    found = await check_out(project, "main", changes=[change])
    assert (found.commit, found.refused) == (good, ".parley.toml [pipeline]: tset: Extra inputs are not permitted")


async def test_a_first_commit_that_can_t_be_had_leaves_nothing_of_an_interrupted_try(
    check_out: CheckOut, project: Project, workshop: Workshop
) -> None:
    workshop.folder(RUN).make()
    await check_out.refusal(project, "no-such-branch")
    assert not workshop.folder(RUN).path.exists()


@pytest.mark.parametrize(
    "patch",
    [
        "--- a/../outside.py\n+++ b/../outside.py\n@@ -0,0 +1 @@\n+x = 1\n",
        "--- /dev/null\n+++ b/.git/hooks/post-checkout\n@@ -0,0 +1 @@\n+exit 1\n",
        "this is no patch",
    ],
)
async def test_a_patch_that_leaves_the_checkout_or_is_none_is_refused(
    patch: str, check_out: CheckOut, project: Project
) -> None:
    refused = await check_out(project, "main", changes=[by_patch(patch)])
    assert refused.commit == refused.requested
    assert "does not apply" in str(refused.refused)


async def test_a_commit_takes_the_place_of_the_one_before(check_out: CheckOut, project: Project) -> None:
    project.git("checkout", "--quiet", "-b", "fix")
    fix = project.commit({"fix.py": ""})
    project.git("checkout", "--quiet", "main")
    change = Change(fix=FixByCommit(action="commit", commit="fix"), by="ann")
    found = await check_out(project, "main", changes=[change])
    assert (found.commit, found.branch, found.refused) == (fix, None, None)


async def test_several_at_once_prepare_a_run_s_folder_one_after_the_other(
    check_out: CheckOut, project: Project
) -> None:
    found = await asyncio.gather(*(check_out(project, "main") for _ in range(5)))
    assert len({one.commit for one in found}) == 1


async def test_a_file_is_read_from_the_commit(
    check_out: CheckOut, checkouts: GitCheckouts, project: Project, environment: ActivityEnvironment
) -> None:
    (project.path / "secret").symlink_to("/etc/passwd")
    commit = project.commit({"long.txt": "\n".join(map(str, range(1, 101)))})
    await check_out(project, "main")

    async def shown(path: str) -> str:
        asked = FileRequest(workspace=RUN, commit=commit, path=path, first=10, last=12)
        excerpt = await environment.run(checkouts.show_file, asked)
        return f"{excerpt.first}-{excerpt.last} of {excerpt.lines}: {excerpt.text}"

    assert await shown("long.txt") == "10-12 of 100: 10\n11\n12"
    assert await shown("secret") == "10-9 of 1: "  # a link is no more than its name
    with pytest.raises(ApplicationError) as refused:
        await shown("nothing.txt")
    assert refused.value.type == PipelineError.NO_SUCH_FILE


async def test_the_commits_between_two_are_listed_from_the_good_one(
    check_out: CheckOut, checkouts: GitCheckouts, project: Project, environment: ActivityEnvironment
) -> None:
    commits = [project.git("rev-parse", "HEAD"), *(project.commit({}, str(number)) for number in range(3))]
    await check_out(project, "main")
    asked = RangeRequest(workspace=RUN, repository=str(project.path), good=commits[0], bad=commits[-1])
    assert list((await environment.run(checkouts.commits_between, asked)).commits) == commits
    with pytest.raises(ApplicationError, match="does not come before"):
        backwards = asked.model_copy(update={"good": commits[-1], "bad": commits[0]})
        await environment.run(checkouts.commits_between, backwards)


async def test_a_run_s_folder_is_removed_also_what_can_t_be_written_to(
    check_out: CheckOut, checkouts: GitCheckouts, project: Project, workshop: Workshop, environment: ActivityEnvironment
) -> None:
    await check_out(project, "main")
    folder = workshop.folder(RUN)
    (folder.temporary / "kept").mkdir()
    (folder.temporary / "kept" / "file").touch()
    (folder.temporary / "kept").chmod(0o500)
    await environment.run(checkouts.discard, RUN)
    assert not folder.path.exists()
    assert project.git("status", "--porcelain") == ""
