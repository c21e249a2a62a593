"""What the development pipeline's workflows and activities exchange, and the inputs of its fragments."""

from typing import Annotated

from pydantic import Field, StringConstraints

from signals.pipeline import FixByCommit, FixByPatch, Stage, StageResult
from signals.project import Command, Commit, Deploy, InCheckout, Pipeline, Repository, Revision, Verify, Word
from signals.wire import Identifier, Wire

NamedTest = Annotated[str, StringConstraints(pattern=r"^[^-\x00][^\x00]*$", max_length=1000)]
"""What the end of a test command names: no option, for whoever asks may name tests and nothing else."""


class Change(Wire):
    """A change that people brought to the commit that they talked about."""

    fix: Annotated[FixByCommit | FixByPatch, Field(discriminator="action")]
    by: Identifier


class CheckoutRequest(Wire):
    """Which commit is to be had."""

    workspace: str
    """The id of the run that needs it: each has a folder of its own."""

    repository: Repository
    revision: Revision
    changes: tuple[Change, ...] = ()
    """Made to it, one after the other."""

    base: Revision | None = None
    pipeline: Pipeline | None = None
    """In place of what the commit says."""


class Checkout(Wire):
    """A commit that is at hand."""

    repository: Repository
    requested: Commit
    """The commit before any change."""

    commit: Commit
    branch: str | None = None
    """The branch that it was pushed to, where it was made of patches."""

    subject: str
    """The first line of its message."""

    files: tuple[str, ...]
    """What it changes, the first ones."""

    diff: str
    """How, bounded."""

    refused: str | None = None
    """Why the last change could not be made; it was left out."""

    pipeline: Pipeline
    seconds: float = 0


class CheckRequest(Wire):
    """The input of `CheckCommit`: build, lint and test a commit."""

    workspace: str
    repository: Repository
    commit: Commit
    build: Command | None = None
    lint: Command | None = None
    test: Command | None = None


class Checks(Wire):
    """What came of a commit's checks."""

    commit: Commit
    stages: tuple[StageResult, ...]


class StageRequest(Wire):
    """A command that is to be run in a checkout."""

    workspace: str
    repository: Repository
    commit: Commit
    tree: Identifier
    """Which checkout of the commit it runs in; what depends on another's files runs in the same."""

    fresh: bool = False
    """Whether a retry begins with a clean checkout."""

    stage: Stage
    command: Command
    more: tuple[Word, ...] = Field(default=(), max_length=100)
    """Further words for the command, such as the tests to run."""


class RunTestsRequest(Wire):
    """The input of `RunTests`.

    Example:
        `{"repository": "/srv/git/shop.git", "commit": "main", "tests": ["tests/test_cart.py::test_total"]}`
    """

    repository: Repository
    commit: Revision
    tests: tuple[NamedTest, ...] = Field(default=(), max_length=100)
    """Words for the end of the test command; all tests where there are none."""

    pipeline: Pipeline | None = None


class ShowFileRequest(Wire):
    """The input of `ShowFile`.

    Example:
        `{"repository": "/srv/git/shop.git", "commit": "main", "path": "src/cart.py", "first": 10, "last": 40}`
    """

    repository: Repository
    commit: Revision
    path: InCheckout
    first: int = Field(default=1, ge=1)
    """The first line, counted from 1."""

    last: int = Field(default=200, ge=1)


class FileRequest(Wire):
    """A file that is to be read."""

    workspace: str
    commit: Commit
    path: InCheckout
    first: int
    last: int


class FileExcerpt(Wire):
    """A part of a file."""

    path: str
    first: int
    last: int
    lines: int
    """How many the file has."""

    text: str


class BisectRequest(Wire):
    """The input of `Bisect`.

    Example:
        `{"repository": "/srv/git/shop.git", "good": "v1.2", "bad": "main", "tests": ["tests/test_cart.py"]}`
    """

    repository: Repository
    good: Revision
    bad: Revision
    tests: tuple[NamedTest, ...] = Field(default=(), max_length=100)
    pipeline: Pipeline | None = None


class RangeRequest(Wire):
    """Commits that are to be listed."""

    workspace: str
    repository: Repository
    good: Revision
    bad: Commit


class CommitRange(Wire):
    """Commits from a good one (first) to a bad one (last), each the parent of the next."""

    commits: tuple[Commit, ...]


class Culprit(Wire):
    """The result of `Bisect`."""

    commits: tuple[Commit, ...]
    """The first bad commit; several where those before it can't be tested."""

    tested: int
    """How many commits were tested."""


class DeployRequest(Wire):
    """What is to be deployed, or taken back."""

    workspace: str
    repository: Repository
    commit: Commit
    deploy: Deploy
    previous: Commit | None = None
    """What was deployed before; what is gone back to."""


class DeploymentRequest(Wire):
    """The input of `DeployCommit`: one commit to one target, verified, or taken back."""

    workspace: str
    repository: Repository
    commit: Commit
    deploy: Deploy
    verify: Verify | None = None


class VerifyRequest(Wire):
    """What is to be verified."""

    deployment: DeployRequest
    verify: Verify


class Before(Wire):
    """What was deployed before."""

    commit: Commit | None
    """Nothing, or it isn't known."""
