"""The development pipeline: what goes in, what people decide, what comes out."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from signals.participants import Participant
from signals.project import Commit, Pipeline, Repository, Revision
from signals.run import ConversationRecord, Transition
from signals.wire import Identifier, Wire

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class PipelineRequest(Wire):
    """The input of `DevelopmentPipeline`.

    Example:
        `{"repository": "/srv/git/shop.git", "commit": "main", "author": "alice"}`
    """

    repository: Repository
    commit: Revision
    author: Identifier
    """Who made the commit; takes part where it is talked about."""

    base: Revision | None = None
    """What the commit is compared with; its first parent where there is none."""

    pipeline: Pipeline | None = None
    """In place of what the commit itself says."""

    participants: tuple[Participant, ...] = Field(default=(), max_length=50)
    """Who takes part in the conversations, beside those that the pipeline names."""


# What people decide


class FixByCommit(Wire):
    """Go on with another commit, which mends it.

    Example:
        `{"action": "commit", "commit": "fix-rounding"}`
    """

    action: Literal["commit"]
    commit: Revision


class FixByPatch(Wire):
    """Mend it by a patch; it is applied, committed and pushed to a branch of its own.

    Example:
        `{"action": "patch", "patch": "...", "reason": "round to cents"}`
    """

    action: Literal["patch"]
    patch: str = Field(min_length=1, max_length=15_000)
    """A unified diff against the commit that was talked about."""

    reason: Reason | None = None
    """The commit's message."""


class AcceptFailure(Wire):
    """Go on in spite of the failure.

    Example:
        `{"action": "accept", "reason": "the test needs a service that is down today"}`
    """

    action: Literal["accept"]
    reason: Reason


class Abandon(Wire):
    """Go on no further.

    Example:
        `{"action": "give_up", "reason": "not worth it"}`
    """

    action: Literal["give_up"]
    reason: Reason


Fix = Annotated[FixByCommit | FixByPatch | AcceptFailure | Abandon, Field(discriminator="action")]
"""What a debugging conversation comes to."""


class Approve(Wire):
    """Deploy this commit.

    Example:
        `{"verdict": "approve", "commit": "1f0e...9c"}`
    """

    verdict: Literal["approve"]
    commit: Commit
    """The commit that was looked at: an approval counts for no other."""


class RequestChanges(Wire):
    """Don't deploy it as it is.

    Example:
        `{"verdict": "changes", "reason": "the new function has no test"}`
    """

    verdict: Literal["changes"]
    reason: Reason
    replacement: Revision | None = None
    """The commit to go on with, where it is there already; else it is asked for."""


class Reject(Wire):
    """Don't deploy it at all.

    Example:
        `{"verdict": "reject", "reason": "we don't want this feature"}`
    """

    verdict: Literal["reject"]
    reason: Reason


ReviewDecision = Annotated[Approve | RequestChanges | Reject, Field(discriminator="verdict")]
"""What a review comes to."""


# What comes out


class Stage(StrEnum):
    """The stages of a pipeline."""

    CHECKOUT = "checkout"
    BUILD = "build"
    LINT = "lint"
    TEST = "test"
    DEPLOY = "deploy"
    VERIFY = "verify"


class StageState(StrEnum):
    """How a stage ended."""

    PASSED = "passed"
    FAILED = "failed"
    ACCEPTED = "accepted"
    """It failed, and people accepted that."""

    SKIPPED = "skipped"
    """The pipeline has none, or what it needs failed."""

    ROLLED_BACK = "rolled_back"
    """It was done, and taken back."""


class FailedTest(Wire):
    """A test that failed."""

    name: str
    """As the test's runner takes it, where the report says so: `tests/test_cart.py::test_total`."""

    file: str | None = None
    line: int | None = None
    message: str


class StageResult(Wire):
    """What came of a stage."""

    stage: Stage
    state: StageState
    seconds: float = 0
    reason: str | None = None
    """Why it failed."""

    exit: int | None = None
    """The command's status."""

    tests: int | None = None
    """How many tests the report tells of."""

    failed: int = 0
    failures: tuple[FailedTest, ...] = ()
    """The tests that failed, the first ones."""

    log: str | None = None
    """The file, on the worker's machine, that has all that the command printed (bounded)."""

    tail: str = ""
    """The end of that."""

    output_bytes: int = 0


class PipelineStatus(StrEnum):
    """How a run ended."""

    DEPLOYED = "deployed"
    PASSED = "passed"
    """All is well, and the pipeline deploys nothing."""

    GIVEN_UP = "given_up"
    REJECTED = "rejected"
    ROLLED_BACK = "rolled_back"
    """It could not be deployed, or turned out bad, and was taken back."""


class Reviewed(Wire):
    """What came of a commit before it is deployed."""

    status: PipelineStatus
    """`passed`, `given_up` or `rejected`."""

    commit: Commit
    branch: str | None = None
    """The branch that has the commit, where it was made of patches."""

    stages: tuple[StageResult, ...]
    pipeline: Pipeline
    approved_by: tuple[Identifier, ...] = ()
    reason: str | None = None
    """Why it was given up or rejected."""


class Deployed(Wire):
    """What came of deploying a commit."""

    stages: tuple[StageResult, ...]
    deployed: Commit | None
    """What is deployed at the target now, as far as that is known."""

    previous: Commit | None = None
    """What was deployed before."""

    reason: str | None = None
    """Why the commit isn't."""


class PipelineResult(Wire):
    """The result of `DevelopmentPipeline`."""

    status: PipelineStatus
    requested: Commit
    """The commit that the run began with."""

    commit: Commit
    """The commit that it ended with."""

    branch: str | None = None
    """The branch that has it, where it was made of patches."""

    stages: tuple[StageResult, ...]
    """Those of the last commit."""

    approved_by: tuple[Identifier, ...]
    target: Identifier | None
    deployed: Commit | None
    """What is deployed at the target now, as far as the run knows."""

    reason: str | None
    """Why it went no further."""

    conversations: tuple[ConversationRecord, ...]
    transitions: tuple[Transition, ...]
