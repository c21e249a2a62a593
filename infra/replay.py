"""How workflows are run, by a worker and in a replay: the same, or a replay would show nothing."""

from collections.abc import Sequence
from typing import TypedDict

from temporalio.converter import DataConverter
from temporalio.worker import Interceptor, Replayer, WorkflowRunner

from infra.boundary import BoundaryInterceptor
from infra.payloads.converter import PLAIN
from infra.sandbox import workflow_runner


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
) -> Replayer:
    """Build what runs stored histories again, and tells where the workflows have changed since."""
    return Replayer(workflows=workflows, data_converter=converter, **run_options(sandbox, listeners))
