"""What the books answer when they can't or won't: errors that trying again doesn't mend.

- `NotFound`: it isn't in the books, or isn't the asking customer's.
- `RefusedByPolicy`: the shop's policy doesn't allow it; the details are a `Refusal` as JSON.
"""

from decimal import Decimal
from enum import StrEnum

from temporalio.exceptions import ApplicationError

from signals.support import Order
from signals.wire import Wire
from workflows.support.errors import SupportError


class Reason(StrEnum):
    """Why policy refuses, for programs."""

    CANCELLED = "cancelled"
    NOTHING_LEFT = "nothing_left"
    MORE_THAN_LEFT = "more_than_left"
    NO_AMOUNT = "no_amount"
    OVER_LIMIT = "over_limit"
    """More than goes back without approval."""

    TOO_LATE = "too_late"
    """Delivered longer ago than money goes back without approval."""

    OVER_AGENT_LIMIT = "over_agent_limit"
    """More than the agent may approve."""

    NOT_PROCESSING = "not_processing"
    """Too late to send it elsewhere."""


class Refusal(Wire):
    """The facts of a refusal.

    Example:
        `{"reason": "over_limit", "order_id": "A-1002", "item": "espresso machine", "status": "delivered",
        "amount": "180.00", "limit": "100.00"}`
    """

    reason: Reason
    order_id: str
    item: str
    status: str
    amount: Decimal | None = None
    """What was asked for."""

    limit: Decimal | None = None
    """What would have been allowed."""


def refused(
    text: str, reason: Reason, order: Order, *, amount: Decimal | None = None, limit: Decimal | None = None
) -> ApplicationError:
    """Say in one line what policy doesn't allow, with the facts."""
    facts = Refusal(reason=reason, order_id=order.id, item=order.item, status=order.status, amount=amount, limit=limit)
    return ApplicationError(
        text, facts.model_dump(mode="json"), type=SupportError.REFUSED_BY_POLICY, non_retryable=True
    )


def not_found(text: str) -> ApplicationError:
    """Say in one line what isn't in the books."""
    return ApplicationError(text, type=SupportError.NOT_FOUND, non_retryable=True)
