"""The demo of the development pipeline: a failing commit is talked about, mended, reviewed, deployed and verified.

It makes a small real repository, starts a server and a worker of its own, and does everything that people do through
the real `temporal` command line. It ends with status 0 only if the mended commit is deployed.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final
from uuid import uuid4

from pydantic import JsonValue
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.syntax import Syntax

from infra.demonstration import Demo, DemoError, command_line, shown
from signals.conversation import Status
from signals.pipeline import PipelineResult, PipelineStatus
from signals.run import Progress

GIT_SECONDS: Final = 30.0
RESULT_SECONDS: Final = 120.0

PROJECT: Final = """\
[tool.parley.pipeline]
lead = "dana"                       # decides beside the author, and may approve
review = { approvals = 1, reviewers = ["ed"] }
deploy = { kind = "releases", target = "shop" }

[tool.parley.pipeline.test]
command = ["python", "-m", "pytest", "-q", "--rootdir=.", "-o", "junit_family=xunit1", "--junit-xml=report.xml"]
report = "report.xml"

[tool.parley.pipeline.verify]
kind = "command"
run = { command = ["python", "smoke.py"] }
"""

TESTS: Final = """\
from shop import total


def test_total():
    assert total([19, 20]) == 39


def test_nothing():
    assert total([]) == 0
"""

SMOKE: Final = """\
import os
import sys

sys.path.insert(0, os.environ["PARLEY_RELEASE"])
import shop

assert shop.total([1, 2]) == 3
"""
"""What verifies that the release works."""

GOOD: Final = """\
def total(prices):
    result = 0
    for price in prices:
        result += price
    return result
"""

BAD: Final = """\
def total(prices):
    result = 0
    for price in prices[1:]:
        result += price
    return result
"""


class Repository:
    """The demo's repository, and who commits to it.

    Args:
        path: Where it is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> str:
        """Run a git command in it.

        Raises:
            DemoError: Git said no.
        """
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *who, *words],
            cwd=self.path,
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS,
            check=False,
        )
        if done.returncode:
            raise DemoError(f"git {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def commit(self, files: dict[str, str], message: str) -> str:
        """Write files and commit them; gives the commit."""
        for name, text in files.items():
            (self.path / name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def patch(self, name: str, text: str) -> str:
        """A patch that makes a file what it is to be; the file stays as it is."""
        (self.path / name).write_text(text)
        patch = self.git("diff")
        self.git("checkout", "--quiet", ".")
        return patch


class PipelineDemo(Demo):
    """Types the commands of a pipeline's story, and shows what comes of them."""

    def push(self, repository: Repository, commit: str) -> str:
        """Start a pipeline for a commit; gives the run's workflow id."""
        request: dict[str, JsonValue] = {"repository": str(repository.path), "commit": commit, "author": "ann"}
        return self.start("DevelopmentPipeline", f"pipeline-{uuid4().hex[:6]}", request)

    def ends_in(self, run: str, conversation: str) -> str:
        """Wait for the next conversation of a run; gives its workflow id."""

        def following() -> bool:
            last = self.query(run, "progress", Progress).conversations[-1]
            return last.id != conversation and last.closed is None

        self.until(following, f"{run} opens its next conversation", RESULT_SECONDS)
        self.show_transcript(conversation)
        return self.conversation_of(run)

    def finish(self, run: str) -> PipelineResult:
        """Wait for a pipeline's result, and show it."""
        result = self.result(run, PipelineResult, RESULT_SECONDS)
        told = result.model_dump_json(exclude_defaults=True, exclude={"conversations", "transitions"})
        self.console.print_json(told, indent=1)
        return result


def story(demo: PipelineDemo, repository: Repository, deployments: Path) -> None:
    """Tell the whole story.

    Raises:
        DemoError: It didn't end as it should.
    """
    console = demo.console
    console.print(Panel("A commit of Ann's is tested, talked about, mended, reviewed, deployed.", expand=False))
    files = {"pyproject.toml": PROJECT, "test_shop.py": TESTS, "shop.py": GOOD, "smoke.py": SMOKE}
    repository.commit(files, "A shop that can count")
    commit = repository.commit({"shop.py": BAD}, "Count faster")
    console.print(f"[dim]$ git log --oneline[/dim]\n{escape(repository.git('log', '--oneline'))}", highlight=False)
    patch = repository.patch("shop.py", GOOD)
    run = demo.push(repository, commit)
    debugging = demo.conversation_of(run, RESULT_SECONDS)
    demo.say(run, debugging, "ann", "I only wanted to make it faster. What did I break?", assistant="debugger")
    demo.say(run, debugging, "dana", "The loop leaves the first price out: prices[1:].", assistant="debugger")
    console.print(Syntax(patch, "diff", background_color="default"))
    fix: dict[str, JsonValue] = {"action": "patch", "patch": patch, "reason": "Count all prices"}
    demo.propose(debugging, "ann", fix, "all prices again")
    review = demo.ends_in(run, debugging)
    mended = str(demo.query(review, "status", Status).facts["commit"])
    demo.say(run, review, "ed", "All prices are counted, and the tests pass.", assistant="review-assistant")
    demo.propose(review, "ed", {"verdict": "approve", "commit": mended}, "fine")
    result = demo.finish(run)
    demo.show_transcript(review)
    current = deployments / "shop" / "current"
    if (result.status, result.deployed) != (PipelineStatus.DEPLOYED, mended) or current.resolve().name != mended:
        raise DemoError(f"{run} is {result.status}, and {result.deployed} is deployed, not {mended}")
    console.print(f"[dim]$ cat {current}/shop.py[/dim]\n{escape((current / 'shop.py').read_text())}", highlight=False)


async def run_demo(console: Console, stay: bool) -> None:
    """Run the demo.

    Args:
        console: Where it is shown.
        stay: Whether to keep the Web UI when all is done.

    Raises:
        DemoError: Something didn't end as it should.
        SetupError: The server did not come up.
    """
    # In no other project: many a tool looks for its settings in the folders above.
    with tempfile.TemporaryDirectory(prefix="parley-") as name:
        folder = Path(name)
        deployments = folder / "deployments"
        async with shown(
            PipelineDemo,
            console,
            target="demo-pipeline",
            ending="Mended, approved and deployed",
            stay=stay,
            business=folder / "business.db",
            log=folder / "worker.log",
            variables={
                "PARLEY_PIPELINE__FOLDER": str(folder / "work"),
                "PARLEY_PIPELINE__DEPLOYMENTS": str(deployments),
            },
        ) as demo:
            await asyncio.to_thread(story, demo, Repository(folder / "shop"), deployments)


def main() -> int:
    """Run the demo from the command line.

    Returns:
        The exit status.
    """
    return command_line("infra.demo_pipeline", __doc__, run_demo)


if __name__ == "__main__":
    sys.exit(main())
