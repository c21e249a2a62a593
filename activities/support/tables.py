"""The tables of the shop's books; money is exact and times are in UTC, on SQLite as on PostgreSQL."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from pydantic import JsonValue
from sqlalchemy import JSON, BigInteger, CheckConstraint, DateTime, Dialect, Enum, ForeignKey, Numeric
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

CENT: Final = Decimal("0.01")


class MoneyColumn(TypeDecorator[Decimal]):
    """An amount: a `NUMERIC` on PostgreSQL; whole cents on SQLite, which would make a float of it."""

    impl = Numeric(14, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Decimal] | TypeEngine[int]:
        """Choose the column's type."""
        return BigInteger() if dialect.name == "sqlite" else Numeric(14, 2)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | int | None:
        """Refuse fractions of a cent: PostgreSQL would round them silently."""
        if value is None:
            return None
        if value != round(value, 2):
            raise ValueError(f"{value} has fractions of a cent")
        return int(value.scaleb(2)) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Decimal | int | None, dialect: Dialect) -> Decimal | None:
        """Give the amount with two decimals."""
        return Decimal(value).scaleb(-2) if isinstance(value, int) else value


class MomentColumn(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no time zone, PostgreSQL answers in that of the connection."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse moments of an unknown time zone."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class State(StrEnum):
    """Where an order stands."""

    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class Table(DeclarativeBase):
    """The base of all tables."""

    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy reads it from the class
        Decimal: MoneyColumn,
        datetime: MomentColumn,
        State: Enum(State, native_enum=False, length=20, values_callable=lambda states: [s.value for s in states]),
    }


class CustomerRow(Table):
    """A customer."""

    __tablename__ = "customers"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]


class AgentRow(Table):
    """A support agent."""

    __tablename__ = "agents"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    refund_limit: Mapped[Decimal]
    on_duty: Mapped[bool] = mapped_column(default=True)
    last_assigned: Mapped[datetime | None] = mapped_column(default=None)


class OrderRow(Table):
    """An order; the database itself never lets more be refunded than was paid."""

    __tablename__ = "orders"
    __table_args__ = (CheckConstraint("refunded >= 0 AND refunded <= amount", name="refunded_within_amount"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey(CustomerRow.id), index=True)
    item: Mapped[str]
    amount: Mapped[Decimal]
    refunded: Mapped[Decimal]
    status: Mapped[State]
    placed: Mapped[datetime]
    delivered: Mapped[datetime | None]
    address: Mapped[str]
    tracking: Mapped[str | None]


class PolicyRow(Table):
    """The shop's rules; one row."""

    __tablename__ = "policies"

    id: Mapped[int] = mapped_column(primary_key=True)
    refund_limit: Mapped[Decimal]
    """The largest refund that needs nobody's approval."""

    refund_days: Mapped[int]
    """How many days after delivery money goes back without approval."""


class ResetRow(Table):
    """A password reset that was asked for; the token itself is only in the customer's letter."""

    __tablename__ = "resets"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey(CustomerRow.id))
    expires: Mapped[datetime]


class LetterRow(Table):
    """A letter for the mail system to send."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(index=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey(CustomerRow.id))
    email: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime]


class LedgerRow(Table):
    """A write that was made: what was asked and what was answered."""

    __tablename__ = "ledger"

    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    request: Mapped[JsonValue] = mapped_column(JSON)
    answer: Mapped[JsonValue] = mapped_column(JSON)
    at: Mapped[datetime]
