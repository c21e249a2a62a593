"""The activities that support's workflows call, as they see them; `activities/` has what they do."""

from abc import ABC, abstractmethod

from temporalio import activity

from signals.support import (
    Account,
    AddressChanged,
    AddressChangeRequest,
    Agent,
    Classification,
    Customer,
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


class Classifier(ABC):
    """Tells what a request is about."""

    @activity.defn(name="classify")
    @abstractmethod
    async def classify(self, request: SupportRequest) -> Classification:
        """Give the issue, how sure that is, and the order and address that the request names."""


class Books(ABC):
    """The shop's system of record.

    Every write is entered in a ledger under a key made of the workflow's id, the activity and the request,
    in the transaction that makes it: a second try finds the entry and answers what the first one did.

    All of them raise `ApplicationError`, not retryable: `NotFound` for what isn't in the books,
    `RefusedByPolicy` (its details: a dict of the facts) for what the shop's policy doesn't allow.
    """

    @activity.defn(name="account")
    @abstractmethod
    def account(self, customer: Customer) -> Account:
        """Look up a customer; the email address must be the one on record."""

    @activity.defn(name="agent_on_duty")
    @abstractmethod
    def agent_on_duty(self) -> Agent:
        """Choose the agent who takes the next conversation."""

    @activity.defn(name="order")
    @abstractmethod
    def order(self, question: OrderQuestion) -> Order:
        """Look up an order of a customer."""

    @activity.defn(name="approve_refund")
    @abstractmethod
    def approve_refund(self, request: RefundRequest) -> RefundApproval:
        """Hold a refund to the shop's policy, or to the limit of the agent who approved it."""

    @activity.defn(name="book_refund")
    @abstractmethod
    def book_refund(self, approval: RefundApproval) -> Receipt:
        """Pay a refund, once."""

    @activity.defn(name="start_password_reset")
    @abstractmethod
    def start_password_reset(self, request: PasswordResetRequest) -> PasswordResetSent:
        """Make a reset link and put it into the customer's mail, never into the answer."""

    @activity.defn(name="change_address")
    @abstractmethod
    def change_address(self, request: AddressChangeRequest) -> AddressChanged:
        """Change where an order goes, as long as it has not been shipped."""

    @activity.defn(name="send_notice")
    @abstractmethod
    def send_notice(self, notice: Notice) -> str:
        """Put a letter into the outbox, once; answers its reference."""
