"""Deploying: strategies behind one protocol, and what looks whether a deployment works.

Whoever calls these holds the target's critical section: no two deploy to the same target at a time.
"""

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Final, Protocol
from uuid import uuid4

import httpx2
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.pipeline.folders import inside
from activities.pipeline.git import HASH
from activities.pipeline.output import Kept
from activities.pipeline.refusals import refused
from activities.pipeline.workshop import Workshop, beating
from signals.checkouts import DeployRequest, VerifyRequest
from signals.pipeline import Stage, StageResult, StageState
from signals.project import Command, Commit, DeployCommand, ReleaseFolders, VerifyCommand, VerifyHttp
from workflows.pipeline.errors import PipelineError
from workflows.pipeline.stubs import Deployments

ANSWER_SECONDS: Final = 10.0
ANSWER_BYTES: Final = 1024 * 1024

BUILD_TREE: Final = "build"
"""The checkout that was built."""


class Strategy(Protocol):
    """A way of deploying. All of it may be done again: the same request gives the same deployment."""

    async def deployed(self) -> Commit | None:
        """The commit that is deployed; none where there is none, or it isn't known."""

    async def deploy(self) -> StageResult:
        """Deploy the request's commit."""

    async def roll_back(self) -> StageResult:
        """Deploy again what was deployed before."""

    async def variables(self) -> Mapping[str, str]:
        """What commands that have to do with the deployment find in their environment."""


