"""Fixed names of the wire, and the one place where identifiers are built."""

import re
from enum import StrEnum
from typing import Final

TASK_QUEUE: Final = "parley"
"""The default task queue; configuration may change it."""


_OPENED: Final = re.compile(r"(.+)/[^/]+-\d+")
"""The workflow ids of what a run has opened."""

MAX_ID_BYTES: Final = 1_000
"""Temporal's limit on a workflow id."""


class WorkflowType(StrEnum):
    """Names of the workflow types, as `temporal workflow start --type` takes them."""

    CONVERSATION = "Conversation"
    CUSTOMER_SUPPORT = "CustomerSupport"
    REFUND = "Refund"
    ORDER_STATUS = "OrderStatus"
    PASSWORD_RESET = "PasswordReset"
    ADDRESS_CHANGE = "AddressChange"
    DEVELOPMENT_PIPELINE = "DevelopmentPipeline"
    CHECK_COMMIT = "CheckCommit"
    DEPLOY_COMMIT = "DeployCommit"
    RUN_TESTS = "RunTests"
    SHOW_FILE = "ShowFile"
    BISECT = "Bisect"
    COMPOSITE = "Composite"
    ADAPTIVE = "Adaptive"


class SearchAttribute(StrEnum):
    """Search attributes that the namespace must know."""

    MODE = "ParleyMode"
    """Keyword: the mode that a run is in."""

    AWAITING = "ParleyAwaiting"
    """KeywordList: the people that a conversation waits for."""

    STOP = "ParleyStop"
    """Keyword: why a conversation ended."""

    TRIGGER = "ParleyTrigger"
    """Keyword: what last moved a run from one mode to another."""


HELD_FOR: Final = "held_for"
"""The memo of a conversation that a run holds: what it is about, a `HeldFor`."""

SAID: Final = "said"
"""Where a log record has what people and models say, which the worker's log leaves out by default."""


def conversation_id(run_id: str, point: str, number: int) -> str:
    """Build the workflow id of a conversation that a run opens.

    Args:
        run_id: The workflow id of the run.
        point: The name of the conversation point.
        number: Counts the conversations of that point in the run, from 1.
    """
    return f"{run_id}/{point}-{number}"


def run_of(conversation: str) -> str | None:
    """The workflow id of the run that opened a conversation; nothing where its id says that none did."""
    match = _OPENED.fullmatch(conversation)
    return match[1] if match else None


def child_run_id(run_id: str, step: str, number: int) -> str:
    """Build the workflow id of a whole workflow that a run's step starts.

    Args:
        run_id: The workflow id of the run.
        step: The name of the step.
        number: Counts the attempts of that step in the run, from 1.
    """
    return f"{run_id}/{step}-{number}"


def fragment_id(conversation: str, fragment: str, number: int) -> str:
    """Build the workflow id of a fragment that a conversation runs.

    Args:
        conversation: The workflow id of the conversation.
        fragment: The fragment's name.
        number: Counts what was asked for in the conversation, from 1.
    """
    return f"{conversation}/{fragment}-{number}"


def section_id(section: str) -> str:
    """Build the workflow id that whoever is in a critical section has.

    Args:
        section: Names what only one run at a time may enter.
    """
    return f"section/{section}"


def update_name(signal: str) -> str:
    """Name the update that has the same shape as a signal."""
    return f"submit_{signal}"
