"""A run's commits: found, made of patches, read, and removed in the end."""

import asyncio
from time import monotonic
from typing import Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.pipeline.configuration import FILES, pipeline_of
from activities.pipeline.folders import key_of
from activities.pipeline.git import Git, GitError
from activities.pipeline.output import plain
from activities.pipeline.refusals import refused
from activities.pipeline.workshop import Workshop, beating
from signals.checkouts import (
    Change,
    Checkout,
    CheckoutRequest,
    CommitRange,
    FileExcerpt,
    FileRequest,
    RangeRequest,
)
from signals.pipeline import FixByCommit
from signals.project import Pipeline
from workflows.pipeline.errors import PipelineError
from workflows.pipeline.stubs import Checkouts

MAX_EXCERPT: Final = 10_000
"""The longest part of a file that is shown, in characters."""

MAX_RANGE: Final = 10_000
"""The longest range that can be searched, in commits."""


class GitCheckouts(Checkouts):
    """Commits by git.

    Args:
        workshop: Where they are at hand.
    """

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop

    @activity.defn(name="check_out")
    async def check_out(self, request: CheckoutRequest) -> Checkout:
        """Find a commit, or make it of another and changes, and read its pipeline.

        A change that can't be made is left out, and said. A run whose first commit can't be had leaves nothing behind.
        """
        began = monotonic()
        folder = self._workshop.folder(request.workspace)
        try:
            async with beating(lambda: "git"), folder.locked():
                checkout = await self._checked_out(request)
        except BaseException:
            if not request.changes:
                await folder.remove()
            raise
        await asyncio.to_thread(self._workshop.prune)
        return checkout.model_copy(update={"seconds": round(monotonic() - began, 3)})

    async def _checked_out(self, request: CheckoutRequest) -> Checkout:
        git = self._workshop.git(request.workspace)
        await git.prepare(request.repository)
        requested = await _required(git, request.repository, request.revision)
        commit, branch, refused_why = requested, None, None
        pipeline = await _usable(git, request, requested)
        for change in request.changes:
            try:
                changed, its_branch = await self._changed(git, request, commit, branch, change)
                pipeline = await _usable(git, request, changed)
            except GitError as error:
                refused_why = str(error)
            except ApplicationError as error:
                if not error.non_retryable:
                    raise  # what can't be reached now may be later
                refused_why = error.message
            else:
                commit, branch, refused_why = changed, its_branch, None
        base = await self._base(git, request, commit)
        return Checkout(
            repository=request.repository,
            requested=requested,
            commit=commit,
            branch=branch,
            subject=plain((await git.subject(commit)).encode()),
            files=await git.changed_files(base, commit),
            diff=plain((await git.diff(base, commit)).encode()),
            refused=refused_why,
            pipeline=pipeline,
        )

    async def _changed(
        self, git: Git, request: CheckoutRequest, commit: str, branch: str | None, change: Change
    ) -> tuple[str, str | None]:
        """Make one change to a commit; gives the commit and its branch.

        Raises:
            GitError: It can't be made.
        """
        if isinstance(change.fix, FixByCommit):
            found = await git.resolve(request.repository, change.fix.commit)
            if found is None:
                raise GitError(f"there is no commit '{change.fix.commit}' in {request.repository}")
            return found, None
        message = change.fix.reason or f"Fix, by {change.by}"
        try:
            made = await git.commit_patch(commit, change.fix.patch, change.by, message)
        except GitError as error:
            raise GitError(f"the patch does not apply to {commit[:12]}: {error}") from None
        own = branch or f"parley/{key_of(request.workspace)}"
        try:
            await git.push(request.repository, made, own)
        except GitError as error:
            raise GitError(f"the patch's commit can't be pushed to branch {own}: {error}") from None
        return made, own

    async def _base(self, git: Git, request: CheckoutRequest, commit: str) -> str:
        """What a commit is compared with."""
        if request.base is None:
            return await git.parent(commit)
        return await git.fork_point(await _required(git, request.repository, request.base), commit)

    @activity.defn(name="show_file")
    async def show_file(self, request: FileRequest) -> FileExcerpt:
        """Read a part of a file of a commit."""
        text = await self._workshop.git(request.workspace).file(request.commit, request.path)
        if text is None:
            reason = f"there is no file '{request.path}' in commit {request.commit[:12]}"
            raise refused(PipelineError.NO_SUCH_FILE, reason)
        lines = plain(text.encode()).splitlines()
        shown = lines[request.first - 1 : request.last]
        return FileExcerpt(
            path=request.path,
            first=request.first,
            last=request.first + len(shown) - 1,
            lines=len(lines),
            text="\n".join(shown)[:MAX_EXCERPT],
        )

    @activity.defn(name="commits_between")
    async def commits_between(self, request: RangeRequest) -> CommitRange:
        """List the commits from a good one to a bad one, along first parents."""
        git = self._workshop.git(request.workspace)
        async with beating(lambda: "git"), self._workshop.folder(request.workspace).locked():
            await git.prepare(request.repository)
            await git.deepen(request.repository)
            good = await _required(git, request.repository, request.good)
            between = await git.first_parents(good, request.bad)
        if not between or len(between) > MAX_RANGE:
            reason = f"good: '{request.good}' does not come before {request.bad[:12]}, within {MAX_RANGE:,} commits"
            raise refused(PipelineError.NO_SUCH_COMMIT, reason)
        return CommitRange(commits=(good, *between))

    @activity.defn(name="discard")
    async def discard(self, workspace: str) -> None:
        """Remove a run's folder; its logs stay."""
        async with beating(lambda: "removing"):
            await self._workshop.folder(workspace).remove()


async def _required(git: Git, repository: str, revision: str) -> str:
    commit = await git.resolve(repository, revision)
    if commit is None:
        raise refused(PipelineError.NO_SUCH_COMMIT, f"there is no commit '{revision}' in {repository}")
    return commit


async def _usable(git: Git, request: CheckoutRequest, commit: str) -> Pipeline:
    """The pipeline of a commit.

    Raises:
        ApplicationError: The commit can't go through one.
    """
    if await git.has_submodules(commit):
        text = f"commit {commit[:12]} has submodules, which the pipeline doesn't fetch: build from a commit without"
        raise refused(PipelineError.REPOSITORY_UNAVAILABLE, text)
    if request.pipeline is not None:
        return request.pipeline
    names = await git.names(commit)
    texts: dict[str, str] = {}
    for name in FILES:
        said = await git.file(commit, name) if name in names else None
        if said is not None:
            texts[name] = said
    return pipeline_of(texts, names)
