"""How a project says its pipeline: commands, deployment, verification, review."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from signals.wire import Identifier, Wire

DAY: Final = 86_400

_PASSWORD: Final = re.compile(r"^[a-z+]+://[^/@]*:[^/@]*@", re.IGNORECASE)


def _without_password(repository: str) -> str:
    if _PASSWORD.match(repository):
        raise ValueError("give no password in it: it would be in every history; use git's credential helper or ssh")
    return repository


def _within(path: str) -> str:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or ".git" in parts:
        raise ValueError("the path leaves the checkout; give one inside it, such as src/app.py")
    return path


Repository = Annotated[
    str, StringConstraints(pattern=r"^[^-\x00-\x20\x7f][^\x00-\x1f\x7f]{0,999}$"), AfterValidator(_without_password)
]
"""The path or the URL of a git repository."""

Revision = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/@{}~^+-]{0,199}$")]
"""What git takes for a commit: a hash, a branch, a tag, `main~1`."""

Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
"""The whole hash of a commit."""

InCheckout = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,500}$"), AfterValidator(_within)]
"""A path inside the checkout."""

Word = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=4096)]
"""A word of a command."""

Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
"""The name of an environment variable."""


class Limits(Wire):
    """What a command's processes may use, each of them; nothing is limited where it is null.

    Example:
        `{"memory_mb": 2048}`
    """

    memory_mb: int | None = Field(default=None, ge=16)
    file_mb: int | None = Field(default=4096, ge=1)
    """The largest file that they may write."""

    cpu_seconds: int | None = Field(default=None, ge=1)
    open_files: int | None = Field(default=None, ge=16)


class Command(Wire):
    """A command of a pipeline; it is run without a shell.

    Example:
        `{"command": ["python", "-m", "pytest", "--junit-xml=report.xml"], "report": "report.xml", "seconds": 900}`
    """

    command: tuple[Word, ...] = Field(min_length=1, max_length=200)
    seconds: float = Field(default=600, gt=0, le=DAY)
    """How long it may take."""

    environment: dict[Variable, Word] = Field(default={}, max_length=100)
    """What it finds in its environment beside the little that every command does."""

    folder: InCheckout = "."
    """Where in the checkout it is run."""

    report: InCheckout | None = None
    """The JUnit XML file that it writes, as seen from its folder: failures are named from it."""

    limits: Limits = Limits()

    @model_validator(mode="after")
    def _names_a_program(self) -> Self:
        if not self.command[0].strip():
            raise ValueError("command: its first word must name a program")
        return self


class ReleaseFolders(Wire):
    """Deploy into a folder for each release, with a link `current` that is switched in one step.

    Example:
        `{"kind": "releases", "target": "staging"}`
    """

    kind: Literal["releases"] = "releases"
    target: Identifier
    """Names where it is deployed to: a folder below the worker's `[pipeline] deployments`."""

    artifact: InCheckout | None = None
    """The folder that the build made; the files of the commit where there is none."""

    keep: int = Field(default=5, ge=2, le=1000)
    """How many releases are kept."""


class DeployCommand(Wire):
    """Deploy by commands of one's own; they find `PARLEY_COMMIT`, `PARLEY_PREVIOUS` and `PARLEY_TARGET` set.

    Example:
        `{"kind": "command", "target": "production", "deploy": {"command": ["./deploy.sh"]},
        "roll_back": {"command": ["./deploy.sh", "--back"]}}`
    """

    kind: Literal["command"] = "command"
    target: Identifier
    deploy: Command
    roll_back: Command | None = None
    """Run when the deployed commit turns out bad; it may be run where nothing was deployed yet."""

    deployed: Command | None = None
    """Prints the hash of the commit that is deployed now."""


Deploy = Annotated[ReleaseFolders | DeployCommand, Field(discriminator="kind")]


class VerifyCommand(Wire):
    """Verify a deployment by a command: it must end with status 0.

    Example:
        `{"kind": "command", "run": {"command": ["./smoke.sh"], "seconds": 60}}`
    """

    kind: Literal["command"] = "command"
    run: Command


class VerifyHttp(Wire):
    """Verify a deployment by HTTP: asked again until it answers as it should, or the time is over.

    Example:
        `{"kind": "http", "url": "http://127.0.0.1:8080/health", "contains": "ok"}`
    """

    kind: Literal["http"] = "http"
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s@]{1,1000}$")]
    status: int = Field(default=200, ge=100, le=599)
    contains: str | None = Field(default=None, min_length=1, max_length=1000)
    """What the answer's first megabyte must have in it."""

    seconds: float = Field(default=60, gt=0, le=3600)
    every: float = Field(default=1, ge=0.1, le=60)
    """Seconds between two tries."""


Verify = Annotated[VerifyCommand | VerifyHttp, Field(discriminator="kind")]


class Review(Wire):
    """Who must approve a commit before it is deployed; never its author.

    Example:
        `{"approvals": 2, "reviewers": ["ann", "ben", "cat"]}`
    """

    approvals: int = Field(default=1, ge=0, le=20)
    """How many must; without any there is no review."""

    reviewers: tuple[Identifier, ...] = Field(default=(), max_length=50)
    """People who are asked; the lead where it is empty."""

    roles: tuple[Identifier, ...] = Field(default=("reviewer", "lead"), min_length=1, max_length=10)
    """The roles whose approval counts."""


class Pipeline(Wire):
    """A project's pipeline: `[tool.parley.pipeline]` of its pyproject.toml, or its `.parley.toml`.

    Example:
        `{"lint": {"command": ["ruff", "check"]}, "test": {"command": ["python", "-m", "pytest"]},
        "deploy": {"kind": "releases", "target": "staging"}, "lead": "dana"}`
    """

    build: Command | None = None
    lint: Command | None = None
    """Runs at the same time as build and test, in a checkout of its own."""

    test: Command | None = None
    """Runs in the checkout that was built."""

    deploy: Deploy | None = None
    verify: Verify | None = None
    """Without it a deployment is taken for good."""

    lead: Identifier | None = None
    """The team lead, who decides beside the author what becomes of failures."""

    assistants: bool = True
    """Whether an AI debugger takes part where failures are talked about, and an AI reviewer in reviews."""

    review: Review = Review()
    talk_seconds: float = Field(default=3 * DAY, gt=0, le=365 * DAY)
    """How long a conversation may take."""

    @model_validator(mode="after")
    def _has_something_to_do(self) -> Self:
        if not (self.build or self.lint or self.test or self.deploy):
            raise ValueError("it has nothing to do: give it build, lint, test or deploy")
        if self.verify and not self.deploy:
            raise ValueError("verify: there is nothing to verify without deploy")
        return self
