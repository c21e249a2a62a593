"""The shop's system of record, on SQLAlchemy."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from temporalio import activity

from activities.support import policy, refusals
from activities.support.engine import reading
from activities.support.ledger import once, reference
from activities.support.tables import AgentRow, CustomerRow, LetterRow, OrderRow, PolicyRow, ResetRow
from signals.support import (
    Account,
    AddressChanged,
    AddressChangeRequest,
    Agent,
    Customer,
    Notice,
    Order,
    OrderQuestion,
    PasswordResetRequest,
    PasswordResetSent,
    Receipt,
    RefundApproval,
    RefundRequest,
)
from workflows.support import stubs

RESET_LASTS: Final = timedelta(hours=1)
RESET_PAGE: Final = "https://shop.example.com/reset"
SHOWN_ORDERS: Final = 10
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class ShopBooks(stubs.Books):
    """The activities on the books; each call is one transaction.

    Args:
        engine: Where the books are (`books_engine`), prepared (`prepare`).
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @activity.defn(name="account")
    def account(self, customer: Customer) -> Account:
        """Look up a customer; the email address must be the one on record."""
        with reading(self._engine) as session:
            row = _customer(session, customer.id, customer.email)
            latest = (
                select(OrderRow).where(OrderRow.customer_id == row.id).order_by(OrderRow.placed.desc(), OrderRow.id)
            )
            orders = tuple(_order(order) for order in session.scalars(latest.limit(SHOWN_ORDERS)))
            return Account(customer_id=row.id, name=row.name, email=row.email, orders=orders)

    @activity.defn(name="agent_on_duty")
    def agent_on_duty(self) -> Agent:
        """Choose the agent on duty who has been left in peace the longest; a run keeps its agent."""

        def assign(session: Session, _: str) -> Agent:
            # All of them are locked: of two runs at once the second must see whom the first one took.
            on_duty = select(AgentRow).where(AgentRow.on_duty).order_by(AgentRow.id).with_for_update()
            rows = session.scalars(on_duty).all()
            if not rows:
                raise refusals.not_found("no agent is on duty")
            row = min(rows, key=lambda agent: (agent.last_assigned or _LONG_AGO, agent.id))
            row.last_assigned = datetime.now(UTC)
            return _agent(row)

        return once(self._engine, None, Agent, assign)

    @activity.defn(name="order")
    def order(self, question: OrderQuestion) -> Order:
        """Look up an order of a customer."""
        with reading(self._engine) as session:
            return _order(_order_of(session, question.order_id, question.customer_id))

    @activity.defn(name="approve_refund")
    def approve_refund(self, request: RefundRequest) -> RefundApproval:
        """Hold a refund to the shop's policy, or to the limit of the agent who approved it."""
        with reading(self._engine) as session:
            order = _order(_order_of(session, request.order_id, request.customer_id))
            rules = session.scalars(select(PolicyRow)).one()
            approver = None if request.approved_by is None else _agent_named(session, request.approved_by)
            return policy.approve(
                order,
                request.amount,
                policy.Rules(refund_limit=rules.refund_limit, refund_days=rules.refund_days),
                approver,
                datetime.now(UTC),
            )

    @activity.defn(name="book_refund")
    def book_refund(self, approval: RefundApproval) -> Receipt:
        """Pay a refund, once, and never more than is left of the order's amount."""

        def pay(session: Session, key: str) -> Receipt:
            row = session.get(OrderRow, approval.order_id, with_for_update=True)
            if row is None:
                raise refusals.not_found(f"there is no order {approval.order_id}")
            row.refunded += policy.payable(_order(row), approval.amount)
            return Receipt(
                reference=reference("R", key),
                order_id=row.id,
                amount=approval.amount,
                approved_by=approval.approved_by,
            )

        return once(self._engine, approval, Receipt, pay)

    @activity.defn(name="start_password_reset")
    def start_password_reset(self, request: PasswordResetRequest) -> PasswordResetSent:
        """Make a reset link and put it into the customer's mail, never into the answer."""

        def start(session: Session, key: str) -> PasswordResetSent:
            customer = _customer(session, request.customer_id, request.email)
            token, expires = secrets.token_urlsafe(32), datetime.now(UTC) + RESET_LASTS
            sent = PasswordResetSent(reference=reference("P", key), email=customer.email, expires=expires)
            # Only its hash stays in the books: the letter leaves them when the mail system takes it.
            hashed = hashlib.sha256(token.encode()).hexdigest()
            session.add(ResetRow(token_hash=hashed, customer_id=customer.id, expires=expires))
            text = (
                f"Dear {customer.name},\n\nchoose a new password at {RESET_PAGE}?token={token}\n"
                f"The link works until {expires:%d %B %Y, %H:%M} UTC."
            )
            _put_out(session, customer, sent.reference, "Choose a new password", text)
            return sent

        return once(self._engine, request, PasswordResetSent, start)

    @activity.defn(name="change_address")
    def change_address(self, request: AddressChangeRequest) -> AddressChanged:
        """Change where an order goes, as long as it has not been shipped."""

        def change(session: Session, key: str) -> AddressChanged:
            row = _order_of(session, request.order_id, request.customer_id, lock=True)
            policy.require_movable(_order(row))
            row.address = request.address
            return AddressChanged(reference=reference("D", key), order_id=row.id, address=row.address)

        return once(self._engine, request, AddressChanged, change)

    @activity.defn(name="send_notice")
    def send_notice(self, notice: Notice) -> str:
        """Put a letter to the address on record into the outbox, once; answers its reference."""

        def send(session: Session, key: str) -> str:
            customer = session.get(CustomerRow, notice.customer_id)
            if customer is None:
                raise refusals.not_found(f"there is no customer {notice.customer_id}")
            return _put_out(session, customer, reference("L", key), notice.subject, notice.text)

        return once(self._engine, notice, str, send)


def _customer(session: Session, customer_id: str, email: str) -> CustomerRow:
    row = session.get(CustomerRow, customer_id)
    # The same words for both, so that nobody finds out which customers there are.
    if row is None or row.email.casefold() != email.strip().casefold():
        raise refusals.not_found(f"there is no customer {customer_id} with this email address")
    return row


def _order_of(session: Session, order_id: str, customer_id: str, *, lock: bool = False) -> OrderRow:
    row = session.get(OrderRow, order_id, with_for_update=lock)
    # The same words for another's order as for none, so that nobody finds out which orders there are.
    if row is None or row.customer_id != customer_id:
        raise refusals.not_found(f"customer {customer_id} has no order {order_id}")
    return row


def _agent_named(session: Session, agent_id: str) -> Agent:
    row = session.get(AgentRow, agent_id)
    if row is None:
        raise refusals.not_found(f"{agent_id} is no agent of this shop")
    return _agent(row)


def _put_out(session: Session, customer: CustomerRow, letter: str, subject: str, text: str) -> str:
    session.add(
        LetterRow(
            reference=letter,
            customer_id=customer.id,
            email=customer.email,
            subject=subject,
            text=text,
            at=datetime.now(UTC),
        )
    )
    return letter


def _order(row: OrderRow) -> Order:
    return Order(
        id=row.id,
        customer_id=row.customer_id,
        item=row.item,
        amount=row.amount,
        refunded=row.refunded,
        status=row.status.value,
        placed=row.placed,
        delivered=row.delivered,
        address=row.address,
        tracking=row.tracking,
    )


def _agent(row: AgentRow) -> Agent:
    return Agent(id=row.id, name=row.name, refund_limit=row.refund_limit)
