"""What tests of composites share: starting plans, and looking at what their children did."""

from typing import Any
from uuid import uuid4

from pydantic import JsonValue
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from signals.composition import CompositeProgress, CompositeResult
from tests.harness import eventually
from workflows.composition.plan import Plan

UNHANDLED_COMMAND = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
CHILD_INITIATED = EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED
DEADLOCK = "[TMPRL1101]"
"""How the SDK begins to say that a task took more than two seconds."""

Run = WorkflowHandle[Any, Any]


class Composing:
    """Starts composites on a worker's task queue."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self.client, self.task_queue = client, task_queue

    async def start(self, plan: Plan | JsonValue, value: object = None, *, run: str | None = None) -> Run:
        """Start a plan."""
        return await self.start_flow("Composite", {"plan": plan, "input": value}, run=run)

    async def start_flow(self, flow: str, request: object, *, run: str | None = None) -> Run:
        """Start any workflow."""
        return await self.client.start_workflow(
            flow, request, id=run or f"test-{uuid4()}", task_queue=self.task_queue, result_type=None
        )

    async def result(self, plan: Plan | JsonValue, value: object = None) -> JsonValue:
        """Run a plan; gives its result."""
        return (await self.outcome(await self.start(plan, value))).result

    async def outcome(self, run: Run) -> CompositeResult:
        """Wait for all that a composite says at its end."""
        return CompositeResult.model_validate(await run.result())

    async def failure(self, run: Run) -> ApplicationError:
        """Wait for a run to fail, once and for good; gives its error."""
        try:
            result = await run.result()
        except WorkflowFailureError as failed:
            assert isinstance(failed.cause, ApplicationError), failed.cause
            stumbles = await self.stumbles(run)
            assert stumbles == [], stumbles
            return failed.cause
        raise AssertionError(f"it gave {result!r}")

    async def stumbles(self, run: Run) -> list[str]:
        """Why workflow tasks of a run failed, beside those that had no time on a busy machine, or came late."""
        tasks = [event.workflow_task_failed_event_attributes for event in (await run.fetch_history()).events]
        failures = [task.failure.message for task in tasks if task.cause not in (0, UNHANDLED_COMMAND)]
        return [failure for failure in failures if DEADLOCK not in failure]

    async def progress(self, run: Run) -> dict[str, str]:
        """The states of the branches, by path and number."""
        answer: CompositeProgress = await run.query("progress", result_type=CompositeProgress)
        return {f"{branch.path}-{branch.number}": branch.state for branch in answer.branches}

    async def until(self, run: Run, **states: str) -> None:
        """Wait until branches (`_` in their names is `/`, and they are numbered 1) are in some states."""
        wanted = {f"{path.replace('_', '/')}-1": state for path, state in states.items()}
        await eventually(lambda: self.progress(run), lambda answer: wanted.items() <= answer.items())

    def child(self, run: Run, path: str) -> Run:
        """A child, by its path and number."""
        return self.client.get_workflow_handle(f"{run.id}/{path}")

    async def signal(self, run: Run, path: str, name: str) -> None:
        """Send a signal to a child, as soon as it is there."""
        await eventually(lambda: self.is_running(self.child(run, path)))
        await self.child(run, path).signal(name)

    async def open(self, run: Run, path: str) -> None:
        """Open a gate."""
        await self.signal(run, path, "open")

    async def cancel(self, run: Run, path: str) -> None:
        """Cancel a child, as soon as it is there."""
        await eventually(lambda: self.is_running(self.child(run, path)))
        await self.child(run, path).cancel()

    async def is_running(self, run: Run) -> bool:
        """Tell whether a workflow is there, and runs."""
        status = [found.status async for found in self.client.list_workflows(f'WorkflowId="{run.id}"')]
        return status == [WorkflowExecutionStatus.RUNNING]

    async def became(self, run: Run) -> str:
        """How a workflow ended, once it has."""

        async def status() -> WorkflowExecutionStatus | None:
            return (await run.describe()).status

        ended = await eventually(status, lambda status: status is not WorkflowExecutionStatus.RUNNING)
        assert ended is not None
        return ended.name

    async def children(self, run: Run) -> list[str]:
        """The ids of the children that were started, without the run's own."""
        events = (await run.fetch_history()).events
        return [
            event.start_child_workflow_execution_initiated_event_attributes.workflow_id.removeprefix(f"{run.id}/")
            for event in events
            if event.event_type == CHILD_INITIATED
        ]
