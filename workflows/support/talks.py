"""How support's conversations are set up: who takes part, what is known, how they end. Pure."""

from pydantic import JsonValue

from signals.names import WorkflowType
from signals.participants import Kind, Participant, Permission
from signals.support import Account, Agent, Classification, Order, SupportRequest
from workflows.conversation.bounds import Constraints
from workflows.conversation.coordination import FreeForm
from workflows.conversation.emergence import Decision
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import StepError
from workflows.support.fragments import AGENT, ASSISTANT, CUSTOMER

GUIDANCE = "support"
"""The prompt file that holds the shop's policy for the assistant."""


def refused(
    request: SupportRequest, account: Account, classification: Classification, agent: Agent, error: StepError
) -> ConversationSetup:
    """Talk about a known issue that its workflow could not solve."""
    facts = {"issue": classification.issue.value, "why the workflow stopped": error.message, **error.details}
    return _setup(f"{_about(classification)}: {error.message}", request, account, agent, facts)


def unknown(
    request: SupportRequest, account: Account, classification: Classification, agent: Agent
) -> ConversationSetup:
    """Talk about something that no workflow is made for."""
    return _setup(f"Request of {account.name}: {request.text}", request, account, agent, {})


def _setup(
    topic: str, request: SupportRequest, account: Account, agent: Agent, facts: dict[str, JsonValue]
) -> ConversationSetup:
    return ConversationSetup(
        topic=topic[:500],
        participants=(
            Participant(id=account.customer_id, kind=Kind.HUMAN, role=CUSTOMER, name=account.name),
            Participant(
                id=agent.id,
                kind=Kind.HUMAN,
                role=AGENT,
                name=agent.name,
                can=(Permission.SPEAK, Permission.DECIDE, Permission.MODERATE, Permission.INVOKE),
            ),
            Participant(id="assistant", kind=Kind.AI, role=ASSISTANT, name="Assistant"),
        ),
        # People answer when they can, in any order; the assistant answers whoever speaks.
        coordination=FreeForm(),
        emergence=(Decision(roles=(AGENT,)),),
        # What is shown now may have changed since; what is done about it, the decision says.
        fragments=(WorkflowType.ORDER_STATUS,),
        facts={
            "customer_id": account.customer_id,
            "what the customer wrote": request.text[:2000],
            **{f"order {order.id}": _order(order) for order in account.orders[:5]},
            **facts,
        },
        guidance=GUIDANCE,
        guests=None,
        constraints=Constraints(timeout_seconds=DAYS_OPEN * 86_400),
    )


DAYS_OPEN = 3
"""How many days a support conversation may take."""


def _about(classification: Classification) -> str:
    return classification.issue.value.replace("_", " ").capitalize()


def _order(order: Order) -> str:
    refunded = f", {order.refunded} EUR paid back" if order.refunded else ""
    delivered = f" on {order.delivered:%Y-%m-%d}" if order.delivered else ""
    return f"{order.item}, {order.amount} EUR{refunded}, {order.status}{delivered}"