class Releases:
    """A folder for each release, and a link to the one that is deployed.

    Args:
        settings: How the project wants it.
        request: What is to be deployed.
        root: Where targets are.
        workshop: Has the files.
    """

    def __init__(self, settings: ReleaseFolders, request: DeployRequest, root: Path, workshop: Workshop) -> None:
        self._settings = settings
        self._request = request
        self._workshop = workshop
        self._target = root / settings.target
        self._current = self._target / "current"

    async def deployed(self) -> Commit | None:
        """The commit that is deployed."""
        try:
            name = self._current.readlink().name
        except OSError:
            return None
        return name if HASH.fullmatch(name) else None

    async def deploy(self) -> StageResult:
        """Make the release's folder, whole or not at all, and switch to it."""
        began = monotonic()
        if not self._folder(self._request.commit).is_dir():
            source = await self._source()
            await asyncio.to_thread(self._copy, source)
        self._switch(self._request.commit)
        await asyncio.to_thread(self._prune)
        return StageResult(stage=Stage.DEPLOY, state=StageState.PASSED, seconds=round(monotonic() - began, 3))

    async def roll_back(self) -> StageResult:
        """Switch back; to nothing, where nothing was deployed before."""
        previous = self._request.previous
        if previous is None:
            self._current.unlink(missing_ok=True)
        elif self._folder(previous).is_dir():
            self._switch(previous)
        else:
            return _failed(f"the folder of the release before, {previous[:12]}, is gone")
        return StageResult(stage=Stage.DEPLOY, state=StageState.ROLLED_BACK)

    async def variables(self) -> Mapping[str, str]:
        """Where it is deployed."""
        return {"PARLEY_RELEASE": str(self._current)}

    async def _source(self) -> Path:
        asked, artifact = self._request, self._settings.artifact
        if artifact is None:
            return await self._workshop.tree(asked.workspace, asked.repository, asked.commit, "release", fresh=True)
        tree = await self._workshop.tree(asked.workspace, asked.repository, asked.commit, BUILD_TREE)
        source = inside(tree, artifact)
        if source is None or not source.is_dir():
            raise refused(PipelineError.DEPLOY_FAILED, f"artifact: there is no folder '{artifact}' in the checkout")
        return source

    def _folder(self, commit: str) -> Path:
        return self._target / "releases" / commit

    def _copy(self, source: Path) -> None:
        folder = self._folder(self._request.commit)
        folder.parent.mkdir(parents=True, exist_ok=True)
        for left in folder.parent.glob(".new-*"):  # by somebody who died: this one is alone here
            shutil.rmtree(left, ignore_errors=True)
        new = folder.parent / f".new-{uuid4().hex}"
        shutil.copytree(source, new, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        new.rename(folder)

    def _switch(self, commit: str) -> None:
        link = self._target / f".current-{uuid4().hex}"
        link.symlink_to(Path("releases", commit))
        os.replace(link, self._current)
        os.utime(self._folder(commit))

    def _prune(self) -> None:
        kept = {self._request.commit, self._request.previous}
        releases = sorted(self._folder(".").iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in releases[self._settings.keep :]:
            if old.name not in kept:
                shutil.rmtree(old, ignore_errors=True)


class Commands:
    """Commands of the project's own. That the same commit isn't deployed twice is noted beside the target.

    Args:
        settings: The commands.
        request: What is to be deployed.
        root: Where targets are.
        workshop: Runs them.
    """

    def __init__(self, settings: DeployCommand, request: DeployRequest, root: Path, workshop: Workshop) -> None:
        self._settings = settings
        self._request = request
        self._workshop = workshop
        self._note = root / settings.target / "deployed"

    async def deployed(self) -> Commit | None:
        """The commit that is deployed: by what the project's command prints, else by the note."""
        if self._settings.deployed is None:
            return _commit(self._note.read_text()) if self._note.exists() else None
        result = await self._run(self._settings.deployed, self._request.commit)
        if result.state is not StageState.PASSED:
            raise _error(
                PipelineError.DEPLOY_FAILED, result.model_copy(update={"reason": f"deployed: {result.reason}"})
            )
        return _commit(result.tail)

    async def deploy(self) -> StageResult:
        """Run the project's command, unless the commit is deployed."""
        if self._noted() == self._request.commit:
            return StageResult(stage=Stage.DEPLOY, state=StageState.PASSED)
        return await self._deployed_by(self._settings.deploy, self._request.commit, self._request.commit)

    async def roll_back(self) -> StageResult:
        """Run the project's command for it, or deploy again what was deployed before."""
        previous = self._request.previous
        if self._settings.roll_back is not None:
            return await self._deployed_by(self._settings.roll_back, self._request.commit, previous)
        if previous is None:
            return _failed("it is not known what was deployed before; give 'roll_back' or 'deployed'")
        return await self._deployed_by(self._settings.deploy, previous, previous)

    async def variables(self) -> Mapping[str, str]:
        """Nothing more."""
        return {}

    def _noted(self) -> Commit | None:
        return _commit(self._note.read_text()) if self._note.exists() else None

    async def _deployed_by(self, command: Command, commit: Commit, then: Commit | None) -> StageResult:
        self._note.parent.mkdir(parents=True, exist_ok=True)
        # What is deployed isn't known while the command runs.
        self._note.unlink(missing_ok=True)
        result = await self._run(command, commit)
        if result.state is StageState.PASSED and then is not None:
            new = self._note.with_name(f".deployed-{uuid4().hex}")
            new.write_text(then)
            new.replace(self._note)
        return result

    async def _run(self, command: Command, commit: Commit) -> StageResult:
        asked = self._request
        tree = await self._workshop.tree(asked.workspace, asked.repository, commit, BUILD_TREE)
        about = {**_about(asked), "PARLEY_COMMIT": commit}
        return await self._workshop.perform(asked.workspace, tree, Stage.DEPLOY, command, variables=about)


class TargetDeployments(Deployments):
    """Deploys by the strategy that the project's pipeline names.

    Args:
        root: The folder of the targets.
        workshop: Has the files, and runs commands.
    """

    def __init__(self, root: Path, workshop: Workshop) -> None:
        self._root = root.absolute()
        self._workshop = workshop

    def _strategy(self, request: DeployRequest) -> Strategy:
        if isinstance(request.deploy, ReleaseFolders):
            return Releases(request.deploy, request, self._root, self._workshop)
        return Commands(request.deploy, request, self._root, self._workshop)

    @activity.defn(name="deployed")
    async def deployed(self, request: DeployRequest) -> Commit | None:
        """Tell which commit is deployed; nothing where none is, or it isn't known."""
        async with beating(lambda: "looking"):
            return await self._strategy(request).deployed()

    @activity.defn(name="deploy")
    async def deploy(self, request: DeployRequest) -> StageResult:
        """Deploy a commit, once.

        Raises:
            ApplicationError: `DeployFailed`: it can't be.
        """
        async with beating(lambda: "deploying"):
            result = await self._strategy(request).deploy()
        if result.state is not StageState.PASSED:
            raise _error(PipelineError.DEPLOY_FAILED, result)
        return result

    @activity.defn(name="roll_back")
    async def roll_back(self, request: DeployRequest) -> None:
        """Deploy again what was deployed before.

        Raises:
            ApplicationError: `DeployFailed`: it can't be.
        """
        async with beating(lambda: "rolling back"):
            result = await self._strategy(request).roll_back()
        if result.state is StageState.FAILED:
            raise _error(PipelineError.DEPLOY_FAILED, result)

    @activity.defn(name="verify")
    async def verify(self, request: VerifyRequest) -> StageResult:
        """Look whether a deployment works.

        Raises:
            ApplicationError: `VerifyFailed`: it doesn't.
        """
        if isinstance(request.verify, VerifyHttp):
            async with beating(lambda: "asking"):
                result = await _by_http(request.verify)
        else:
            result = await self._by_command(request.verify, request.deployment)
        if result.state is not StageState.PASSED:
            raise _error(PipelineError.VERIFY_FAILED, result)
        return result

    async def _by_command(self, verify: VerifyCommand, asked: DeployRequest) -> StageResult:
        async with beating(lambda: "git"):
            tree = await self._workshop.tree(asked.workspace, asked.repository, asked.commit, BUILD_TREE)
        about = {**_about(asked), **await self._strategy(asked).variables()}
        return await self._workshop.perform(asked.workspace, tree, Stage.VERIFY, verify.run, variables=about)


def _about(request: DeployRequest) -> dict[str, str]:
    """What commands find in their environment about a deployment."""
    return {
        "PARLEY_TARGET": request.deploy.target,
        "PARLEY_COMMIT": request.commit,
        "PARLEY_PREVIOUS": request.previous or "",
    }


async def _by_http(verify: VerifyHttp) -> StageResult:
    began = monotonic()
    async with httpx2.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as client:
        while True:
            reason = await _fault(client, verify)
            seconds = round(monotonic() - began, 3)
            if reason is None:
                return StageResult(stage=Stage.VERIFY, state=StageState.PASSED, seconds=seconds)
            if seconds + verify.every > verify.seconds:
                return StageResult(stage=Stage.VERIFY, state=StageState.FAILED, seconds=seconds, reason=reason)
            await asyncio.sleep(verify.every)


async def _fault(client: httpx2.AsyncClient, verify: VerifyHttp) -> str | None:
    """What is wrong with an answer; nothing where it is as it should be."""
    body = Kept(ANSWER_BYTES)
    try:
        async with asyncio.timeout(ANSWER_SECONDS), client.stream("GET", verify.url) as answer:
            if answer.status_code != verify.status:
                return f"{verify.url} answered with status {answer.status_code}, not {verify.status}"
            async for chunk in answer.aiter_bytes():
                body.write(chunk)
                if body.size > ANSWER_BYTES:
                    break
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
        return f"{verify.url} did not answer: {type(error).__name__}"
    if verify.contains is not None and verify.contains not in body.text:
        return f"{verify.url} answered without '{verify.contains[:100]}'"
    return None


def _commit(text: str) -> Commit | None:
    word = text.strip()
    return word if HASH.fullmatch(word) else None


def _failed(reason: str) -> StageResult:
    return StageResult(stage=Stage.DEPLOY, state=StageState.FAILED, reason=reason)


def _error(kind: PipelineError, result: StageResult) -> ApplicationError:
    told = {"stage": result.model_dump(mode="json")}
    return ApplicationError(result.reason or "it failed", told, type=kind, non_retryable=True)
