"""Known issue: give money back for an order."""

from temporalio import workflow

from signals.fragments import Bound
from signals.support import Notice, Order, OrderQuestion, Receipt, RefundApproval, RefundRequest
from workflows.compiled import Fragment, compiled, step
from workflows.options import QUICK
from workflows.support.fragments import STAFF, WAITED_FOR
from workflows.support.stubs import Books


# An agent who asks for it approves it, up to what the books say that they may; without one the shop's policy decides.
@compiled(
    fragment=Fragment(roles=STAFF, modes=WAITED_FOR, bound={"customer_id": Bound.FACT, "approved_by": Bound.PERSON})
)
class Refund:
    """Give money back for an order, as far as the shop's policy or an agent allows."""

    @step
    async def order(self, request: RefundRequest) -> Order:
        """Look the order up."""
        question = OrderQuestion(order_id=request.order_id, customer_id=request.customer_id)
        return await workflow.execute_activity_method(Books.order, question, summary="look the order up", **QUICK)

    @step
    async def approval(self, request: RefundRequest) -> RefundApproval:
        """Hold it to the shop's policy."""
        return await workflow.execute_activity_method(Books.approve_refund, request, summary="hold to policy", **QUICK)

    @step(result=True)
    async def receipt(self, approval: RefundApproval) -> Receipt:
        """Pay it, once."""
        return await workflow.execute_activity_method(Books.book_refund, approval, summary="pay", **QUICK)

    @step
    async def notice(self, order: Order, receipt: Receipt) -> None:
        """Tell the customer by mail."""
        letter = Notice(
            customer_id=order.customer_id,
            subject=f"Your refund for {order.item}",
            text=f"We have paid {receipt.amount} EUR back for {order.id}. Reference: {receipt.reference}.",
        )
        await workflow.execute_activity_method(Books.send_notice, letter, summary="write to them", **QUICK)
