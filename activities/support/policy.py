"""The shop's rules, as functions over plain data."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from activities.support.refusals import Reason, refused
from activities.support.tables import CENT, State
from signals.support import Agent, Order, RefundApproval
from signals.wire import Wire

BY_POLICY: Final = "policy"
"""Who approved what nobody had to."""


class Rules(Wire):
    """What goes back without approval."""

    refund_limit: Decimal = Decimal("100.00")
    """The largest amount, in EUR."""

    refund_days: int = 30
    """How many days after delivery."""


def approve(
    order: Order, amount: Decimal | None, rules: Rules, approver: Agent | None, now: datetime
) -> RefundApproval:
    """Decide on a refund.

    Args:
        order: What was bought.
        amount: How much to refund; all that is left where there is none.
        rules: What goes back without approval.
        approver: The agent who approved it, if any.
        now: When it is asked for.

    Raises:
        ApplicationError: `RefusedByPolicy`.
    """
    amount = payable(order, amount)
    refund = f"a refund of {amount} EUR for {order.id} ({order.item})"
    if approver is not None:
        if amount > approver.refund_limit:
            raise refused(
                f"{refund} is over the {approver.refund_limit} EUR that {approver.name} may approve",
                Reason.OVER_AGENT_LIMIT,
                order,
                amount=amount,
                limit=approver.refund_limit,
            )
        return RefundApproval(order_id=order.id, amount=amount, approved_by=approver.id)
    if amount > rules.refund_limit:
        raise refused(
            f"{refund} needs approval: only up to {rules.refund_limit} EUR go back without",
            Reason.OVER_LIMIT,
            order,
            amount=amount,
            limit=rules.refund_limit,
        )
    if order.delivered is not None and now - order.delivered > timedelta(days=rules.refund_days):
        raise refused(
            f"{refund} needs approval: it was delivered {(now - order.delivered).days} days ago, and only up to"
            f" {rules.refund_days} days after delivery money goes back without",
            Reason.TOO_LATE,
            order,
            amount=amount,
            limit=rules.refund_limit,
        )
    return RefundApproval(order_id=order.id, amount=amount, approved_by=BY_POLICY)


def payable(order: Order, amount: Decimal | None) -> Decimal:
    """Give the amount that a refund pays: what was asked for, or all that is left.

    Raises:
        ApplicationError: `RefusedByPolicy` where so much can't be paid, whoever approved it.
    """
    left = order.amount - order.refunded
    if order.status == State.CANCELLED:
        raise refused(f"{order.id} ({order.item}) was cancelled: nothing is left to refund", Reason.CANCELLED, order)
    if left == 0:
        raise refused(f"{order.id} ({order.item}) has been refunded in full", Reason.NOTHING_LEFT, order)
    if amount is None:
        return left
    if amount > left:
        raise refused(
            f"a refund of {amount} EUR for {order.id} ({order.item}) is more than the {left} EUR that are left",
            Reason.MORE_THAN_LEFT,
            order,
            amount=amount,
            limit=left,
        )
    if amount < CENT or amount != round(amount, 2):
        raise refused(f"{amount} EUR is not an amount that can be paid", Reason.NO_AMOUNT, order, amount=amount)
    return amount


def require_movable(order: Order) -> None:
    """Let an order be sent elsewhere only before it is on its way.

    Raises:
        ApplicationError: `RefusedByPolicy`.
    """
    if order.status != State.PROCESSING:
        raise refused(
            f"the address of {order.id} ({order.item}) can't be changed: the order is {order.status}",
            Reason.NOT_PROCESSING,
            order,
        )
