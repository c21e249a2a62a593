"""Critical sections: of all runs, one at a time."""

from datetime import timedelta
from typing import Final, TypeVar

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError

from signals.names import section_id
from workflows.options import CHILD_TASK_TIMEOUT

T = TypeVar("T")

FIRST_WAIT: Final = timedelta(seconds=1)
LONGEST_WAIT: Final = timedelta(minutes=1)


async def run_exclusively(section: str, workflow_type: str, request: object, result_type: type[T]) -> T:
    """Run a workflow as a child that only one run at a time can have, and wait for its result.

    The child's id is the section's, and Temporal lets only one open workflow have an id: no lock is kept that somebody
    who died could hold. Who finds it taken asks again, after a second at first and a minute at last; who comes first
    is not promised to be first.

    Args:
        section: Names what is entered by one at a time, such as a deployment's target.
        workflow_type: The workflow that runs inside.
        request: Its input.
        result_type: What it gives.
    """
    wait = FIRST_WAIT
    while True:
        try:
            result: T = await workflow.execute_child_workflow(
                workflow_type,
                request,
                id=section_id(section),
                result_type=result_type,
                task_timeout=CHILD_TASK_TIMEOUT,
                static_summary=f"{workflow_type}, one at a time",
            )
        except WorkflowAlreadyStartedError:
            await workflow.sleep(wait, summary=f"until section '{section}' is free")
            wait = min(2 * wait, LONGEST_WAIT)
        else:
            return result
