# mypy: disable-error-code="unused-coroutine"
# ruff: noqa: RUF006
import asyncio
from collections.abc import Callable
from datetime import timedelta

from temporalio import activity, workflow

from signals.support import Order, OrderQuestion
from workflows.options import QUICK
from workflows.support.stubs import Books


async def _tell(order: Order) -> str:
    await workflow.sleep(1)
    return order.id


class Desk:
    """Where requests are taken."""

    async def call(self, name: str) -> None:
        await workflow.sleep(1)

    def note(self, name: str) -> None:
        self.last = name


async def a_function_that_is_only_called(order: Order) -> None:
    _tell(order)  # expect: unawaited-coroutine


async def an_activity_that_is_only_called(question: OrderQuestion) -> None:
    workflow.execute_activity_method(Books.order, question, **QUICK)  # expect: unawaited-coroutine


async def a_child_that_is_only_called(order: Order) -> None:
    workflow.execute_child_workflow("Refund", order, id=order.id)  # expect: unawaited-coroutine


async def a_pause_that_is_none() -> None:
    asyncio.sleep(1)  # expect: unawaited-coroutine
    workflow.sleep(timedelta(seconds=1))  # expect: unawaited-coroutine


async def a_result_that_nobody_reads(order: Order) -> None:
    told = _tell(order)  # noqa: F841  # expect: unawaited-coroutine


async def a_method_that_is_only_called() -> None:
    desk = Desk()
    desk.call("alice")  # expect: unawaited-coroutine
    desk.note("alice")


async def a_signal_that_is_not_sent(order: Order) -> None:
    workflow.get_external_workflow_handle(order.id).signal("close")  # expect: unawaited-coroutine


async def coroutines_that_are_awaited(order: Order, question: OrderQuestion) -> list[str]:
    later = _tell(order)
    task = asyncio.create_task(_tell(order))
    asyncio.create_task(Desk().call("alice"))
    found = await workflow.execute_activity_method(Books.order, question, **QUICK)
    await asyncio.gather(_tell(found), _tell(order))
    handle = workflow.start_activity_method(Books.order, question, **QUICK)
    workflow.start_activity_method(Books.order, question, **QUICK)
    return [await later, await task, (await handle).id]


async def a_coroutine_that_is_passed_on(order: Order) -> str:
    return await asyncio.wait_for(_tell(order), 5)


async def a_function_for_a_local_activity(name: str) -> str:
    @activity.defn
    async def greet(name: str) -> str:
        print("greeting", name)
        return f"Hello {name}"

    return await workflow.execute_local_activity(activity=greet, arg=name, start_to_close_timeout=timedelta(seconds=1))


async def a_plain_function_for_a_local_activity(greet: Callable[[str], str]) -> str:
    def shout(name: str) -> str:
        print("greeting", name)
        return greet(name).upper()

    return await workflow.execute_local_activity(shout, "alice", start_to_close_timeout=timedelta(seconds=1))
