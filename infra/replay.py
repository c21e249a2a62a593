"""How workflows are run, by a worker and in a replay: the same, or a replay would show nothing."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Final, TypedDict

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Interceptor, Replayer, WorkflowRunner

from infra.boundary import BoundaryInterceptor
from infra.payloads.converter import PLAIN
from infra.printable import flat
from infra.sandbox import workflow_runner

_TASK_COMPLETED: Final = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
_UPDATED: Final = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_REJECTED,
)

_MESSAGE: Final = re.compile(r'message: "((?:[^"\\]|\\.)+)"')


class RunOptions(TypedDict):
    """The keyword arguments that a `Worker` and a `Replayer` share."""

    workflow_runner: WorkflowRunner
    interceptors: Sequence[Interceptor]


def run_options(sandbox: bool, listeners: Sequence[Interceptor] = ()) -> RunOptions:
    """Say how workflows are run.

    Args:
        sandbox: See `infra.sandbox.workflow_runner`.
        listeners: What looks on, beside the boundary.
    """
    return RunOptions(workflow_runner=workflow_runner(sandbox), interceptors=[BoundaryInterceptor(), *listeners])


def replayer(
    workflows: Sequence[type],
    *,
    converter: DataConverter = PLAIN,
    sandbox: bool = True,
    listeners: Sequence[Interceptor] = (),
    patient: bool = False,
) -> Replayer:
    """Build what runs stored histories again, and tells where the workflows have changed since.

    Args:
        workflows: The types that the histories are of.
        converter: What reads their payloads.
        sandbox: See `infra.sandbox.workflow_runner`.
        listeners: What looks on.
        patient: Never to take a task that lasts for a deadlock. For reading what once ran to its end: there a task that
            lasts two seconds only tells of a busy machine.
    """
    return Replayer(
        workflows=workflows,
        data_converter=converter,
        runtime=_quiet(),
        debug_mode=patient,  # the SDK's only way to say so
        **run_options(sandbox, listeners),
    )


@cache
def _quiet() -> Runtime:
    # What fails in a replay is told by who asked for it; the SDK would write it into what a command prints.
    return Runtime(telemetry=TelemetryConfig(logging=None))


def reason(failure: BaseException) -> str:
    """Say in one line why a replay failed."""
    told = str(failure)
    found = _MESSAGE.search(told)  # the SDK shows a whole structure
    return flat(found[1] if found else told, 300)


def dealt_with(events: Sequence[HistoryEvent]) -> Sequence[HistoryEvent]:
    """Cut a history after the last task that a worker completed, and what that task did.

    A replay would take what came later as well, though it isn't recorded (and, where the run was terminated, never will
    be); of a run without any such task it would never come to an end.
    """
    done = max((at for at, event in enumerate(events) if event.event_type == _TASK_COMPLETED), default=-1) + 1
    end = next((at for at, event in enumerate(events) if at >= done and not _is_done_by_a_task(event)), len(events))
    return events[:end] if done else ()


def _is_done_by_a_task(event: HistoryEvent) -> bool:
    attributes = getattr(event, event.WhichOneof("attributes") or "")
    return event.event_type in _UPDATED or hasattr(attributes, "workflow_task_completed_event_id")
