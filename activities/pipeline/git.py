"""Git, as the pipeline uses it: a bare repository for each run, checkouts of it, and commits made of patches.

Nothing that a repository says is run: no hooks, no filters or drivers of anybody's configuration, no submodules.
"""

import asyncio
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from activities.pipeline import refusals
from activities.pipeline.commands import Ended, Program, ask, run
from activities.pipeline.folders import RunFolder
from activities.pipeline.output import Kept

DEPTH: Final = 50
"""How many commits are fetched of a repository that isn't on this machine; more where more are asked for."""

LOCAL_SECONDS: Final = 120.0
REMOTE_SECONDS: Final = 1800.0

MAX_DIFF_BYTES: Final = 24_000
MAX_FILES: Final = 100
MAX_FILE_BYTES: Final = 4 * 1024 * 1024

HASH: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

_ADDRESS: Final = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*://|[^/]+:)")

_SAFE: Final = (
    *("-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "core.fsmonitor=false"),
    *("-c", "submodule.recurse=false", "-c", "fetch.recurseSubmodules=no"),
    *("-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "advice.detachedHead=false"),
)

_ALONE: Final = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
"""For what touches no other repository: nobody's configuration matters."""

COMMITTER: Final = ("Parley", "parley@localhost")


class GitError(Exception):
    """Git said no; the text is the last line of what it said."""


class Git:
    """The bare repository of a run.

    Args:
        folder: The run's folder.
        environment: What git finds in its environment: the path of programs, and what it needs to reach other
            repositories (`HOME`, `SSH_AUTH_SOCK`).
    """

    def __init__(self, folder: RunFolder, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = {
            **environment,
            "LC_ALL": "C",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSH_COMMAND": environment.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
        }

    async def __call__(
        self, *words: str, at: Path | None = None, most: int = 1_000_000, more: Mapping[str, str] | None = None
    ) -> str:
        """Run a git command on the repository.

        Args:
            words: The command.
            at: The folder that it is run in; the repository itself where there is none.
            most: How many bytes of its output are kept.
            more: What it finds in its environment beside the usual.

        Raises:
            GitError: It said no.
        """
        program = self._program(words, at, {**_ALONE, **(more or {})}, LOCAL_SECONDS)
        output, errors = Kept(most), Kept(20_000)
        return _said(program, await ask(program, output, errors), output, errors)

    async def _work(self, *words: str, at: Path | None = None, alone: bool = False) -> None:
        """Run a git command that takes its time.

        Args:
            words: The command.
            at: The folder that it is run in; the repository itself where there is none.
            alone: Whether it reaches no other repository: those that do, have the configuration of who runs the worker.
        """
        program = self._program(words, at, _ALONE if alone else {}, REMOTE_SECONDS)
        output, errors = Kept(20_000), Kept(20_000)
        _said(program, await run(program, output, errors), output, errors)

    def _program(self, words: tuple[str, ...], at: Path | None, more: Mapping[str, str], seconds: float) -> Program:
        environment = {**self._environment, **more}
        return Program(("git", *_SAFE, *words), at or self._folder.repository, environment, seconds)

    # The repository

    async def prepare(self, repository: str) -> None:
        """See to it that the run has its repository; what an interrupted try has left is removed.

        Raises:
            ApplicationError: `RepositoryUnavailable`.
        """
        self._folder.make()
        ready = self._folder.path / "ready"
        if ready.exists():
            return
        for left in (self._folder.repository, self._folder.path / "trees"):
            await asyncio.to_thread(shutil.rmtree, left, ignore_errors=True)
        self._folder.make()
        where = self._folder.path
        try:
            if is_address(repository):
                await self._work("init", "--quiet", "--bare", "--template=", str(self._folder.repository), at=where)
            else:
                # Objects are read from where they are: nothing is copied, and all of history is there.
                clone = ("clone", "--quiet", "--bare", "--shared", "--template=", "--", _source(repository))
                await self._work(*clone, str(self._folder.repository), at=where)
        except GitError as error:
            raise refusals.unavailable(f"{repository}: {error}") from None
        ready.touch()

    async def resolve(self, repository: str, revision: str) -> str | None:
        """Find a commit, and have it here; none where there is no such one.

        Raises:
            ApplicationError: `RepositoryUnavailable`.
        """
        if HASH.fullmatch(revision) and (known := await self._known(revision)):
            return known
        return await self._fetched(repository, revision)

    async def _known(self, revision: str) -> str | None:
        try:
            return (
                await self("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
            ).strip()
        except GitError:
            return None

    async def _fetched(self, repository: str, revision: str) -> str | None:
        depth = (f"--depth={DEPTH}",) if is_address(repository) else ()
        try:
            source = _source(repository)
            wanted = f"+{revision}:{_WANTED}"
            await self._work("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", *depth, source, wanted)
        except GitError:
            pass  # no name of the repository's, or one that it doesn't give by hash: among all of it, perhaps
        else:
            return await self._known(_WANTED)
        try:
            everything = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
            await self._work(
                "fetch", "--quiet", "--no-write-fetch-head", *self._unshallow(), _source(repository), *everything
            )
        except GitError as error:
            raise refusals.unavailable(f"{repository}: {error}", passing=is_address(repository)) from None
        return await self._known(revision)

    def _unshallow(self) -> tuple[str, ...]:
        return ("--unshallow",) if (self._folder.repository / "shallow").exists() else ()

    async def deepen(self, repository: str) -> None:
        """Have all of history here.

        Raises:
            ApplicationError: `RepositoryUnavailable`.
        """
        if self._unshallow() and is_address(repository):
            try:
                await self._work("fetch", "--quiet", "--no-write-fetch-head", "--unshallow", repository)
            except GitError as error:
                raise refusals.unavailable(f"{repository}: {error}", passing=True) from None

    # What a commit has

    async def parent(self, commit: str) -> str:
        """The first parent of a commit; the empty tree where it has none."""
        try:
            return (await self("rev-parse", "--verify", "--quiet", f"{commit}^")).strip()
        except GitError:
            return (await self("hash-object", "-t", "tree", "/dev/null")).strip()

    async def fork_point(self, base: str, commit: str) -> str:
        """Where a commit's line of history left another; the other itself where that isn't known."""
        try:
            return (await self("merge-base", base, commit)).strip()
        except GitError:
            return base

    async def subject(self, commit: str) -> str:
        """The first line of a commit's message."""
        return (await self("show", "--no-patch", "--no-show-signature", "--format=%s", commit)).strip()[:200]

    async def changed_files(self, base: str, commit: str) -> tuple[str, ...]:
        """What differs between two commits, the first files."""
        names = await self("diff", "--name-only", "-z", "--no-ext-diff", base, commit)
        return tuple(names.rstrip("\0").split("\0")[:MAX_FILES]) if names else ()

    async def diff(self, base: str, commit: str) -> str:
        """How two commits differ, bounded."""
        words = ("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--end-of-options", base, commit)
        return await self(*words, most=MAX_DIFF_BYTES)

    async def has_submodules(self, commit: str) -> bool:
        """Tell whether a commit needs other repositories."""
        return await self.file(commit, ".gitmodules") is not None

    async def names(self, commit: str) -> tuple[str, ...]:
        """What is in a commit's topmost folder."""
        return tuple((await self("ls-tree", "--name-only", "-z", commit)).rstrip("\0").split("\0"))

    async def file(self, commit: str, path: str) -> str | None:
        """A file of a commit, its beginning where it is large; none where there is no such file.

        It is read from the commit, not from a folder: where links lead doesn't matter.
        """
        try:
            return await self("cat-file", "blob", f"{commit}:{path}", most=MAX_FILE_BYTES)
        except GitError:
            return None

    async def first_parents(self, good: str, bad: str) -> tuple[str, ...]:
        """The commits after a good one up to a bad one, oldest first; none where it doesn't come before."""
        try:
            await self("merge-base", "--is-ancestor", good, bad)
        except GitError:
            return ()
        listed = await self("rev-list", "--first-parent", "--reverse", f"{good}..{bad}", most=10_000_000)
        return tuple(listed.split())

    # Checkouts

    async def tree(self, commit: str, name: str, *, fresh: bool) -> Path:
        """A folder with a commit's files, as they are after what was done in it.

        Args:
            commit: The commit.
            name: Tells it from other checkouts of the same commit.
            fresh: Whether what was done in it is to be gone.
        """
        path = self._folder.tree(commit, name)
        ready = path.with_name(f"{path.name}.ready")
        if ready.exists() and not fresh:
            return path
        ready.unlink(missing_ok=True)
        await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
        await self("worktree", "prune")
        await self._work("worktree", "add", "--quiet", "--force", "--detach", str(path), commit, alone=True)
        ready.touch()
        return path

    # Commits

    async def commit_patch(self, commit: str, patch: str, author: str, message: str) -> str:
        """Make a commit of a patch; the same one, every time that it is made of the same.

        Args:
            commit: Its parent.
            patch: A unified diff against that.
            author: Who made it.
            message: Its message.

        Raises:
            GitError: The patch doesn't apply, or changes nothing.
        """
        file, index = self._folder.temporary / "patch", self._folder.temporary / "index"
        file.write_text(patch if patch.endswith("\n") else f"{patch}\n", encoding="utf-8")
        index.unlink(missing_ok=True)
        more = {"GIT_INDEX_FILE": str(index)}
        await self("read-tree", commit, more=more)
        await self("apply", "--cached", "--whitespace=nowarn", str(file), more=more)
        tree = (await self("write-tree", more=more)).strip()
        before, seconds = (await self("show", "--no-patch", "--no-show-signature", "--format=%T %ct", commit)).split()
        if tree == before:
            raise GitError("the patch changes nothing")
        date = f"{seconds} +0000"
        name, email = COMMITTER
        who = {
            **{"GIT_AUTHOR_NAME": author, "GIT_AUTHOR_EMAIL": f"{author}@localhost", "GIT_AUTHOR_DATE": date},
            **{"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email, "GIT_COMMITTER_DATE": date},
        }
        return (await self("commit-tree", tree, "-p", commit, "-m", message, more=who)).strip()

    async def push(self, repository: str, commit: str, branch: str) -> None:
        """Put a commit on a branch of another repository.

        Raises:
            GitError: It isn't taken.
        """
        await self._work("push", "--quiet", "--force", _source(repository), f"{commit}:refs/heads/{branch}")


_WANTED: Final = "refs/parley/wanted"


def is_address(repository: str) -> bool:
    """Tell an address, such as `https://...` or `git@host:path`, from a path."""
    return _ADDRESS.match(repository) is not None and not repository.startswith(("/", "."))


def _source(repository: str) -> str:
    """What git is to read from.

    Raises:
        GitError: There is no such folder.
    """
    if is_address(repository):
        return repository
    folder = Path(repository).absolute()
    if not folder.is_dir():
        raise GitError("there is no such folder on the worker's machine")
    return str(folder)


def _said(program: Program, ended: Ended, output: Kept, errors: Kept) -> str:
    command = f"git {program.words[len(_SAFE) + 1]}"
    if ended.status is None:
        raise GitError(f"{command} took longer than {program.seconds:.0f} s")
    if ended.status:
        raise GitError(_last_line(errors.text) or f"{command} ended with status {ended.status}")
    return output.text


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "")
    return said.removeprefix("fatal: ").removeprefix("error: ")[:500]
