"""What is written is read back exactly."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import StatementError

from activities.support.engine import reading, writing
from activities.support.tables import OrderRow


@pytest.mark.parametrize("amount", ["0.01", "0.10", "4.35", "1234567.89", "9999999999.99"])
def test_an_amount_comes_back_to_the_cent(engine: Engine, amount: str) -> None:
    with writing(engine) as session, session.begin():
        session.get_one(OrderRow, "A-1001").amount = Decimal(amount)
        session.get_one(OrderRow, "A-1001").refunded = Decimal(amount)
    with reading(engine) as session:
        assert str(session.get_one(OrderRow, "A-1001").refunded) == amount


def test_a_fraction_of_a_cent_is_refused_and_not_rounded(engine: Engine) -> None:
    with writing(engine) as session, pytest.raises(StatementError, match="fractions of a cent"):
        session.get_one(OrderRow, "A-1001").refunded = Decimal("1.005")
        session.flush()


def test_sqlite_holds_whole_cents_and_no_floats(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has decimals")
    with reading(engine) as session:
        assert session.execute(text("SELECT typeof(amount), amount FROM orders LIMIT 1")).one() == ("integer", 4250)


def test_a_moment_of_any_time_zone_comes_back_as_the_same_moment_in_utc(engine: Engine) -> None:
    moment = datetime(2026, 7, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    with writing(engine) as session, session.begin():
        session.get_one(OrderRow, "A-1001").placed = moment
    with reading(engine) as session:
        if engine.dialect.name == "postgresql":
            session.execute(text("SET TIME ZONE 'Asia/Tokyo'"))
        placed = session.get_one(OrderRow, "A-1001").placed
    assert placed == moment
    assert placed.tzinfo is UTC


def test_a_moment_without_a_time_zone_is_refused(engine: Engine) -> None:
    with writing(engine) as session, pytest.raises(StatementError, match="time zone"):
        session.get_one(OrderRow, "A-1001").placed = datetime(2026, 7, 1)  # noqa: DTZ001  # that is the point
        session.flush()
