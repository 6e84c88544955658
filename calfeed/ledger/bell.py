"""LISTEN and NOTIFY: on PostgreSQL a publication wakes the others, who need not ask the database all the time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

if TYPE_CHECKING:
    import psycopg

CHANNEL = "calfeed"
TRUST = 15.0
"""Seconds after which the database is asked although the bell was silent."""


def ring(connection: Connection, number: int) -> None:
    """Tells every listener that ``number`` is published, once the transaction is committed."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_notify(:channel, :number)"), {"channel": CHANNEL, "number": str(number)})


class Bell:
    """Whether anything may have been published since it was last asked. Safe to share between threads."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._connection: psycopg.Connection | None = None
        self._ringing = True
        self._heard_at = float("-inf")

    def rang(self) -> bool:
        """True from a publication on, or a lost connection, or after `TRUST` seconds, until it is `heard`."""
        with self._lock:
            if not self._silent() or time.monotonic() - self._heard_at > TRUST:
                self._ringing = True
            return self._ringing

    def heard(self) -> None:
        """The database was asked."""
        with self._lock:
            self._ringing, self._heard_at = False, time.monotonic()

    def close(self) -> None:
        """Stops listening."""
        with self._lock:
            self._drop()

    def _silent(self) -> bool:
        """Whether the connection is up and has nothing to say."""
        import psycopg  # late: only where the database is PostgreSQL

        try:
            if self._connection is None:
                self._connect()
                return False
            return not list(self._connection.notifies(timeout=0, stop_after=1))
        except psycopg.Error:
            self._drop()
            return False

    def _connect(self) -> None:
        from calfeed.ledger.postgresql import connect  # late: as above

        self._connection = connect(self._url, connect_timeout=5, application_name="calfeed bell")
        self._connection.execute(f"LISTEN {CHANNEL}")

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
