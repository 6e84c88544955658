"""The database: private, patient, and honest about what is wrong."""

from __future__ import annotations

import os
import sqlite3
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from time import monotonic

import psycopg
import pytest
from sqlalchemy import select, text

from calfeed.errors import LedgerBusy, LedgerError
from calfeed.events.model import Calendar, Catalog, Feed, Text
from calfeed.ledger import Ledger
from calfeed.ledger.schema import process

NOW = datetime(2024, 5, 10, 1, 2, 3, 456789, tzinfo=UTC)
NAME = Text((("en", "Visit"),))
EMPTY = Catalog(calendar=Calendar(id="visit", name=NAME, timezone="Asia/Shanghai"), feeds=(Feed(id="all", name=NAME),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calfeed.db"


def ready(path: Path, **keys: float) -> Ledger:
    ledger = Ledger(f"sqlite:///{path}", **keys)
    ledger.upgrade()
    return ledger


def test_the_file_is_for_its_owner_alone_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        with ready(path) as ledger:
            ledger.publish(EMPTY, NOW)
            modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("calfeed.db", "calfeed.db-shm", "calfeed.db-wal"), 0o600)


def test_sqlite_keeps_what_it_committed_when_the_power_goes(path: Path) -> None:
    """WAL, with a sync at each commit."""
    with ready(path) as ledger, ledger.database.write() as connection:
        settings = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
    assert settings == ["wal", 2]


def test_instants_come_back_as_they_were_in_utc(database_url: str) -> None:
    with Ledger(database_url) as ledger:
        ledger.upgrade()
        ledger.beat(NOW.astimezone(timezone(timedelta(hours=8))))
        with ledger.database.read() as connection:
            seen = connection.execute(select(process.c.seen)).scalar_one()
    assert (seen, seen.tzinfo) == (NOW, UTC)


def test_a_time_without_a_zone_is_refused(path: Path) -> None:
    with ready(path) as ledger, pytest.raises(Exception, match="a time without a zone"):
        ledger.beat(datetime(2024, 5, 10))  # noqa: DTZ001  # that is what is refused


def test_a_locked_database_is_busy_and_works_again_later(path: Path) -> None:
    with ready(path, busy_seconds=0.05) as ledger:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerBusy, match=r"the database is locked, full or away: database is locked$"):
            ledger.publish(EMPTY, NOW)
        other.execute("ROLLBACK")
        other.close()
        assert ledger.publish(EMPTY, NOW).version == 1


def test_readers_are_not_kept_out_by_a_writer(path: Path) -> None:
    with ready(path, busy_seconds=0.05) as ledger:
        ledger.publish(EMPTY, NOW)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert ledger.version() == 1
        other.close()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with (
        Ledger(f"sqlite:///{tmp_path / 'nowhere' / 'calfeed.db'}") as ledger,
        pytest.raises(LedgerBusy, match="unable"),
    ):
        ledger.upgrade()


def test_what_is_no_database_is_told(path: Path) -> None:
    path.write_text("[calendar]\n" * 1000)
    with Ledger(f"sqlite:///{path}") as ledger, pytest.raises(LedgerError, match="not a database"):
        ledger.upgrade()


@pytest.mark.parametrize("url", ["nonsense", "", "mysql://example.org/x"])
def test_a_url_that_names_no_database_is_told(url: str) -> None:
    with pytest.raises(LedgerError):
        Ledger(url)


def test_a_server_that_is_away_is_busy_and_its_password_is_told_nobody() -> None:
    url = "postgresql://calfeed:verysecret@127.0.0.1:1/calfeed"
    with Ledger(url) as ledger, pytest.raises(LedgerBusy) as caught:
        ledger.version()
    assert "verysecret" not in str(caught.value)


def test_nobody_waits_for_a_process_that_was_stopped_in_a_transaction(postgresql_url: str) -> None:
    """The others are told that the database is busy, and the server ends the transaction before long."""
    with Ledger(postgresql_url) as stopped, Ledger(postgresql_url, busy_seconds=0.05) as other:
        stopped.upgrade()
        with stopped.database.alone() as connection:
            assert connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar() == "15s"
            with pytest.raises(LedgerBusy, match="lock timeout"):
                other.publish(EMPTY, NOW)
        assert other.publish(EMPTY, NOW).version == 1


def test_connections_that_the_server_dropped_are_made_anew(postgresql_url: str) -> None:
    """As after a restart of the server: neither the ledger nor its bell stays deaf."""
    with Ledger(postgresql_url) as ledger, Ledger(postgresql_url) as other:
        ledger.upgrade()
        assert ledger.publish(EMPTY, NOW).version == 1
        assert not ledger.changed_since(1)
        with psycopg.connect(postgresql_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        assert ledger.version() == 1
        other.publish(Catalog(calendar=EMPTY.calendar), NOW + timedelta(hours=1))
        end = monotonic() + 10  # the end of a connection shows when it is read the second time
        while not ledger.changed_since(1):
            assert monotonic() < end
        assert not ledger.changed_since(2)
