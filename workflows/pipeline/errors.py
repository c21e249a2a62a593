"""Error types of the development pipeline; what its `OnException` points name."""

from enum import StrEnum


class PipelineError(StrEnum):
    """Why a pipeline can't go on by itself."""

    REPOSITORY_UNAVAILABLE = "RepositoryUnavailable"
    """It doesn't exist, isn't git, can't be reached, or needs what isn't supported."""

    NO_SUCH_COMMIT = "NoSuchCommit"
    NO_SUCH_FILE = "NoSuchFile"
    NO_PIPELINE = "NoPipeline"
    """The commit says none, and nothing in it is recognised."""

    PIPELINE_INVALID = "PipelineInvalid"
    """What the commit says doesn't fit."""

    CHANGE_REFUSED = "ChangeRefused"
    """A patch doesn't apply, or there is no such commit."""

    BUILD_FAILED = "BuildFailed"
    LINT_FAILED = "LintFailed"
    TESTS_FAILED = "TestsFailed"
    REVIEW_NEEDED = "ReviewNeeded"
    CHANGES_REQUESTED = "ChangesRequested"
    DEPLOY_FAILED = "DeployFailed"
    VERIFY_FAILED = "VerifyFailed"
