"""The known issues: which workflow handles a decision, with what, and how its result is said. Pure."""

from dataclasses import dataclass

from signals.adaptive import SelectionRequest, Traits
from signals.names import WorkflowType
from signals.settings import Settings
from signals.support import (
    Account,
    Action,
    AddressChanged,
    AddressChangeRequest,
    Classification,
    Decision,
    Issue,
    OrderAnswer,
    OrderQuestion,
    PasswordResetRequest,
    PasswordResetSent,
    Receipt,
    RefundRequest,
    SupportRequest,
)
from signals.wire import Wire

IssueResult = Receipt | OrderAnswer | PasswordResetSent | AddressChanged


@dataclass(frozen=True)
class KnownIssue:
    """A workflow to run."""

    workflow: WorkflowType
    request: Wire
    result: type[IssueResult]


def decided_by(request: SupportRequest, classification: Classification) -> Decision:
    """What a workflow would do about a request."""
    return Decision(
        action=Action(classification.issue),
        order_id=request.order_id or classification.order_id,
        address=classification.address,
    )


def asked(request: SupportRequest, classification: Classification, settings: Settings) -> SelectionRequest:
    """What the selector goes by: a known issue that says all that its workflow needs has clear steps."""
    known = classification.issue is not Issue.OTHER
    clear = known and missing(decided_by(request, classification)) is None
    return SelectionRequest(
        goal=request.text,
        traits=Traits(
            deterministic=clear,
            clear_steps=clear,
            dynamic_participants=False,
            emergent=not clear,
            structured_phases=known,
            flexible=not known,
        ),
        confidence=classification.confidence,
        workflow=clear,
        people=True,
        settings=settings,
    )


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
