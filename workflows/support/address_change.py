"""Known issue: an order should go somewhere else."""

from temporalio import workflow

from signals.fragments import Bound
from signals.support import AddressChanged, AddressChangeRequest, Notice
from workflows.compiled import Fragment, compiled, step
from workflows.options import QUICK
from workflows.support.fragments import STAFF, WAITED_FOR
from workflows.support.stubs import Books


@compiled(fragment=Fragment(roles=STAFF, modes=WAITED_FOR, bound={"customer_id": Bound.FACT}))
class AddressChange:
    """Change where an order goes, as long as it has not been shipped."""

    @step(result=True)
    async def changed(self, request: AddressChangeRequest) -> AddressChanged:
        """Change it in the books."""
        return await workflow.execute_activity_method(Books.change_address, request, summary="change it", **QUICK)

    @step
    async def notice(self, request: AddressChangeRequest, changed: AddressChanged) -> None:
        """Tell the customer by mail."""
        letter = Notice(
            customer_id=request.customer_id,
            subject=f"Your order {changed.order_id} goes to a new address",
            text=f"We send {changed.order_id} to: {changed.address}. Reference: {changed.reference}.",
        )
        await workflow.execute_activity_method(Books.send_notice, letter, summary="write to them", **QUICK)
