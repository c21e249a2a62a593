"""The known issues: which workflow handles a decision, with what, and how its result is said. Pure."""

from dataclasses import dataclass

from signals.names import WorkflowType
from signals.support import (
    Account,
    Action,
    AddressChanged,
    AddressChangeRequest,
    Decision,
    OrderAnswer,
    OrderQuestion,
    PasswordResetRequest,
    PasswordResetSent,
    Receipt,
    RefundRequest,
)
from signals.wire import Wire

IssueResult = Receipt | OrderAnswer | PasswordResetSent | AddressChanged


@dataclass(frozen=True)
class KnownIssue:
    """A workflow to run."""

    workflow: WorkflowType
    request: Wire
    result: type[IssueResult]


def missing(decision: Decision) -> str | None:
    """Say what a decision lacks to be carried out; nothing if it lacks nothing."""
    about_an_order = (Action.REFUND, Action.ORDER_STATUS, Action.ADDRESS_CHANGE)
    if decision.action in about_an_order and decision.order_id is None:
        return "which order it is about"
    if decision.action is Action.ADDRESS_CHANGE and decision.address is None:
        return "the new address"
    return None


def known_issue(decision: Decision, account: Account, approved_by: str | None) -> KnownIssue | None:
    """Find the workflow that carries a decision out; none where nothing is to be done.

    Args:
        decision: What is to be done; it lacks nothing.
        account: For whom.
        approved_by: Who decided it in a conversation. The shop's books say what they may approve.
    """
    customer, order = account.customer_id, decision.order_id or ""
    match decision.action:
        case Action.REFUND:
            refund = RefundRequest(
                order_id=order,
                customer_id=customer,
                amount=decision.amount,
                reason=decision.note,
                approved_by=approved_by,
            )
            return KnownIssue(WorkflowType.REFUND, refund, Receipt)
        case Action.ORDER_STATUS:
            question = OrderQuestion(order_id=order, customer_id=customer)
            return KnownIssue(WorkflowType.ORDER_STATUS, question, OrderAnswer)
        case Action.PASSWORD_RESET:
            reset = PasswordResetRequest(customer_id=customer, email=account.email)
            return KnownIssue(WorkflowType.PASSWORD_RESET, reset, PasswordResetSent)
        case Action.ADDRESS_CHANGE:
            change = AddressChangeRequest(order_id=order, customer_id=customer, address=decision.address or "")
            return KnownIssue(WorkflowType.ADDRESS_CHANGE, change, AddressChanged)
        case Action.NONE:
            return None


def said(result: IssueResult) -> str:
    """Say a result to the customer."""
    match result:
        case Receipt():
            return f"{result.amount} EUR were paid back for {result.order_id} ({result.reference})."
        case OrderAnswer():
            return result.text
        case PasswordResetSent():
            return f"A link to choose a new password was sent to {result.email}."
        case AddressChanged():
            return f"{result.order_id} goes to {result.address}."
