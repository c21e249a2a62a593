"""Why a call failed: the error that an activity or a workflow ended with, not its wrapping."""

from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    TerminatedError,
    TimeoutError,
    WorkflowAlreadyStartedError,
)


def root_cause(error: BaseException) -> BaseException:
    """What an activity or a child workflow failed with, also where that was itself such a call."""
    while isinstance(error, ActivityError | ChildWorkflowError) and error.cause is not None:
        error = error.cause
    return error


def told(error: BaseException) -> tuple[str, str]:
    """The type of what a workflow ended with, for programs, and the reason, for people."""
    match cause := root_cause(error):
        case WorkflowAlreadyStartedError():
            return "WorkflowAlreadyStarted", f"'{cause.workflow_id}' is running already"
        case ApplicationError():
            return cause.type or "ApplicationError", cause.message
        case CancelledError():
            return "Cancelled", "it was cancelled"
        case TerminatedError():
            return "Terminated", "it was terminated"
        case TimeoutError():
            return "TimedOut", "it took too long"
        case _:
            return type(cause).__name__, str(cause)
