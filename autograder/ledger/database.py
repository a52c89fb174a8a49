"""Opening the database: SQLite beside the blobs by default, PostgreSQL by URL; migrated before it is used."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from autograder.errors import LedgerError

P = ParamSpec("P")
R = TypeVar("R")
_BUSY_MS = 30_000
_UPGRADE = 7_240_117  # PostgreSQL advisory lock: two services starting at once migrate once


def retried(method: Callable[P, R]) -> Callable[P, R]:
    """Runs a transaction again when somebody wrote the same new row in the same moment: then it is known.

    Raises:
        LedgerError: it was not written.
    """

    @functools.wraps(method)
    def call(*args: P.args, **more: P.kwargs) -> R:
        for _ in range(5):
            try:
                return method(*args, **more)
            except IntegrityError:
                continue
        raise LedgerError("the ledger could not be written; try again")

    return call


class Database:
    """Sessions on one engine; `reads()` and `writes()` are transactions."""

    def __init__(self, url: str, create: bool = True) -> None:
        self.sqlite = url.startswith("sqlite")
        # one writer at a time in SQLite: waiting here is fair and quiet, waiting in the file is neither
        self._turn = threading.RLock() if self.sqlite else None
        self.engine = _sqlite(url) if self.sqlite else create_engine(url, pool_pre_ping=True, pool_size=10)
        # SQLite's read transactions are snapshots; PostgreSQL's default takes a new one with every statement
        snapshot = {} if self.sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._snapshots = self.engine.execution_options(**snapshot)
        try:
            _migrate(self.engine, create)
        except SQLAlchemyError as error:
            raise LedgerError(f"the database cannot be opened: {_words(error)}") from error

    def close(self) -> None:
        """Lets every connection go."""
        self.engine.dispose()

    @contextmanager
    def reads(self) -> Iterator[Session]:
        """A snapshot: all that is read is as of one moment.

        Raises:
            LedgerError: the database does not answer.
        """
        try:
            with Session(self._snapshots) as session:
                yield session
        except OperationalError as error:
            raise LedgerError(f"the database does not answer: {_words(error)}") from error

    @contextmanager
    def writes(self) -> Iterator[Session]:
        """A transaction that is durable when the block ends.

        Raises:
            LedgerError: the database does not answer; nothing was written.
        """
        if self._turn is not None:
            self._turn.acquire()
        try:
            with Session(self.engine, expire_on_commit=False) as session:
                if self.sqlite:
                    session.connection(execution_options={"writes": True})
                yield session
                session.commit()
        except OperationalError as error:
            raise LedgerError(f"the database does not answer: {_words(error)}") from error
        finally:
            if self._turn is not None:
                self._turn.release()


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": _BUSY_MS / 1000, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def settings(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # a receipt survives a power cut
            "foreign_keys=ON",
            f"busy_timeout={_BUSY_MS}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # a transaction that reads first and writes later would fail where another wrote in between
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    return engine


def _migrate(engine: Engine, create: bool) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    head = ScriptDirectory.from_config(config).get_current_head()
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        if found == head:
            return
        if found is None and not create:
            raise LedgerError(
                "the database holds no ledger: name the service's own (--database, AUTOGRADER_DATABASE_URL)"
            )
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE})")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _words(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
