"""Holding a conversation for a step, and reading why a step failed."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress

from pydantic_core import to_jsonable_python
from temporalio import workflow
from temporalio.exceptions import ApplicationError, ChildWorkflowError, FailureError

from signals.conversation import ConversationResult
from signals.names import HELD_FOR
from signals.run import HeldFor
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.workflow import Conversation
from workflows.failures import root_cause
from workflows.hybrid import StepError
from workflows.options import CHILD_TASK_TIMEOUT

Held = workflow.ChildWorkflowHandle[Conversation, ConversationResult]
"""A conversation that a run holds; its `id` is the workflow id."""


async def begin(conversation: str, setup: ConversationSetup, held_for: HeldFor, summary: str) -> Held:
    """Open a conversation; when this is done, messages reach it.

    Args:
        conversation: Its workflow id.
        setup: How it is set up.
        held_for: What it is about.
        summary: What the Web UI calls it; it is shown as Markdown, so nothing that people wrote may be in it.
    """
    return await workflow.start_child_workflow(
        Conversation.run,
        args=[setup, None],
        id=conversation,
        task_timeout=CHILD_TASK_TIMEOUT,
        memo={HELD_FOR: held_for},
        static_summary=summary,
    )


async def end(conversation: Held) -> ConversationResult | str:
    """Wait for the end of a conversation.

    Returns:
        Its result; or, where it failed or was cancelled or terminated by somebody, what happened.
    """
    try:
        return await conversation
    except ChildWorkflowError as error:
        if is_being_cancelled():
            raise
        return step_error(error).message


def step_error(error: FailureError) -> StepError:
    """Say why a step failed: the error that an activity or a child workflow ended with, not its wrapping."""
    cause = root_cause(error)
    if not isinstance(cause, ApplicationError):
        return StepError(type=type(cause).__name__, message=str(cause), details={})
    facts = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
    # Those of an error that was raised by the step itself are still what the step put in.
    details = to_jsonable_python(facts, fallback=str)
    return StepError(type=cause.type or "ApplicationError", message=cause.message, details=details)


def is_being_cancelled() -> bool:
    """Tell whether the task that runs now is being cancelled, by the run's end or by another step's failure."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def unbroken(work: Coroutine[None, None, None]) -> None:
    """Do something to its end, even if the run is cancelled meanwhile, once or again."""
    task = asyncio.create_task(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()
