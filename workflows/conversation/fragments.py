"""Running a conversation's fragments, as child workflows that outlive it: what becomes of them is told to the core.

A child ends with its parent, also when that continues as new, unless it is abandoned: so all of them are. A continued
run is not the parent of what the one before started, and asks an activity what became of it.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, cast

from pydantic import JsonValue
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import FailureError
from temporalio.workflow import ChildWorkflowHandle, ParentClosePolicy

from signals.conversation import Invocation
from signals.errors import ErrorType
from signals.fragments import FragmentOffer
from signals.messages import InvocationMode
from workflows.conversation.events import FragmentDone, FragmentFailed
from workflows.conversation.stubs import Results
from workflows.failures import told
from workflows.options import AWAIT_RESULT, CHILD_TASK_TIMEOUT

MAX_REASON: Final = 500
"""How much of the reason of a failure people are told, in characters."""


class FragmentRuns:
    """The fragments that a conversation runs.

    Args:
        report: Takes what became of one.
    """

    def __init__(self, report: Callable[[FragmentDone | FragmentFailed], object]) -> None:
        self._report = report
        self._starting = 0

    def are_started(self) -> bool:
        """Tell whether the server has started all that were to be run: a run that ends before would lose them."""
        return not self._starting

    async def run(self, invocation: Invocation, offer: FragmentOffer) -> None:
        """Run a fragment, and wait for its end unless it is detached."""
        try:
            child = await self._start(invocation, offer)
            if invocation.mode is not InvocationMode.DETACHED:
                self._done(invocation, await child)
        except FailureError as error:
            self._failed(invocation, error)

    async def wait_for(self, invocation: Invocation) -> None:
        """Wait for the end of a fragment that an earlier run of the conversation started."""
        try:
            result = await workflow.execute_activity_method(
                Results.await_result,
                invocation.workflow_id or "",
                summary=f"waits for {invocation.fragment}",
                **AWAIT_RESULT,
            )
        except FailureError as error:
            self._failed(invocation, error)
        else:
            self._done(invocation, result)

    async def cancel(self, invocations: Sequence[Invocation]) -> None:
        """Cancel fragments, whichever run of the conversation started them; one that is over is left alone."""
        cancelling = [
            workflow.get_external_workflow_handle(one.workflow_id).cancel() for one in invocations if one.workflow_id
        ]
        await asyncio.gather(*cancelling, return_exceptions=True)

    async def _start(self, invocation: Invocation, offer: FragmentOffer) -> ChildWorkflowHandle[object, object]:
        self._starting += 1
        try:
            return await workflow.start_child_workflow(
                offer.name,
                invocation.arguments,
                id=invocation.workflow_id,
                task_queue=offer.task_queue,
                execution_timeout=timedelta(seconds=offer.timeout_seconds) if offer.timeout_seconds else None,
                task_timeout=CHILD_TASK_TIMEOUT,
                parent_close_policy=ParentClosePolicy.ABANDON,
                static_summary=f"fragment {invocation.number}: {offer.name}",
            )
        finally:
            self._starting -= 1

    def _done(self, invocation: Invocation, result: object) -> None:
        if isinstance(result, RawValue | bytes):
            reason = "its result isn't JSON"
            self._report(FragmentFailed(invocation.number, ErrorType.INVALID_INPUT, reason, workflow.now()))
        else:
            self._report(FragmentDone(invocation.number, cast(JsonValue, result), workflow.now()))

    def _failed(self, invocation: Invocation, error: FailureError) -> None:
        kind, reason = told(error)
        self._report(FragmentFailed(invocation.number, kind, reason[:MAX_REASON], workflow.now()))
