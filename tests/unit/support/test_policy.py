"""The shop's rules."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError

from activities.support.policy import Rules, approve, payable, require_movable
from activities.support.refusals import Reason, Refusal
from activities.support.tables import State
from signals.support import Agent, Order

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = Rules(refund_limit=Decimal("100.00"), refund_days=30)
TOM = Agent(id="tom", name="Tom Reed", refund_limit=Decimal("200.00"))


def order(
    amount: str = "80.00", refunded: str = "0.00", status: State = State.DELIVERED, delivered_days_ago: int | None = 5
) -> Order:
    delivered = None if delivered_days_ago is None else NOW - timedelta(days=delivered_days_ago)
    return Order(
        id="A-1001",
        customer_id="C-1",
        item="lamp",
        amount=Decimal(amount),
        refunded=Decimal(refunded),
        status=status.value,
        placed=NOW - timedelta(days=90),
        delivered=delivered,
        address="14 Garden Row, Leeds",
    )


def refusal(order: Order, amount: str | None = None, approver: Agent | None = None) -> tuple[Refusal, ApplicationError]:
    with pytest.raises(ApplicationError) as raised:
        approve(order, None if amount is None else Decimal(amount), RULES, approver, NOW)
    assert raised.value.type == "RefusedByPolicy"
    assert raised.value.non_retryable
    return Refusal.model_validate(raised.value.details[0]), raised.value


def test_a_refund_up_to_the_limit_needs_no_approval() -> None:
    approval = approve(order("100.00"), None, RULES, None, NOW)
    assert (approval.amount, approval.approved_by) == (Decimal("100.00"), "policy")


def test_a_refund_over_the_limit_is_refused_in_one_line_with_the_facts() -> None:
    facts, error = refusal(order("180.00"))
    assert facts.reason is Reason.OVER_LIMIT
    assert (
        error.message
        == "a refund of 180.00 EUR for A-1001 (lamp) needs approval: only up to 100.00 EUR go back without"
    )
    assert error.details[0] == {
        "reason": "over_limit",
        "order_id": "A-1001",
        "item": "lamp",
        "status": "delivered",
        "amount": "180.00",
        "limit": "100.00",
    }


def test_part_of_a_dear_order_needs_no_approval() -> None:
    assert approve(order("180.00"), Decimal("40.00"), RULES, None, NOW).amount == Decimal("40.00")


def test_a_refund_on_the_last_day_needs_no_approval() -> None:
    assert approve(order(delivered_days_ago=30), None, RULES, None, NOW).approved_by == "policy"


def test_a_refund_after_the_last_day_is_refused() -> None:
    facts, error = refusal(order(delivered_days_ago=31))
    assert facts.reason is Reason.TOO_LATE
    assert "31 days ago" in error.message


def test_what_was_not_delivered_yet_is_never_too_late() -> None:
    approval = approve(order(status=State.SHIPPED, delivered_days_ago=None), None, RULES, None, NOW)
    assert approval.approved_by == "policy"


def test_an_agent_may_approve_what_is_over_the_limit_and_too_late() -> None:
    approval = approve(order("180.00", delivered_days_ago=60), None, RULES, TOM, NOW)
    assert (approval.amount, approval.approved_by) == (Decimal("180.00"), "tom")


def test_an_agent_may_not_approve_more_than_their_own_limit() -> None:
    facts, _ = refusal(order("200.01"), approver=TOM)
    assert (facts.reason, facts.limit) == (Reason.OVER_AGENT_LIMIT, Decimal("200.00"))


def test_without_an_amount_all_that_is_left_is_refunded() -> None:
    assert approve(order("80.00", refunded="30.00"), None, RULES, None, NOW).amount == Decimal("50.00")


@pytest.mark.parametrize(
    ("order", "amount", "reason"),
    [
        (order(status=State.CANCELLED), None, Reason.CANCELLED),
        (order(refunded="80.00"), None, Reason.NOTHING_LEFT),
        (order(refunded="30.00"), "50.01", Reason.MORE_THAN_LEFT),
        (order(), "0", Reason.NO_AMOUNT),
        (order(), "-5", Reason.NO_AMOUNT),
        (order(), "0.005", Reason.NO_AMOUNT),
        (order(), "9.999", Reason.NO_AMOUNT),
    ],
)
@pytest.mark.parametrize("approver", [None, TOM])
def test_nobody_may_approve_what_cannot_be_paid(
    order: Order, amount: str | None, reason: Reason, approver: Agent | None
) -> None:
    facts, _ = refusal(order, amount, approver)
    assert facts.reason is reason


def test_all_that_is_left_can_be_paid() -> None:
    assert payable(order(refunded="30.00"), Decimal("50.00")) == Decimal("50.00")


def test_an_order_in_preparation_can_go_elsewhere() -> None:
    require_movable(order(status=State.PROCESSING))


@pytest.mark.parametrize("status", [State.SHIPPED, State.DELIVERED, State.CANCELLED])
def test_an_order_on_its_way_or_done_can_not_go_elsewhere(status: State) -> None:
    with pytest.raises(ApplicationError, match=f"the order is {status}") as raised:
        require_movable(order(status=status))
    assert raised.value.details[0]["reason"] == "not_processing"
