"""The catalogue: every workflow class that a worker runs."""

from typing import Final

from workflows.composition.workflow import Composite
from workflows.conversation.workflow import Conversation
from workflows.support.address_change import AddressChange
from workflows.support.customer_support import CustomerSupport
from workflows.support.order_status import OrderStatus
from workflows.support.password_reset import PasswordReset
from workflows.support.refund import Refund

WORKFLOWS: Final[tuple[type, ...]] = (
    Conversation,
    Composite,
    CustomerSupport,
    Refund,
    OrderStatus,
    PasswordReset,
    AddressChange,
)
