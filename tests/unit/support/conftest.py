"""Books to try things on: an SQLite file for each test, and a PostgreSQL database where there is a server.

`TEST_POSTGRES_URL=postgresql://USER:PASSWORD@HOST/DATABASE` names a server whose user may create databases.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from activities.support.books import ShopBooks
from activities.support.engine import books_engine
from activities.support.seed import prepare

POSTGRES = os.environ.get("TEST_POSTGRES_URL")


@pytest.fixture(params=["sqlite"] if POSTGRES is None else ["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with nothing in it."""
    if request.param == "sqlite" or POSTGRES is None:
        yield f"sqlite:///{tmp_path}/shop/books.db"
        return
    name = f"books_{uuid4().hex}"
    server = create_engine(make_url(POSTGRES).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """The way to books that are filled."""
    engine = books_engine(url)
    prepare(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def books(engine: Engine) -> ShopBooks:
    """The activities on books that are filled."""
    return ShopBooks(engine)
