"""What ends a stage: errors in one line, each of a type that workflows know."""

from temporalio.exceptions import ApplicationError

from workflows.pipeline.errors import PipelineError


def refused(kind: PipelineError, text: str) -> ApplicationError:
    """An error that trying again doesn't mend."""
    return ApplicationError(text, type=kind, non_retryable=True)


def unavailable(text: str, *, passing: bool = False) -> ApplicationError:
    """A repository can't be had.

    Args:
        text: Which one, and why.
        passing: Whether trying again may help.
    """
    return ApplicationError(text, type=PipelineError.REPOSITORY_UNAVAILABLE, non_retryable=not passing)
