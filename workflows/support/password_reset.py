"""Known issue: a customer can't log in."""

from temporalio import workflow

from signals.support import PasswordResetRequest, PasswordResetSent
from workflows.compiled import compiled, step
from workflows.options import QUICK
from workflows.support.stubs import Books


@compiled
class PasswordReset:
    """Send a customer a link to choose a new password; the link goes by mail only."""

    @step(result=True)
    async def sent(self, request: PasswordResetRequest) -> PasswordResetSent:
        """Make a link and mail it, to the address on record."""
        return await workflow.execute_activity_method(
            Books.start_password_reset, request, summary="mail a link", **QUICK
        )
