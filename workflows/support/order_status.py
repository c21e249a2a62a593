"""Known issue: where an order is."""

from temporalio import workflow

from signals.fragments import Bound
from signals.support import Order, OrderAnswer, OrderQuestion
from workflows.compiled import Fragment, compiled, step
from workflows.options import QUICK
from workflows.support.fragments import WAITED_FOR
from workflows.support.stubs import Books


# A customer's orders are shown to those who talk with that customer: which one is for the conversation to know.
@compiled(fragment=Fragment(modes=WAITED_FOR, bound={"customer_id": Bound.FACT}))
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
