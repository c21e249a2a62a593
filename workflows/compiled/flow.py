"""`Flow`: an optional base that tells editors and type checkers what a compiled class has."""

from typing import TYPE_CHECKING, Generic, TypeVar

from temporalio import workflow

from workflows.compiled.run import CompiledRun

RequestT = TypeVar("RequestT")
ResultT = TypeVar("ResultT")


class Flow(CompiledRun, Generic[RequestT, ResultT]):
    """A compiled workflow of known types: `@compiled class Refund(Flow[RefundRequest, Receipt])`.

    Without it a class runs just the same, but only `@compiled` knows that it has a `run`, signals and queries. With
    it they can be named where runs are started and asked, and are checked and completed there:

        handle = await client.start_workflow(Refund.run, RefundRequest(...), id=..., task_queue=...)
        receipt = await handle.result()  # a Receipt
        progress = await handle.query(Refund.progress)

    The compiler holds both types to what the steps say.
    """

    if TYPE_CHECKING:

        @workflow.run
        async def run(self, request: RequestT) -> ResultT:
            """Run the steps."""
            raise NotImplementedError
