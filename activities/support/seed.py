"""Makes the shop's books and fills them with believable data: `python -m activities.support.seed URL`."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import Engine, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from activities.support.engine import books_engine, writing
from activities.support.policy import Rules
from activities.support.tables import AgentRow, CustomerRow, OrderRow, PolicyRow, State, Table

_PREPARING: Final = 7_046_029_254
"""The number of PostgreSQL's lock for those who prepare the books; any that nobody else uses."""


class _Bought(NamedTuple):
    """An order; days count back from the moment the books are filled, so that deadlines stay meaningful."""

    customer: int
    item: str
    amount: str
    status: State
    placed: int
    delivered: int | None = None
    refunded: str = "0.00"


_CUSTOMERS: Final = (
    ("Alice Martin", "alice@example.com", "14 Garden Row, Leeds"),
    ("Ben Okafor", "ben@example.com", "3 Mill Lane, Bristol"),
    ("Chen Li", "chen@example.com", "88 Station Road, Cambridge"),
    ("Dana Novak", "dana.novak@example.org", "Vinohradska 21, Prague"),
    ("Emil Larsen", "emil@example.net", "Havnegade 9, Aarhus"),
    ("Fatima Haddad", "fatima.haddad@example.com", "17 Rue des Lilas, Lyon"),
    ("George Papas", "george@example.org", "Ermou 44, Athens"),
    ("Hanna Weber", "hanna.weber@example.com", "Lindenstrasse 5, Leipzig"),
    ("Ines Duarte", "ines@example.net", "Rua do Sol 12, Porto"),
    ("Jack O'Neill", "jack.oneill@example.com", "7 Quay Street, Galway"),
    ("Kasia Zielinska", "kasia@example.org", "ul. Polna 30, Krakow"),
    ("Luca Ferri", "luca.ferri@example.com", "Via Garibaldi 2, Turin"),
)

_AGENTS: Final = (("bob", "Bob Keller", "500.00"), ("maria", "Maria Santos", "1000.00"), ("tom", "Tom Reed", "200.00"))

_FIRST_ORDER: Final = 1001

_ORDERS: Final = (
    _Bought(1, "reading lamp", "42.50", State.SHIPPED, 3),
    _Bought(1, "espresso machine", "180.00", State.DELIVERED, 9, 5),
    _Bought(2, "garden hose", "59.90", State.PROCESSING, 1),
    _Bought(2, "set of bath towels", "35.00", State.DELIVERED, 14, 10),
    _Bought(3, "desk fan", "80.00", State.DELIVERED, 66, 60),
    _Bought(3, "desk chair", "219.00", State.SHIPPED, 4),
    _Bought(4, "hiking boots", "129.95", State.DELIVERED, 16, 12),
    _Bought(4, "water bottle", "18.50", State.PROCESSING, 0),
    _Bought(4, "rain jacket", "94.00", State.CANCELLED, 21),
    _Bought(5, "cast iron pan", "64.90", State.DELIVERED, 30, 26),
    _Bought(5, "kitchen scale", "27.99", State.SHIPPED, 2),
    _Bought(6, "noise-cancelling headphones", "249.00", State.DELIVERED, 12, 8),
    _Bought(6, "phone case", "15.00", State.DELIVERED, 12, 8, "15.00"),
    _Bought(6, "travel adapter", "22.40", State.PROCESSING, 1),
    _Bought(7, "electric kettle", "49.90", State.DELIVERED, 50, 45),
    _Bought(7, "toaster", "39.90", State.CANCELLED, 8),
    _Bought(8, "road bike helmet", "89.00", State.SHIPPED, 5),
    _Bought(8, "bike lights", "34.95", State.DELIVERED, 24, 20),
    _Bought(8, "repair stand", "119.00", State.DELIVERED, 24, 20, "40.00"),
    _Bought(9, "linen bed sheets", "74.00", State.DELIVERED, 6, 2),
    _Bought(9, "feather pillow", "45.00", State.PROCESSING, 0),
    _Bought(10, "cordless drill", "139.00", State.DELIVERED, 18, 15),
    _Bought(10, "set of drill bits", "24.90", State.SHIPPED, 3),
    _Bought(10, "work bench", "310.00", State.PROCESSING, 2),
    _Bought(11, "board game", "37.50", State.DELIVERED, 95, 90),
    _Bought(11, "jigsaw puzzle", "19.90", State.DELIVERED, 5, 1),
    _Bought(11, "card sleeves", "8.50", State.CANCELLED, 40),
    _Bought(12, "coffee grinder", "99.00", State.DELIVERED, 11, 7),
    _Bought(12, "milk frother", "29.00", State.SHIPPED, 1),
    _Bought(12, "set of espresso cups", "32.00", State.DELIVERED, 33, 29),
)


def prepare(engine: Engine) -> bool:
    """Make the tables that are missing, and fill empty books; several processes may do so at once.

    Returns:
        Whether the books were empty.
    """
    with writing(engine) as session, session.begin():
        if engine.dialect.name == "postgresql":
            session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _PREPARING})
        Table.metadata.create_all(session.connection())
        if session.scalars(select(CustomerRow).limit(1)).first() is not None:
            return False
        _fill(session)
        return True


def _fill(session: Session) -> None:
    rules = Rules()
    session.add(PolicyRow(id=1, refund_limit=rules.refund_limit, refund_days=rules.refund_days))
    session.add_all(AgentRow(id=id, name=name, refund_limit=Decimal(limit)) for id, name, limit in _AGENTS)
    session.add_all(
        CustomerRow(id=f"C-{number}", name=name, email=email) for number, (name, email, _) in enumerate(_CUSTOMERS, 1)
    )
    session.flush()
    session.add_all(_orders(datetime.now(UTC)))


def _orders(now: datetime) -> Iterator[OrderRow]:
    for number, bought in enumerate(_ORDERS, _FIRST_ORDER):
        on_its_way = bought.status in (State.SHIPPED, State.DELIVERED)
        yield OrderRow(
            id=f"A-{number}",
            customer_id=f"C-{bought.customer}",
            item=bought.item,
            amount=Decimal(bought.amount),
            refunded=Decimal(bought.refunded),
            status=bought.status,
            placed=now - timedelta(days=bought.placed),
            delivered=None if bought.delivered is None else now - timedelta(days=bought.delivered),
            address=_CUSTOMERS[bought.customer - 1][2],
            tracking=f"PX{number * 7919:08d}EU" if on_its_way else None,
        )


def main() -> None:
    """Prepare the books at the address given, and say in a line what was done."""
    parser = argparse.ArgumentParser(prog="python -m activities.support.seed", description=__doc__)
    parser.add_argument("url", help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")
    try:
        engine = books_engine(parser.parse_args().url)
        filled = prepare(engine)
    except (ValueError, OSError, SQLAlchemyError) as error:
        parser.exit(1, f"books: {error}\n")
    done = f"filled with {len(_CUSTOMERS)} customers and {len(_ORDERS)} orders" if filled else "already filled"
    print(f"books: {done} ({engine.url})")
    engine.dispose()


if __name__ == "__main__":
    main()
