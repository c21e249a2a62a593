"""What the activities on the books answer, and what they leave in the books."""

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, select, update

from activities.support.books import ShopBooks
from activities.support.engine import reading, writing
from activities.support.tables import AgentRow, LedgerRow, LetterRow, OrderRow, ResetRow
from signals.support import (
    AddressChangeRequest,
    Customer,
    Notice,
    OrderQuestion,
    PasswordResetRequest,
    RefundApproval,
    RefundRequest,
)
from tests.unit.support.calling import call, refusal

ALICE = Customer(id="C-1", name="Alice", email="alice@example.com")


def approval(order_id: str, amount: str) -> RefundApproval:
    return RefundApproval(order_id=order_id, amount=Decimal(amount), approved_by="policy")


def row(engine: Engine, order_id: str) -> OrderRow:
    with reading(engine) as session:
        return session.get_one(OrderRow, order_id)


def letters(engine: Engine) -> list[LetterRow]:
    with reading(engine) as session:
        return list(session.scalars(select(LetterRow)))


def test_an_account_shows_the_latest_orders_first(books: ShopBooks) -> None:
    account = call("r", books.account, ALICE)
    assert account.name == "Alice Martin"
    assert [order.id for order in account.orders] == ["A-1001", "A-1002"]


def test_an_account_shows_at_most_ten_orders(engine: Engine, books: ShopBooks) -> None:
    with writing(engine) as session, session.begin():
        session.execute(update(OrderRow).values(customer_id="C-1"))
    assert len(call("r", books.account, ALICE).orders) == 10


def test_an_email_address_is_the_same_in_any_case(books: ShopBooks) -> None:
    customer = ALICE.model_copy(update={"email": "Alice@Example.COM"})
    assert call("r", books.account, customer).email == "alice@example.com"


def test_a_wrong_email_address_and_an_unknown_customer_are_told_in_the_same_words(books: ShopBooks) -> None:
    wrong = refusal("r", books.account, ALICE.model_copy(update={"email": "ben@example.com"}))
    unknown = refusal("r", books.account, ALICE.model_copy(update={"id": "C-99"}))
    assert wrong.type == unknown.type == "NotFound"
    assert wrong.message.replace("C-1", "C-99") == unknown.message


def test_an_order_is_given_with_exact_money_and_times_in_utc(books: ShopBooks) -> None:
    order = call("r", books.order, OrderQuestion(order_id="A-1002", customer_id="C-1"))
    assert (str(order.amount), str(order.refunded)) == ("180.00", "0.00")
    assert order.delivered is not None
    assert order.delivered.tzinfo is UTC
    assert timedelta(days=5) <= datetime.now(UTC) - order.delivered < timedelta(days=5, minutes=5)


def test_somebody_elses_order_and_a_missing_one_are_told_in_the_same_words(books: ShopBooks) -> None:
    others = refusal("r", books.order, OrderQuestion(order_id="A-1003", customer_id="C-1"))
    missing = refusal("r", books.order, OrderQuestion(order_id="A-9999", customer_id="C-1"))
    assert others.type == missing.type == "NotFound"
    assert others.message.replace("A-1003", "A-9999") == missing.message


def test_a_small_refund_is_approved_by_policy(books: ShopBooks) -> None:
    approved = call("r", books.approve_refund, RefundRequest(order_id="A-1004", customer_id="C-2"))
    assert (str(approved.amount), approved.approved_by) == ("35.00", "policy")


@pytest.mark.parametrize(
    ("order_id", "customer_id", "reason"), [("A-1002", "C-1", "over_limit"), ("A-1005", "C-3", "too_late")]
)
def test_a_refund_against_policy_is_refused(books: ShopBooks, order_id: str, customer_id: str, reason: str) -> None:
    error = refusal("r", books.approve_refund, RefundRequest(order_id=order_id, customer_id=customer_id))
    assert error.type == "RefusedByPolicy"
    assert error.details[0]["reason"] == reason


def test_an_agent_on_the_books_can_approve_what_policy_refuses(books: ShopBooks) -> None:
    request = RefundRequest(order_id="A-1002", customer_id="C-1", approved_by="tom")
    assert call("r", books.approve_refund, request).approved_by == "tom"


def test_an_approval_by_somebody_who_is_no_agent_is_worth_nothing(books: ShopBooks) -> None:
    request = RefundRequest(order_id="A-1002", customer_id="C-1", approved_by="alice")
    assert refusal("r", books.approve_refund, request).type == "NotFound"


def test_nobody_gets_a_refund_for_somebody_elses_order(books: ShopBooks) -> None:
    request = RefundRequest(order_id="A-1002", customer_id="C-2", approved_by="maria")
    assert refusal("r", books.approve_refund, request).type == "NotFound"


def test_the_rules_are_those_in_the_books(engine: Engine, books: ShopBooks) -> None:
    with writing(engine) as session, session.begin():
        session.connection().exec_driver_sql("UPDATE policies SET refund_days = 90")
    request = RefundRequest(order_id="A-1005", customer_id="C-3")
    assert call("r", books.approve_refund, request).approved_by == "policy"


