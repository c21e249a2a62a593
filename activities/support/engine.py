"""The connection to the shop's books, and their two kinds of transaction."""

import os
import sqlite3
import tempfile
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, PoolResetState

WAIT: Final = 5
"""Seconds to wait for a connection or another's lock: well within the ten that an activity on the books has."""

_READS: Final = "reads"


def books_engine(url: str) -> Engine:
    """Give the way to the books; an SQLite file that is missing is made, PostgreSQL is reached at the first use.

    Args:
        url: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/DATABASE`.

    Raises:
        ValueError: The database is another one, or has no file.
        sqlalchemy.exc.ArgumentError: It isn't a URL.
        OSError: The file can't be made.
    """
    parsed = make_url(url)
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            engine = _sqlite(parsed, Path(parsed.database))
        case "postgresql":
            engine = _postgresql(parsed)
        case other:
            raise ValueError(f"the books can't be kept in {other!r}: give sqlite:///FILE or postgresql://HOST/DATABASE")

    @event.listens_for(engine, "reset")
    def roll_back(connection: DBAPIConnection, _: ConnectionPoolEntry, __: PoolResetState) -> None:
        # SQLAlchemy takes a transaction whose commit failed for ended; SQLite keeps it open, with its lock.
        connection.rollback()

    return engine


def reading(engine: Engine) -> Session:
    """Open a session for a transaction that only reads: it waits for no writer."""
    return Session(engine.execution_options(**{_READS: True}))


def writing(engine: Engine) -> Session:
    """Open a session for a transaction that writes: on SQLite it has the lock from its start."""
    return Session(engine)


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,  # an error's text goes into a run's history, customers' data must not
        pool_pre_ping=True,
        pool_timeout=WAIT,
        connect_args={"connect_timeout": WAIT, "options": f"-c statement_timeout={WAIT}s"},
    )


def _sqlite(url: URL, file: Path) -> Engine:
    _make_file(file)
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_timeout=WAIT,
        # The driver's own handling of transactions is off: it would begin them late, and none for a read.
        connect_args={"timeout": WAIT, "isolation_level": None},
    )

    @event.listens_for(engine, "connect")
    def guard_references(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that turns into a writer half-way fails at once when there is another; one that
        # starts as a writer waits for it.
        deferred = connection.get_execution_options().get(_READS, False)
        connection.exec_driver_sql("BEGIN DEFERRED" if deferred else "BEGIN IMMEDIATE")

    return engine


def _make_file(file: Path) -> None:
    """Make the file as one with a write-ahead log, in which readers and a writer don't wait for each other.

    A file in use can't be switched to it without a chance of failing, so it is made aside and put in place whole.
    """
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".books-") as aside:
        new = Path(aside, "books")
        connection = sqlite3.connect(new)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        try:
            os.link(new, file)
        except FileExistsError:
            return  # another process was faster
