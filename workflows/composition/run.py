"""A run of a plan: the shell around the machine. What the machine orders becomes children; their ends go back to it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final, cast

from pydantic import JsonValue
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import (
    ApplicationError,
    ChildWorkflowError,
    FailureError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)
from temporalio.workflow import ChildWorkflowHandle, ParentClosePolicy

from signals.composition import BranchState, CompositeProgress
from signals.errors import ErrorType
from signals.modes import Mode
from signals.names import MAX_ID_BYTES, child_run_id
from workflows import search
from workflows.compiled.talk import step_error
from workflows.composition import views
from workflows.composition.diagram import mermaid
from workflows.composition.frames import CallFrame, Fate
from workflows.composition.layout import Part
from workflows.composition.machine import Machine, Orders
from workflows.composition.outcomes import Cancelled, Failed, Outcome, Succeeded
from workflows.composition.page import ROWS, page
from workflows.composition.plan import AT_ONCE
from workflows.composition.registry import REGISTRY
from workflows.options import CHILD_TASK_TIMEOUT

SETTLING: Final = timedelta(seconds=10)
"""How long a composite that has its result waits for children that it has cancelled, to say what became of them."""

MAX_EVENTS: Final = 40_000
"""From this length of its history on, a composite starts no more children; Temporal ends a run at 51,200 events."""

MAX_HISTORY_BYTES: Final = 40_000_000
"""The same in bytes; Temporal ends a run at 50 MB."""

MAX_STARTING_BYTES: Final = 2_000_000
"""How much may be sent to children at once; the server takes 4 MB in one answer, and would refuse it for ever."""

MAX_REPORTED: Final = 50
"""How many branches are listed in a failure."""

_SUMMARY: Final = 200

_CLOSE_POLICIES: Final = {
    Fate.ENDS: ParentClosePolicy.TERMINATE,
    Fate.IS_CANCELLED: ParentClosePolicy.REQUEST_CANCEL,
    Fate.RUNS_ON: ParentClosePolicy.ABANDON,
}


class CompositeRun:
    """What every composite workflow class is."""

    def __init__(self) -> None:
        self._machine: Machine | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._handles: dict[CallFrame, ChildWorkflowHandle[object, object]] = {}
        self._starting: dict[CallFrame, int] = {}
        """The children that are being started, with the sizes of their inputs in bytes."""

        self._changed = True
        self._broken: BaseException | None = None

    async def carry_out(self, part: Part, value: JsonValue) -> JsonValue:
        """Run a plan to its end.

        Args:
            part: The plan.
            value: Its input.

        Raises:
            ApplicationError: It has failed; its type is that of the branch that it failed with.
        """
        machine = self._machine = Machine(part, REGISTRY)
        try:
            self._follow(machine.begin(value, workflow.now()))
            await self._until(lambda: machine.outcome is not None)
            if machine.is_cancelling:
                with suppress(TimeoutError):
                    await workflow.wait_condition(
                        lambda: not machine.is_cancelling,
                        timeout=SETTLING,
                        timeout_summary="until what is cancelled has ended",
                    )
        except asyncio.CancelledError:
            self._follow(machine.cancel(workflow.now()))
            await self._until(lambda: not machine.live)
            if not isinstance(machine.outcome, Succeeded):
                raise
        self._publish()
        return self._result(machine)

    @property
    def machine(self) -> Machine:
        """The state; there is one from the run's first task on.

        Raises:
            ApplicationError: The run was refused before it had one.
        """
        if self._machine is None:
            raise ApplicationError("nothing was run", type=ErrorType.INVALID_INPUT, non_retryable=True)
        return self._machine

    # Queries

    @workflow.query(description="Where each branch stands.")
    def progress(self) -> CompositeProgress:
        """Where the composite stands."""
        return self._progress(views.MAX_LISTED)

    @workflow.query(description="The plan as a Mermaid diagram, with the state of each branch.")
    def definition(self) -> str:
        """The composite as a Mermaid diagram."""
        return mermaid(self.machine.part, views.states(self.machine))

    # Children

    def _follow(self, orders: Orders) -> None:
        self._changed = True
        for call in orders.start:
            task = asyncio.create_task(self._run_child(call))
            self._tasks.add(task)
            task.add_done_callback(self._done)
        for call in orders.cancel:
            if call in self._handles:
                self._handles[call].cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self._broken = self._broken or task.exception()

    async def _run_child(self, call: CallFrame) -> None:
        try:
            handle = await self._start(call)
        except FailureError as error:
            return self._ended(call, self._failure(call, error))
        if handle is None:
            return self._follow(self.machine.never_began(call, workflow.now()))
        self._handles[call] = handle
        if _is_cancelled(call):
            handle.cancel()
        try:
            result = await handle
        except ChildWorkflowError as error:
            outcome = Cancelled(call.path) if is_cancelled_exception(error) else self._failure(call, error)
            return self._ended(call, outcome)
        finally:
            del self._handles[call]
        if isinstance(result, RawValue | bytes):
            return self._ended(call, Failed(ErrorType.INVALID_INPUT, "its result isn't JSON", call.path))
        self._ended(call, Succeeded(cast(JsonValue, result)))

    async def _start(self, call: CallFrame) -> ChildWorkflowHandle[object, object] | None:
        """Start a child as soon as there is room for it; nothing if it was cancelled before that."""
        signature = REGISTRY.signature(call.call)
        takes_input = signature is None or signature.inputs > 0
        payloads = workflow.payload_converter().to_payloads([call.request]) if takes_input else []
        size = sum(payload.ByteSize() for payload in payloads)
        while not self._has_room(size):  # another one that waited may have taken it
            await workflow.wait_condition(lambda: self._has_room(size))
        if _is_cancelled(call):
            return None
        child = child_run_id(workflow.info().workflow_id, call.path, call.known.number)
        _refuse_if_too_large(child)
        self._starting[call] = size
        try:
            return await workflow.start_child_workflow(
                call.call.workflow,
                args=[RawValue(payload) for payload in payloads],
                id=child,
                execution_timeout=timedelta(seconds=call.call.timeout) if call.call.timeout else None,
                task_timeout=CHILD_TASK_TIMEOUT,
                parent_close_policy=_CLOSE_POLICIES[call.fate],
                static_summary=call.path[:_SUMMARY],
            )
        finally:
            del self._starting[call]

    def _has_room(self, size: int) -> bool:
        if len(self._handles) + len(self._starting) >= AT_ONCE:
            return False
        return not self._starting or sum(self._starting.values()) + size <= MAX_STARTING_BYTES

    def _failure(self, call: CallFrame, error: FailureError) -> Failed:
        if isinstance(error, WorkflowAlreadyStartedError):
            return Failed("WorkflowAlreadyStarted", f"'{error.workflow_id}' is running already", call.path)
        why = step_error(error)
        return Failed(why.type, why.message, call.path)

    def _ended(self, call: CallFrame, outcome: Outcome) -> None:
        self._follow(self.machine.ended(call, outcome, workflow.now()))

    # The run

    async def _until(self, met: Callable[[], bool]) -> None:
        """Wait for something, showing on the way what has changed: once for all that came at the same time."""
        while not met():
            await workflow.wait_condition(lambda: self._changed or self._broken is not None)
            if self._broken is not None:
                raise self._broken
            self._changed = False
            self._publish()

    def _publish(self) -> None:
        search.publish(mode=Mode.WORKFLOW)
        workflow.set_current_details(page(workflow.info().workflow_type, self._progress(ROWS)))

    def _result(self, machine: Machine) -> JsonValue:
        match machine.outcome:
            case Failed() as failed:
                raise ApplicationError(failed.told, self._progress(MAX_REPORTED), type=failed.type, non_retryable=True)
            case Cancelled(where):
                reason = f"{where or 'the plan'} was cancelled"
                raise ApplicationError(
                    reason, self._progress(MAX_REPORTED), type=ErrorType.BRANCH_CANCELLED, non_retryable=True
                )
            case outcome:
                assert outcome is not None
                return outcome.value

    def _progress(self, most: int) -> CompositeProgress:
        return views.progress(self.machine, workflow.info().workflow_id, most)


def _refuse_if_too_large(child: str) -> None:
    """Refuse to start what the server would refuse for ever.

    Raises:
        ApplicationError: `CompositeTooLarge`: there is no room for one more child.
    """
    info = workflow.info()
    if len(child.encode()) > MAX_ID_BYTES:
        reason = f"its workflow id would be longer than {MAX_ID_BYTES:,} bytes; use shorter names"
    elif info.get_current_history_length() > MAX_EVENTS or info.get_current_history_size() > MAX_HISTORY_BYTES:
        reason = "the composite's history is full; make composites of its parts, and a plan of those"
    else:
        return
    raise ApplicationError(reason, type=ErrorType.COMPOSITE_TOO_LARGE, non_retryable=True)


def _is_cancelled(call: CallFrame) -> bool:
    return call.known.state is BranchState.CANCELLING
