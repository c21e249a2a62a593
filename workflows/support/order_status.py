"""Known issue: where an order is."""

from temporalio import workflow

from signals.support import Order, OrderAnswer, OrderQuestion
from workflows.compiled import compiled, step
from workflows.options import QUICK
from workflows.support.stubs import Books


@compiled
class OrderStatus:
    """Tell a customer where their order is."""

    @step
    async def order(self, request: OrderQuestion) -> Order:
        """Look the order up."""
        return await workflow.execute_activity_method(Books.order, request, summary="look the order up", **QUICK)

    @step(result=True)
    def answer(self, order: Order) -> OrderAnswer:
        """Say where it is."""
        return OrderAnswer(order=order, text=f"Your order {order.id} ({order.item}) {_where(order)}.")


def _where(order: Order) -> str:
    if order.delivered:
        return f"was delivered on {order.delivered:%d %B %Y}"
    if order.tracking:
        return f"is on its way; its tracking number is {order.tracking}"
    return f"is {order.status}"
