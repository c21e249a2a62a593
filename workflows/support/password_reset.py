"""Known issue: a customer can't log in."""

from temporalio import workflow

from signals.fragments import Bound
from signals.support import PasswordResetRequest, PasswordResetSent
from workflows.compiled import Fragment, compiled, step
from workflows.options import QUICK
from workflows.support.fragments import CUSTOMER, STAFF, WAITED_FOR
from workflows.support.stubs import Books


@compiled(fragment=Fragment(roles=(*STAFF, CUSTOMER), modes=WAITED_FOR, bound={"customer_id": Bound.FACT}))
class PasswordReset:
    """Send a customer a link to choose a new password; the link goes by mail only."""

    @step(result=True)
    async def sent(self, request: PasswordResetRequest) -> PasswordResetSent:
        """Make a link and mail it, to the address on record."""
        return await workflow.execute_activity_method(
            Books.start_password_reset, request, summary="mail a link", **QUICK
        )
