"""The connection: transactions that say what they are for, and faults in words.

SQLite runs in WAL with ``synchronous=FULL``, one writer at a time (``BEGIN IMMEDIATE``: a writer that starts as a
reader could be refused half way). PostgreSQL takes writers side by side; those that must not be (publishing, planning)
take `lock` first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from json import JSONDecodeError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from calfeed.errors import LedgerBusy, LedgerError, LedgerVersion
from calfeed.ledger.schema import HEAD

if TYPE_CHECKING:
    from calfeed.ledger.postgresql import Line

BUSY_SECONDS = 10.0
_LOCK = 0xCA1F_EED
"""Key of the advisory lock that publishing, planning and upgrading take on PostgreSQL."""


class Database:
    """One database, named by URL; nothing is opened before the first transaction."""

    def __init__(self, url: str, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.url = _normal(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self._line: Line | None = None
        if self.sqlite:
            self.engine = _sqlite(self.url, busy_seconds)
        else:
            self.engine, self._line = _postgresql(self.url, busy_seconds)
        self._writing = self.engine.execution_options(calfeed_begin="IMMEDIATE")
        self._exclusive = self.engine.execution_options(calfeed_begin="EXCLUSIVE")
        self._checked = False

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises LedgerBusy, LedgerVersion, LedgerError."""
        with self._transaction(self.engine) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; it is committed when the block ends well. Raises as `read` does."""
        with self._transaction(self._writing) as connection:
            yield connection

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A writing transaction that no other `alone` runs beside, in any process: publish, plan."""
        with self.write() as connection:
            self.lock(connection)
            yield connection

    def in_batches(self, drop: Callable[[Connection], int], size: int) -> int:
        """Calls ``drop`` in transactions of its own until it drops fewer than ``size``; counts all that it dropped."""
        dropped = 0
        while True:
            with self.write() as connection:
                count = drop(connection)
            dropped += count
            if count < size:
                return dropped

    def version(self) -> str | None:
        """The migration the database stands at, whichever that is; None for an empty one."""
        with faults(), self._asked(), self.engine.begin() as connection:
            return current_version(connection)

    @contextmanager
    def upgrading(self) -> Iterator[Connection]:
        """As `alone`, but keeps out readers too where that is possible, and takes a database of any version."""
        with faults(), self._asked(), self._exclusive.begin() as connection, self._unhurried(connection):
            self.lock(connection)
            yield connection
        self._checked = False

    def lock(self, connection: Connection) -> None:
        """Held to the end of the transaction; on SQLite the writer is alone already."""
        if not self.sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})

    def close(self) -> None:
        """Gives back every connection."""
        self.engine.dispose()

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        with faults(), self._asked(), engine.begin() as connection:
            if not self._checked:
                self._check(connection)
            yield connection

    def _asked(self) -> AbstractContextManager[None]:
        return nullcontext() if self._line is None else self._line.asked()

    def _unhurried(self, connection: Connection) -> AbstractContextManager[None]:
        if self.sqlite:
            return nullcontext()
        from calfeed.ledger.postgresql import unhurried  # late: needs the driver, which is an extra

        driver: Any = connection.connection.driver_connection
        return unhurried(driver)

    def _check(self, connection: Connection) -> None:
        found = current_version(connection)
        if found != HEAD:
            raise LedgerVersion(_advice(found))
        self._checked = True


def current_version(connection: Connection) -> str | None:
    """The migration the database stands at; None for an empty one."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _advice(found: str | None) -> str:
    if found is None:
        return "the database is empty: run `calfeed upgrade`"
    if found < HEAD:
        return f"the database is at version {found}, this program needs {HEAD}: run `calfeed upgrade`"
    return f"the database is at version {found}, which is newer than this program ({HEAD}): update calfeed"


@contextmanager
def faults() -> Iterator[None]:
    """Turns what the driver raises into LedgerBusy or LedgerError; their words hold no URL, SQL or value."""
    try:
        yield
    except PoolTimeout:
        raise LedgerBusy("the database has no free connection") from None
    except DBAPIError as fault:
        raise _translated(fault) from fault
    except (JSONDecodeError, UnicodeDecodeError):
        raise LedgerError("the database is damaged: it holds what calfeed never wrote") from None


def _translated(fault: DBAPIError) -> LedgerError:
    reason = str(fault.orig).strip().splitlines()[0] if str(fault.orig).strip() else type(fault.orig).__name__
    if isinstance(fault, OperationalError | InterfaceError) or fault.connection_invalidated:
        return LedgerBusy(f"the database is locked, full or away: {reason}")
    return LedgerError(f"the database refused: {reason}")


def _normal(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise LedgerError("the database URL cannot be read: expected sqlite:///PATH or postgresql://…") from None
    if parsed.drivername in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def _sqlite(url: URL, busy_seconds: float) -> Engine:
    if url.database and url.database != ":memory:":
        _private(Path(url.database))
    engine = create_engine(url, connect_args={"timeout": busy_seconds})
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _private(path: Path) -> None:
    """Makes the file before SQLite does, readable by its owner alone; WAL and shm files take its mode over."""
    with suppress(OSError):  # a folder that is missing or read-only is reported when the database is opened
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver would begin and commit on its own; `begin` below does it
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _on_sqlite_begin(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('calfeed_begin', 'DEFERRED')}")


def _postgresql(url: URL, busy_seconds: float) -> tuple[Engine, Line]:
    try:
        from calfeed.ledger import postgresql  # late: needs the driver, which is an extra

        engine = create_engine(
            url,
            pool_pre_ping=True,  # a server that was restarted costs a reconnect, not a fault
            pool_timeout=busy_seconds,
            connect_args=postgresql.defaults(url),
        )
    except (ModuleNotFoundError, NoSuchModuleError):
        raise LedgerError("PostgreSQL needs its driver: pip install 'calfeed[postgres]'") from None
    event.listen(engine, "do_connect", lambda _dialect, _record, args, keys: postgresql.Patient.connect(*args, **keys))
    event.listen(engine, "connect", lambda connection, _record: postgresql.prepare(connection, busy_seconds))
    line = postgresql.Line()
    event.listen(engine, "begin", line.heard)
    event.listen(engine, "begin", postgresql.begin)
    return engine, line
