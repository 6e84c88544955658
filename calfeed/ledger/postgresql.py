"""The way to PostgreSQL, when the server restarts, a connection is cut, or nothing comes back any more.

A restart or a cut is told at once. Silence is not: packets may be swallowed (a cable, a firewall that forgot the
connection) or taken by a machine in between behind which nobody answers. So whoever waits for the server waits for so
long and no longer:

- for packets that nobody acknowledges, `SWALLOWED_MS`, by TCP itself;
- for the answer to a statement, as long as the server would let it run (its ``statement_timeout``, which is
  `STATEMENT_SECONDS` unless role, database or URL say otherwise) and `GRACE_SECONDS`;
- for the first answer of a connection that was taken from the pool, `PING_SECONDS`.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.errors import ConnectionTimeout
from sqlalchemy import Connection
from sqlalchemy.engine import URL

from calfeed.errors import LedgerBusy

T = TypeVar("T")

SWALLOWED_MS = 20_000
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 60
GRACE_SECONDS = 5.0
PING_SECONDS = 5.0
REST_SECONDS = 5.0
"""How long a server that did not answer is not asked again."""
STUCK_SECONDS = 15
"""How long the server suffers a transaction in which nothing happens: a process that was stopped holds locks in it."""

_DEFAULTS = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,  # seconds; until then a silent connection is not looked after
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": SWALLOWED_MS,
    "application_name": "calfeed",
}


class Unanswered(psycopg.OperationalError):
    """Nothing came back for as long as is worth waiting."""


class Patient(psycopg.Connection[Any]):
    """A connection that waits for an answer only so long, and is closed then: what comes later would be mistaken."""

    patience: float | None = PING_SECONDS
    """Seconds without a sign of the server that are suffered within a transaction; None is for ever."""

    settings: str = ""
    """What each transaction begins with."""

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **keys: Any) -> T:
        """As psycopg's, bounded. Raises Unanswered."""
        # Nothing but SQLAlchemy's ping, and LISTEN, is asked for outside a transaction.
        seconds = PING_SECONDS if self.autocommit else self.patience
        return super().wait(gen if seconds is None else self._bounded(gen, seconds), *args, **keys)

    def _bounded(self, gen: Generator[Any, Any, T], seconds: float) -> Generator[Any, Any, T]:
        try:
            wanted = next(gen)
            end = monotonic() + seconds
            while True:
                ready = yield wanted
                if ready:
                    end = monotonic() + seconds
                elif monotonic() > end:
                    self.pgconn.finish()
                    raise Unanswered(f"the server has not answered for {seconds:.0f} s")
                wanted = gen.send(ready)
        except StopIteration as done:
            found: T = done.value
            return found


def defaults(url: URL) -> dict[str, Any]:
    """What a connection is opened with, where the URL does not say otherwise."""
    return {name: value for name, value in _DEFAULTS.items() if name not in url.query}


def connect(url: URL, **keys: Any) -> Patient:
    """A connection outside any pool and any transaction."""
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return Patient.connect(plain, autocommit=True, **(defaults(url) | keys))


def prepare(connection: Patient, lock_seconds: float) -> None:
    """Settings of a new connection: nobody waits for ever, neither here nor on the server.

    Behind a pooler (PgBouncer) each transaction may meet another session of the server: there settings are made for
    each (`begin`), and no statement is prepared.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setting::int, source, pg_backend_pid() FROM pg_settings WHERE name = 'statement_timeout'"
        )
        ((milliseconds, source, pid),) = cursor.fetchall()
        wanted = {"lock_timeout": int(lock_seconds * 1000), "idle_in_transaction_session_timeout": STUCK_SECONDS * 1000}
        if source == "default":
            wanted["statement_timeout"] = milliseconds = STATEMENT_SECONDS * 1000
        if pid != connection.info.backend_pid:  # poolers hand out numbers of their own
            connection.prepare_threshold = None
            connection.settings = _set(wanted, "LOCAL")
        else:
            cursor.execute(_set(wanted, "SESSION"))
    connection.commit()
    connection.patience = milliseconds / 1000 + GRACE_SECONDS if milliseconds else None


def begin(connection: Connection) -> None:
    """Settings of a transaction, where they cannot be made for the whole connection."""
    driver: Any = connection.connection.driver_connection
    if driver.settings:
        connection.exec_driver_sql(driver.settings)


def _set(wanted: dict[str, int], scope: str) -> str:
    return "; ".join(f"SET {scope} {name} = {milliseconds}" for name, milliseconds in wanted.items())


@contextmanager
def unhurried(connection: Patient) -> Iterator[None]:
    """A transaction whose statements may take as long as they like: a migration of a large table."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
    patience, connection.patience = connection.patience, None
    try:
        yield
    finally:
        connection.patience = patience


class Line:
    """Whether the server answers at all. While it is silent, one thread asks, and the others are told so at once.

    Else every thread of a web server would soon wait for it, and none be left to serve what needs no database.
    """

    def __init__(self) -> None:
        self._silent = False
        self._again = 0.0
        self._asking = threading.Lock()

    @contextmanager
    def asked(self) -> Iterator[None]:
        """While the server is asked. Raises LedgerBusy."""
        if not self._silent:
            with self._watched():
                yield
            return
        if monotonic() < self._again or not self._asking.acquire(blocking=False):
            raise LedgerBusy("the database does not answer")
        try:
            with self._watched():
                yield
        finally:
            self._asking.release()

    def heard(self, _connection: Connection) -> None:
        """A transaction has begun, so the server is there."""
        self._silent = False

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except Exception as fault:
            self._silent = isinstance(getattr(fault, "orig", None), ConnectionTimeout)
            self._again = monotonic() + REST_SECONDS
            raise