def test_a_booked_refund_is_in_the_books_and_has_a_reference(engine: Engine, books: ShopBooks) -> None:
    receipt = call("r", books.book_refund, approval("A-1004", "20.10"))
    assert re.fullmatch(r"R-[0-9a-f]{8}", receipt.reference)
    assert row(engine, "A-1004").refunded == Decimal("20.10")


def test_a_second_refund_pays_only_what_is_left(engine: Engine, books: ShopBooks) -> None:
    call("r-1", books.book_refund, approval("A-1004", "20.00"))
    error = refusal("r-2", books.book_refund, approval("A-1004", "20.00"))
    assert error.details[0]["reason"] == "more_than_left"
    assert row(engine, "A-1004").refunded == Decimal("20.00")


def test_a_refund_for_an_order_that_is_not_there_is_not_found(books: ShopBooks) -> None:
    assert refusal("r", books.book_refund, approval("A-9999", "20.00")).type == "NotFound"


def test_agents_take_turns(books: ShopBooks) -> None:
    chosen = [call(f"r-{number}", books.agent_on_duty).id for number in range(4)]
    assert chosen == ["bob", "maria", "tom", "bob"]


def test_a_run_keeps_its_agent(books: ShopBooks) -> None:
    assert {call("r", books.agent_on_duty).id for _ in range(3)} == {"bob"}


def test_who_is_off_duty_is_left_in_peace(engine: Engine, books: ShopBooks) -> None:
    with writing(engine) as session, session.begin():
        session.execute(update(AgentRow).where(AgentRow.id == "bob").values(on_duty=False))
    assert call("r", books.agent_on_duty).id == "maria"


def test_nobody_on_duty_is_told(engine: Engine, books: ShopBooks) -> None:
    with writing(engine) as session, session.begin():
        session.execute(update(AgentRow).values(on_duty=False))
    assert refusal("r", books.agent_on_duty).type == "NotFound"


def test_a_reset_link_goes_by_letter_and_its_token_is_nowhere_else(engine: Engine, books: ShopBooks) -> None:
    sent = call("r", books.start_password_reset, PasswordResetRequest(customer_id="C-1", email="ALICE@example.com"))
    (letter,) = letters(engine)
    assert (letter.email, letter.reference) == ("alice@example.com", sent.reference)
    token = re.search(r"token=(\S+)", letter.text)
    assert token is not None
    with reading(engine) as session:
        reset = session.scalars(select(ResetRow)).one()
        entry = session.scalars(select(LedgerRow)).one()
    assert reset.token_hash == hashlib.sha256(token[1].encode()).hexdigest()
    assert token[1] not in sent.model_dump_json() + json.dumps([entry.request, entry.answer])


def test_a_reset_link_works_for_an_hour(books: ShopBooks) -> None:
    sent = call("r", books.start_password_reset, PasswordResetRequest(customer_id="C-1", email="alice@example.com"))
    assert timedelta(minutes=59) < sent.expires - datetime.now(UTC) <= timedelta(hours=1)


def test_no_link_is_sent_for_an_email_address_that_is_not_on_record(engine: Engine, books: ShopBooks) -> None:
    request = PasswordResetRequest(customer_id="C-1", email="mallory@example.com")
    assert refusal("r", books.start_password_reset, request).type == "NotFound"
    assert letters(engine) == []


def test_an_order_in_preparation_goes_to_its_new_address(engine: Engine, books: ShopBooks) -> None:
    request = AddressChangeRequest(order_id="A-1003", customer_id="C-2", address="12 Oak Street, Springfield")
    changed = call("r", books.change_address, request)
    assert changed.address == row(engine, "A-1003").address == "12 Oak Street, Springfield"


def test_an_order_on_its_way_keeps_its_address(engine: Engine, books: ShopBooks) -> None:
    request = AddressChangeRequest(order_id="A-1001", customer_id="C-1", address="12 Oak Street, Springfield")
    assert refusal("r", books.change_address, request).type == "RefusedByPolicy"
    assert row(engine, "A-1001").address == "14 Garden Row, Leeds"


def test_nobody_moves_somebody_elses_order(books: ShopBooks) -> None:
    request = AddressChangeRequest(order_id="A-1003", customer_id="C-1", address="12 Oak Street, Springfield")
    assert refusal("r", books.change_address, request).type == "NotFound"


def test_a_notice_goes_to_the_address_on_record(engine: Engine, books: ShopBooks) -> None:
    reference = call("r", books.send_notice, Notice(customer_id="C-1", subject="Hello", text="It is paid."))
    (letter,) = letters(engine)
    assert (letter.reference, letter.email, letter.text) == (reference, "alice@example.com", "It is paid.")


def test_a_notice_to_nobody_is_not_found(books: ShopBooks) -> None:
    notice = Notice(customer_id="C-99", subject="Hello", text="It is paid.")
    assert refusal("r", books.send_notice, notice).type == "NotFound"


def test_a_text_that_the_database_cannot_hold_is_invalid_input(engine: Engine, books: ShopBooks) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite holds any text")
    notice = Notice(customer_id="C-1", subject="Hello", text="zero \x00 byte")
    assert refusal("r", books.send_notice, notice).type == "InvalidInput"
