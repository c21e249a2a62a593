"""A small shop for tests of customer support: activities that keep everything in memory."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from temporalio import activity
from temporalio.exceptions import ApplicationError

from signals.assistant import Reply, ReplyRequest
from signals.support import (
    Account,
    AddressChanged,
    AddressChangeRequest,
    Agent,
    Classification,
    Customer,
    Issue,
    Notice,
    Order,
    OrderQuestion,
    PasswordResetRequest,
    PasswordResetSent,
    Receipt,
    RefundApproval,
    RefundRequest,
    SupportRequest,
)
from workflows.conversation.stubs import Assistant
from workflows.support.errors import SupportError
from workflows.support.stubs import Books, Classifier

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
POLICY_LIMIT = Decimal(100)
AGENT = Agent(id="bob", name="Bob", refund_limit=Decimal(500))
PRICES = {"A-1001": Decimal(50), "A-1002": Decimal(180), "A-1003": Decimal(900)}


class FirstWord(Classifier):
    """Takes a request's first word for what it is about."""

    @activity.defn(name="classify")
    async def classify(self, request: SupportRequest) -> Classification:
        """Be sure of words that are known."""
        word = request.text.split()[0].lower()
        known = {"refund": Issue.REFUND, "where": Issue.ORDER_STATUS, "password": Issue.PASSWORD_RESET}
        order = re.search(r"A-\d+", request.text)
        return Classification(
            issue=known.get(word, Issue.OTHER),
            confidence=0.9 if word in known else 0.2,
            order_id=order.group() if order else None,
        )


class Ledger(Books):
    """The shop's books; they have three orders of one customer."""

    @activity.defn(name="account")
    def account(self, customer: Customer) -> Account:
        """Know one customer."""
        if customer.id != "C-1":
            raise _refused(f"no customer {customer.id}", SupportError.NOT_FOUND)
        orders = tuple(_order(name) for name in PRICES)
        return Account(customer_id="C-1", name="Alice", email="alice@example.com", orders=orders)

    @activity.defn(name="agent_on_duty")
    def agent_on_duty(self) -> Agent:
        """Always send the same one."""
        return AGENT

    @activity.defn(name="order")
    def order(self, question: OrderQuestion) -> Order:
        """Know three orders."""
        if question.order_id not in PRICES:
            raise _refused(f"no order {question.order_id}", SupportError.NOT_FOUND)
        return _order(question.order_id)

    @activity.defn(name="approve_refund")
    def approve_refund(self, request: RefundRequest) -> RefundApproval:
        """Allow a little, and more if the agent approved it."""
        amount = request.amount or PRICES[request.order_id]
        by_agent = request.approved_by == AGENT.id
        limit = AGENT.refund_limit if by_agent else POLICY_LIMIT
        if amount > limit:
            raise _refused(f"{amount} EUR is more than {limit} EUR", SupportError.REFUSED_BY_POLICY, limit=str(limit))
        by = AGENT.id if by_agent else "policy"
        return RefundApproval(order_id=request.order_id, amount=amount, approved_by=by)

    @activity.defn(name="book_refund")
    def book_refund(self, approval: RefundApproval) -> Receipt:
        """Pay."""
        return Receipt(
            reference="R-1", order_id=approval.order_id, amount=approval.amount, approved_by=approval.approved_by
        )

    @activity.defn(name="start_password_reset")
    def start_password_reset(self, request: PasswordResetRequest) -> PasswordResetSent:
        """Send a link."""
        return PasswordResetSent(reference="P-1", email=request.email, expires=NOW)

    @activity.defn(name="change_address")
    def change_address(self, request: AddressChangeRequest) -> AddressChanged:
        """Change it."""
        return AddressChanged(reference="D-1", order_id=request.order_id, address=request.address)

    @activity.defn(name="send_notice")
    def send_notice(self, notice: Notice) -> str:
        """Write a letter."""
        return "N-1"


class Listener(Assistant):
    """Says that it listens."""

    @activity.defn(name="reply")
    async def reply(self, request: ReplyRequest) -> Reply:
        """Answer the last message."""
        return Reply(text=f"I see, {request.messages[-1].speaker}.", model="test")


def _order(name: str) -> Order:
    return Order(
        id=name,
        customer_id="C-1",
        item="Lamp",
        amount=PRICES[name],
        refunded=Decimal(0),
        status="shipped",
        placed=NOW,
        address="1 High Street",
        tracking="T-1",
    )


def _refused(reason: str, kind: SupportError, **facts: str) -> ApplicationError:
    return ApplicationError(reason, facts, type=kind, non_retryable=True)


def activities() -> list[Callable[..., object]]:
    """What a worker registers."""
    classifier, books, assistant = FirstWord(), Ledger(), Listener()
    return [
        classifier.classify,
        assistant.reply,
        books.account,
        books.agent_on_duty,
        books.order,
        books.approve_refund,
        books.book_refund,
        books.start_password_reset,
        books.change_address,
        books.send_notice,
    ]
