"""Customer support: what goes in, what comes out, and what its activities exchange."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field, JsonValue

from signals.run import ConversationRecord, Transition
from signals.wire import Identifier, Text, Wire

Money = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)]
"""An amount in the shop's currency (EUR)."""

OrderId = Annotated[str, Field(pattern=r"^[A-Z]{1,4}-\d{3,10}$")]
"""Such as `A-1001`."""


class Issue(StrEnum):
    """What a request can be about; all but `OTHER` have a workflow."""

    REFUND = "refund"
    ORDER_STATUS = "order_status"
    PASSWORD_RESET = "password_reset"
    ADDRESS_CHANGE = "address_change"
    OTHER = "other"


class Customer(Wire):
    """Who asks."""

    id: Identifier
    name: str = Field(min_length=1, max_length=200)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)


class SupportRequest(Wire):
    """The input of `CustomerSupport`.

    Example:
        `{"customer": {"id": "C-1", "name": "Alice", "email": "alice@example.com"}, "text": "Where is A-1001?"}`
    """

    customer: Customer
    text: Text
    order_id: OrderId | None = None


class Classification(Wire):
    """What a request is about, and how sure that is."""

    issue: Issue
    confidence: float = Field(ge=0, le=1)
    order_id: OrderId | None = None
    """The order that the request names."""

    address: str | None = None
    """The delivery address that the request asks for."""


class Order(Wire):
    """An order, as the shop's books have it."""

    id: OrderId
    customer_id: str
    item: str
    amount: Decimal
    refunded: Decimal
    status: str
    """`processing`, `shipped`, `delivered` or `cancelled`."""

    placed: datetime
    delivered: datetime | None = None
    address: str
    tracking: str | None = None


class Account(Wire):
    """A customer, as the shop's books have them."""

    customer_id: str
    name: str
    email: str
    orders: tuple[Order, ...]
    """The latest first, at most ten."""


class Agent(Wire):
    """A support agent."""

    id: Identifier
    name: str
    refund_limit: Decimal
    """The largest refund that the agent may approve."""


class Action(StrEnum):
    """What can be done about a request."""

    REFUND = "refund"
    ORDER_STATUS = "order_status"
    PASSWORD_RESET = "password_reset"
    ADDRESS_CHANGE = "address_change"
    NONE = "none"
    """Nothing more: an answer was given, or nothing can be done."""


class Decision(Wire):
    """What is to be done: the typed outcome of a support conversation.

    Example:
        `{"action": "refund", "order_id": "A-1002", "amount": "180.00", "note": "arrived broken"}`
    """

    action: Action
    order_id: OrderId | None = None
    amount: Money | None = None
    """How much to refund; all that is left of the order's amount where there is none."""

    address: str | None = Field(default=None, min_length=5, max_length=300)
    solved: bool = True
    """With the action `none`: whether the customer was helped all the same."""

    note: str = Field(default="", max_length=2000)


class RefundRequest(Wire):
    """The input of `Refund`."""

    order_id: OrderId
    customer_id: Identifier
    amount: Money | None = None
    reason: str = Field(default="", max_length=2000)
    approved_by: Identifier | None = None
    """An agent who approved it; the shop's books say up to which amount they may."""


class RefundApproval(Wire):
    """A refund that policy allows."""

    order_id: OrderId
    amount: Decimal
    approved_by: str
    """An agent's id, or `policy`."""


class Receipt(Wire):
    """A refund that is booked."""

    reference: str
    order_id: OrderId
    amount: Decimal
    approved_by: str


class OrderQuestion(Wire):
    """The input of `OrderStatus`."""

    order_id: OrderId
    customer_id: Identifier


class OrderAnswer(Wire):
    """Where an order is."""

    order: Order
    text: str


class PasswordResetRequest(Wire):
    """The input of `PasswordReset`."""

    customer_id: Identifier
    email: str = Field(max_length=254)


class PasswordResetSent(Wire):
    """A reset link is on its way; the link itself is in no history."""

    reference: str
    email: str
    expires: datetime


class AddressChangeRequest(Wire):
    """The input of `AddressChange`."""

    order_id: OrderId
    customer_id: Identifier
    address: str = Field(min_length=5, max_length=300)


class AddressChanged(Wire):
    """A delivery address that was changed."""

    reference: str
    order_id: OrderId
    address: str


class Notice(Wire):
    """A letter to a customer, at the address on record."""

    customer_id: str
    subject: str = Field(max_length=200)
    text: str


class Handled(Wire):
    """What was done."""

    action: Action
    solved: bool
    """Whether the customer was helped."""

    text: str
    """What was done, said to the customer."""

    details: dict[str, JsonValue] = Field(default={})
    """The result of the known issue's workflow, where one was run."""


class ResolutionStatus(StrEnum):
    """How a request ended."""

    RESOLVED = "resolved"
    UNRESOLVED = "unresolved"


class SolvedBy(StrEnum):
    """What solved a request."""

    WORKFLOW = "workflow"
    CONVERSATION = "conversation"
    HYBRID = "hybrid"
    """A workflow that broke out into a conversation and came back."""


class Resolution(Wire):
    """The result of `CustomerSupport`."""

    status: ResolutionStatus
    mode: SolvedBy
    issue: Issue
    confidence: float
    reasons: tuple[str, ...]
    """Why it was gone about by workflow, or by conversation."""

    result: Handled
    conversations: tuple[ConversationRecord, ...]
    transitions: tuple[Transition, ...]
