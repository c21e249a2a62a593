"""Deployments: once, whole or not at all, verified, taken back."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.pipeline.deployments import TargetDeployments
from activities.pipeline.workshop import Workshop
from signals.checkouts import DeployRequest, VerifyRequest
from signals.pipeline import StageState
from signals.project import Deploy, Verify
from tests.unit.pipeline.projects import BAD, Project
from workflows.pipeline.errors import PipelineError

DEPLOY: TypeAdapter[Deploy] = TypeAdapter(Deploy)
VERIFY: TypeAdapter[Verify] = TypeAdapter(Verify)

APPEND = 'echo "$PARLEY_COMMIT after $PARLEY_PREVIOUS to $PARLEY_TARGET" >> "$LOG"'


class Target:
    """Deploys commits of a project."""

    def __init__(self, root: Path, workshop: Workshop, environment: ActivityEnvironment, project: Project) -> None:
        self.root = root / "staging"
        self.log = root / "log"
        self._deployments = TargetDeployments(root, workshop)
        self._environment = environment
        self.project = project
        self.way: dict[str, object] = {"kind": "releases"}

    def by_commands(self, **more: str) -> None:
        """Deploy by commands, each a shell script."""
        scripts = {"deploy": APPEND, **more}
        commands = {
            name: {"command": ["sh", "-c", text], "environment": {"LOG": str(self.log)}}
            for name, text in scripts.items()
        }
        self.way = {"kind": "command", **commands}

    def request(self, commit: str, previous: str | None = None) -> DeployRequest:
        way = DEPLOY.validate_python({"target": "staging", **self.way})
        repository = str(self.project.path)
        return DeployRequest(workspace="run", repository=repository, commit=commit, deploy=way, previous=previous)

    async def deployed(self) -> str | None:
        return await self._environment.run(self._deployments.deployed, self.request("0" * 40))

    async def deploy(self, commit: str, previous: str | None = None) -> None:
        result = await self._environment.run(self._deployments.deploy, self.request(commit, previous))
        assert result.state is StageState.PASSED

    async def roll_back(self, commit: str, previous: str | None) -> None:
        await self._environment.run(self._deployments.roll_back, self.request(commit, previous))

    async def verify(self, commit: str, **how: object) -> None:
        request = VerifyRequest(deployment=self.request(commit), verify=VERIFY.validate_python(how))
        result = await self._environment.run(self._deployments.verify, request)
        assert result.state is StageState.PASSED


@pytest.fixture
def target(tmp_path: Path, workshop: Workshop, environment: ActivityEnvironment, project: Project) -> Target:
    return Target(tmp_path / "deployments", workshop, environment, project)


def commits(project: Project, count: int) -> list[str]:
    return [project.commit({"version": str(number)}) for number in range(count)]


async def test_a_release_is_a_folder_with_the_commit_s_files_and_a_link_to_it(target: Target) -> None:
    [commit] = commits(target.project, 1)
    assert await target.deployed() is None
    await target.deploy(commit)
    assert await target.deployed() == commit
    current = target.root / "current"
    assert sorted(path.name for path in current.iterdir()) == ["cart.py", "test_cart.py", "version"]
    assert current.readlink() == Path("releases", commit)


async def test_to_deploy_again_changes_nothing(target: Target) -> None:
    [commit] = commits(target.project, 1)
    await target.deploy(commit)
    (target.root / "current" / "made-later").touch()
    await target.deploy(commit)
    assert (target.root / "current" / "made-later").exists()


async def test_the_link_is_never_missing_while_it_is_switched(target: Target) -> None:
    first, second = commits(target.project, 2)
    await target.deploy(first)
    seen: set[str] = set()

    async def look() -> None:
        while True:
            seen.add((target.root / "current" / "version").read_text())
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    for _ in range(5):
        await target.deploy(second, first)
        await target.deploy(first, second)
    looking.cancel()
    assert seen == {"0", "1"}


async def test_a_release_is_taken_back_to_the_one_before_or_to_none(target: Target) -> None:
    first, second = commits(target.project, 2)
    await target.deploy(first)
    await target.deploy(second, first)
    await target.roll_back(second, first)
    assert await target.deployed() == first
    await target.roll_back(first, None)
    assert await target.deployed() is None
    with pytest.raises(ApplicationError) as refused:
        await target.roll_back(first, "1" * 40)
    assert refused.value.type == PipelineError.DEPLOY_FAILED


async def test_old_releases_are_removed_but_never_the_one_before(target: Target) -> None:
    target.way = {"kind": "releases", "keep": 2}
    made = commits(target.project, 4)
    before = None
    for commit in made:
        await target.deploy(commit, before)
        before = before or commit
    kept = {path.name for path in (target.root / "releases").iterdir()}
    assert kept == {made[0], made[2], made[3]}


async def test_what_somebody_who_died_has_left_is_removed(target: Target) -> None:
    [commit] = commits(target.project, 1)
    (target.root / "releases" / ".new-dead").mkdir(parents=True)
    await target.deploy(commit)
    assert [path.name for path in (target.root / "releases").iterdir()] == [commit]


async def test_an_artifact_must_be_a_folder_of_the_checkout(target: Target) -> None:
    (target.project.path / "out").symlink_to("/etc")
    commit = target.project.commit({"dist/app.js": "1"})
    target.way = {"kind": "releases", "artifact": "dist"}
    await target.deploy(commit)
    assert [path.name for path in (target.root / "current").iterdir()] == ["app.js"]
    commit = target.project.commit({"more": ""})
    for name in ("out", "nothing"):
        target.way = {"kind": "releases", "artifact": name}
        with pytest.raises(ApplicationError, match=f"there is no folder '{name}' in the checkout"):
            await target.deploy(commit)


async def test_a_command_deploys_a_commit_once(target: Target) -> None:
    target.by_commands()
    first, second = commits(target.project, 2)
    for _ in range(2):
        await target.deploy(first)
    await target.deploy(second, first)
    assert await target.deployed() == second
    assert target.log.read_text().splitlines() == [f"{first} after  to staging", f"{second} after {first} to staging"]


async def test_a_command_that_fails_leaves_it_unknown_what_is_deployed(target: Target) -> None:
    target.by_commands()
    first, second = commits(target.project, 2)
    await target.deploy(first)
    target.by_commands(deploy="echo no room; exit 1")
    with pytest.raises(ApplicationError) as refused:
        await target.deploy(second, first)
    assert (refused.value.type, refused.value.message) == (PipelineError.DEPLOY_FAILED, "sh ended with status 1")
    assert refused.value.details[0]["stage"]["tail"] == "no room\n"
    assert await target.deployed() is None


@pytest.mark.parametrize("own", [True, False])
async def test_a_command_takes_back_what_was_deployed(own: bool, target: Target) -> None:
    target.by_commands(**({"roll_back": f"printf 'back: '  >> \"$LOG\"; {APPEND}"} if own else {}))
    first, second = commits(target.project, 2)
    await target.deploy(second, first)
    await target.roll_back(second, first)
    expected = f"back: {second} after {first} to staging" if own else f"{first} after {first} to staging"
    assert target.log.read_text().splitlines()[-1] == expected
    assert await target.deployed() == first


async def test_what_isn_t_known_can_t_be_gone_back_to(target: Target) -> None:
    target.by_commands()
    [commit] = commits(target.project, 1)
    with pytest.raises(ApplicationError, match="give 'roll_back' or 'deployed'"):
        await target.roll_back(commit, None)


async def test_a_command_says_what_is_deployed(target: Target) -> None:
    [commit] = commits(target.project, 1)
    target.by_commands(deployed=f"echo {commit}")
    request = target.request(commit)
    assert await target._environment.run(target._deployments.deployed, request) == commit
    target.by_commands(deployed="exit 3")
    with pytest.raises(ApplicationError, match="deployed: sh ended with status 3"):
        await target._environment.run(target._deployments.deployed, target.request(commit))


async def test_a_command_verifies_in_the_checkout_and_knows_the_release(target: Target) -> None:
    commit = target.project.commit({"cart.py": BAD})
    await target.deploy(commit)
    script = 'cmp cart.py "$PARLEY_RELEASE/cart.py" && test -n "$PARLEY_COMMIT"'
    await target.verify(commit, kind="command", run={"command": ["sh", "-c", script]})
    with pytest.raises(ApplicationError) as refused:
        await target.verify(commit, kind="command", run={"command": ["false"]})
    assert (refused.value.type, refused.value.message) == (PipelineError.VERIFY_FAILED, "false ended with status 1")


@pytest.fixture
def site() -> Iterator[str]:
    """A web server that is there at the third time of asking."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302 if self.path == "/moved" else 200 if len(asked) > 2 else 503)
            self.send_header("Location", "/")
            self.end_headers()
            self.wfile.write(b"all is well")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


async def test_a_site_is_asked_until_it_answers_as_it_should(target: Target, site: str) -> None:
    await target.verify("0" * 40, kind="http", url=site, contains="well", every=0.1)


@pytest.mark.parametrize(
    ("path", "how", "told"),
    [
        ("/", {"contains": "badly"}, "answered without 'badly'"),
        ("/", {"status": 204}, "answered with status 200, not 204"),
        ("/moved", {}, "answered with status 302, not 200"),
    ],
)
async def test_a_site_that_answers_otherwise_is_no_good(
    path: str, how: dict[str, object], told: str, target: Target, site: str
) -> None:
    with pytest.raises(ApplicationError) as refused:
        await target.verify("0" * 40, kind="http", url=f"{site}{path}", seconds=0.5, every=0.1, **how)
    assert refused.value.type == PipelineError.VERIFY_FAILED
    assert told in refused.value.message


async def test_a_site_that_isn_t_there_is_no_good(target: Target) -> None:
    with pytest.raises(ApplicationError, match="did not answer: ConnectError"):
        await target.verify("0" * 40, kind="http", url="http://127.0.0.1:9/", seconds=0.2, every=0.1)
