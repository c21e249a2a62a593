"""Making and filling the books."""

import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import ArgumentError, IntegrityError

from activities.support.engine import books_engine, reading, writing
from activities.support.seed import prepare
from activities.support.tables import AgentRow, CustomerRow, LedgerRow, OrderRow, PolicyRow, State

ROOT = Path(__file__).parents[3]
TIME_LIMIT = 60


def start(url: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "activities.support.seed", url]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def orders(engine: Engine) -> list[OrderRow]:
    with reading(engine) as session:
        return list(session.scalars(select(OrderRow).order_by(OrderRow.id)))


def test_empty_books_are_filled_once(url: str) -> None:
    engine = books_engine(url)
    assert prepare(engine)
    assert not prepare(engine)
    assert len(orders(engine)) == 30
    engine.dispose()


def test_books_in_use_are_left_as_they_are(engine: Engine) -> None:
    with writing(engine) as session, session.begin():
        session.get_one(OrderRow, "A-1001").refunded = Decimal("1.00")
    prepare(engine)
    assert orders(engine)[0].refunded == Decimal("1.00")


def test_a_table_that_is_missing_is_added_to_books_in_use(engine: Engine) -> None:
    with writing(engine) as session, session.begin():
        session.execute(text("DROP TABLE ledger"))
    prepare(engine)
    with reading(engine) as session:
        assert session.scalars(select(LedgerRow)).all() == []


def test_processes_that_start_at_once_fill_the_books_once(url: str) -> None:
    processes = [start(url) for _ in range(3)]
    ends = [process.communicate(timeout=TIME_LIMIT) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], ends
    assert sorted("already filled" in said for said, _ in ends) == [False, True, True]
    engine = books_engine(url)
    assert len(orders(engine)) == 30
    engine.dispose()


def test_the_books_have_people_orders_and_rules(engine: Engine) -> None:
    with reading(engine) as session:
        assert session.scalars(select(func.count()).select_from(CustomerRow)).one() == 12
        limits = {agent.id: agent.refund_limit for agent in session.scalars(select(AgentRow))}
        rules = session.scalars(select(PolicyRow)).one()
    assert limits == {"bob": Decimal(500), "maria": Decimal(1000), "tom": Decimal(200)}
    assert (rules.refund_limit, rules.refund_days) == (Decimal(100), 30)
    assert {order.status for order in orders(engine)} == set(State)


def test_every_order_makes_sense(engine: Engine) -> None:
    for order in orders(engine):
        assert (order.delivered is not None) == (order.status is State.DELIVERED)
        assert (order.tracking is not None) == (order.status in (State.SHIPPED, State.DELIVERED))
        assert order.delivered is None or order.delivered - order.placed > timedelta(days=1)


def test_the_orders_of_the_examples_are_there(engine: Engine) -> None:
    found = {
        order.id: (order.customer_id, order.status.value, str(order.amount), order.item) for order in orders(engine)
    }
    assert found["A-1001"] == ("C-1", "shipped", "42.50", "reading lamp")
    assert found["A-1002"] == ("C-1", "delivered", "180.00", "espresso machine")
    assert found["A-1003"][:3] == ("C-2", "processing", "59.90")
    assert found["A-1004"][:3] == ("C-2", "delivered", "35.00")
    assert found["A-1005"][:3] == ("C-3", "delivered", "80.00")


def test_the_database_itself_refuses_to_refund_more_than_was_paid(engine: Engine) -> None:
    with pytest.raises(IntegrityError), writing(engine) as session:
        session.get_one(OrderRow, "A-1001").refunded = Decimal("42.51")
        session.flush()


@pytest.mark.parametrize("bad", ["mysql://localhost/shop", "sqlite://", "sqlite:///:memory:"])
def test_books_are_not_kept_where_they_cannot_be_shared(bad: str) -> None:
    with pytest.raises((ValueError, ArgumentError)):
        books_engine(bad)


def test_a_bad_address_is_told_in_a_line_without_its_password() -> None:
    process = start("oracle://shop:secret@localhost/books")
    said, complained = process.communicate(timeout=TIME_LIMIT)
    assert process.returncode == 1
    assert complained.count("\n") == 1
    assert "secret" not in said + complained
