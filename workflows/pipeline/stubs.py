"""The activities that the pipeline's workflows call, as they see them; `activities/` has what they do."""

from abc import ABC, abstractmethod

from temporalio import activity

from signals.checkouts import (
    Checkout,
    CheckoutRequest,
    CommitRange,
    DeployRequest,
    FileExcerpt,
    FileRequest,
    RangeRequest,
    StageRequest,
    VerifyRequest,
)
from signals.pipeline import StageResult
from signals.project import Commit


class Checkouts(ABC):
    """A run's commits.

    All of them raise `ApplicationError` of the types of `PipelineError`.
    """

    @activity.defn(name="check_out")
    @abstractmethod
    async def check_out(self, request: CheckoutRequest) -> Checkout:
        """Find a commit, or make it of another and changes, and read its pipeline."""

    @activity.defn(name="show_file")
    @abstractmethod
    async def show_file(self, request: FileRequest) -> FileExcerpt:
        """Read a part of a file of a commit."""

    @activity.defn(name="commits_between")
    @abstractmethod
    async def commits_between(self, request: RangeRequest) -> CommitRange:
        """List the commits from a good one to a bad one."""

    @activity.defn(name="discard")
    @abstractmethod
    async def discard(self, workspace: str) -> None:
        """Remove a run's folder; its logs stay."""


class Stages(ABC):
    """The commands of a pipeline."""

    @activity.defn(name="run_stage")
    @abstractmethod
    async def run_stage(self, request: StageRequest) -> StageResult:
        """Run a command in a checkout. That it fails is its result, not an error."""


class Deployments(ABC):
    """Where commits are deployed to."""

    @activity.defn(name="deployed")
    @abstractmethod
    async def deployed(self, request: DeployRequest) -> Commit | None:
        """Tell which commit is deployed; nothing where none is, or it isn't known."""

    @activity.defn(name="deploy")
    @abstractmethod
    async def deploy(self, request: DeployRequest) -> StageResult:
        """Deploy a commit, once.

        Raises:
            ApplicationError: `DeployFailed`: it can't be.
        """

    @activity.defn(name="roll_back")
    @abstractmethod
    async def roll_back(self, request: DeployRequest) -> None:
        """Deploy again what was deployed before.

        Raises:
            ApplicationError: `DeployFailed`: it can't be.
        """

    @activity.defn(name="verify")
    @abstractmethod
    async def verify(self, request: VerifyRequest) -> StageResult:
        """Look whether a deployment works.

        Raises:
            ApplicationError: `VerifyFailed`: it doesn't.
        """
