"""The way to PostgreSQL: nobody waits for ever, the operator's settings stand, a claim nobody heard of comes back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.errors import ConnectionTimeout
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from calfeed.errors import LedgerBusy
from calfeed.events.model import Calendar, Catalog, Channel, Duration, Event, Feed, Text
from calfeed.ledger import Claimed, Ledger, Result, Settlement
from calfeed.ledger.postgresql import Line, Patient, defaults

NOW = datetime(2024, 5, 10, tzinfo=UTC)
DUE = NOW + timedelta(days=1)
NAMES = ("lock_timeout", "idle_in_transaction_session_timeout", "statement_timeout")
NAME = Text((("en", "Visit"),))


def setting(ledger: Ledger, name: str) -> str:
    with ledger.database.read() as connection:
        return str(connection.execute(text(f"SHOW {name}")).scalar())


def patience(ledger: Ledger) -> float | None:
    with ledger.database.read() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, Patient)
        return driver.patience


def test_a_statement_may_take_a_minute_and_is_waited_for_a_little_longer(postgresql_url: str) -> None:
    with Ledger(postgresql_url) as ledger:
        ledger.upgrade()
        assert (setting(ledger, "statement_timeout"), patience(ledger)) == ("1min", 65.0)


@pytest.mark.parametrize(("given", "server", "waited"), [("9s", "9s", 14.0), ("0", "0", None)])
def test_what_the_url_says_of_statements_stands(
    postgresql_url: str, given: str, server: str, waited: float | None
) -> None:
    with Ledger(f"{postgresql_url}&options=-c%20statement_timeout%3D{given}") as ledger:
        ledger.upgrade()
        assert (setting(ledger, "statement_timeout"), patience(ledger)) == (server, waited)


def test_a_migration_may_take_as_long_as_it_needs(postgresql_url: str) -> None:
    with Ledger(postgresql_url) as ledger:
        with ledger.database.upgrading() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, Patient)
            during = connection.execute(text("SHOW statement_timeout")).scalar(), driver.patience
        ledger.upgrade()
        assert (during, setting(ledger, "statement_timeout"), patience(ledger)) == (("0", None), "1min", 65.0)


def test_what_the_url_says_of_the_network_stands() -> None:
    url = make_url("postgresql://db.example.org/calfeed?tcp_user_timeout=3000&connect_timeout=2&keepalives_idle=60")
    assert defaults(url) == {"keepalives_interval": 5, "keepalives_count": 2, "application_name": "calfeed"}


def test_an_answer_that_does_not_come_ends_the_connection(postgresql_url: str) -> None:
    with Ledger(postgresql_url) as ledger:
        ledger.upgrade()
        with pytest.raises(LedgerBusy, match="the server has not answered for 0 s"):
            asleep(ledger)
        assert ledger.version() == 0


def asleep(ledger: Ledger) -> None:
    with ledger.database.read() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, Patient)
        driver.patience = 0.2
        connection.execute(text("SELECT pg_sleep(30)"))


def test_behind_a_pooler_nothing_is_left_to_a_session(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known by the number it gives its clients: settings are each transaction's, and no statement is prepared."""
    monkeypatch.setattr(psycopg.ConnectionInfo, "backend_pid", property(lambda _: 0))
    with Ledger(postgresql_url) as ledger:
        ledger.upgrade()
        for _ in range(10):
            assert ledger.version() == 0
        within = [setting(ledger, name) for name in NAMES]
        with ledger.database.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements").scalar() == 0
            driver = connection.connection.driver_connection
            assert driver is not None
            connection.exec_driver_sql("ROLLBACK")
            beyond = [driver.execute(f"SHOW {name}").fetchone()[0] for name in NAMES]
    assert (within, beyond) == (["10s", "15s", "1min"], ["0", "0", "0"])


@pytest.fixture
def silent_server() -> Iterator[int]:
    """The port of somebody who takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_while_the_server_is_silent_nobody_waits_but_one(silent_server: int) -> None:
    url = f"postgresql://calfeed@127.0.0.1:{silent_server}/calfeed?connect_timeout=2"
    with Ledger(url) as ledger:
        with pytest.raises(LedgerBusy, match="timeout"):
            ledger.version()
        asking = threading.Barrier(5)
        told = []

        def ask() -> None:
            asking.wait()
            try:
                ledger.version()
            except LedgerBusy as fault:
                told.append(str(fault))

        threads = [threading.Thread(target=ask) for _ in range(5)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert told == ["the database does not answer"] * 5


def test_once_the_server_answers_nobody_waits_for_who_asked_first(postgresql_url: str) -> None:
    """Who asked may have begun something long."""
    line = Line()
    with pytest.raises(OperationalError), line.asked():
        raise OperationalError("SELECT 1", {}, ConnectionTimeout())
    with pytest.raises(LedgerBusy), line.asked():
        pass
    with Ledger(postgresql_url) as ledger, ledger.database.engine.connect() as connection:
        line.heard(connection)
        with line.asked(), line.asked():
            pass


# A claim of whose end nobody heard


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """Three reminders that are due."""
    start = DUE + timedelta(hours=1)
    events = (
        Event(id=f"e{n}", uid=f"u{n}", summary=NAME, start=start, end=start + timedelta(hours=1), timezone="UTC")
        for n in range(3)
    )
    source = Catalog(
        calendar=Calendar(id="visit", name=NAME, timezone="UTC"),
        events=tuple(events),
        feeds=(Feed(id="all", name=NAME),),
        channels=(Channel(id="hook", kind="webhook", url="env:HOOK", before=(Duration(seconds=3600),)),),
    )
    with Ledger(database_url) as made:
        made.upgrade()
        made.publish(source, NOW)
        made.plan(["hook"], NOW)
        yield made


def claim(ledger: Ledger, limit: int = 10) -> list[Claimed]:
    return ledger.claim(DUE, limit, ["hook"], lambda _: True)


def test_what_was_claimed_without_anybody_hearing_of_it_is_claimed_again_at_once(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was handed out before stays in hand, and the try that never was does not count."""
    (first,) = claim(ledger, 1)
    write = ledger.database.write

    @contextmanager
    def cut() -> Iterator[object]:
        with write() as connection:
            yield connection
        raise LedgerBusy("cut after the commit")

    with monkeypatch.context() as patched:
        patched.setattr(ledger.database, "write", cut)
        with pytest.raises(LedgerBusy):
            claim(ledger)
    assert len(ledger.deliveries(state="sending")) == 3
    again = claim(ledger)
    assert {first.id, *(one.id for one in again)} == {one.id for one in ledger.deliveries()}
    assert len(again) == 2
    done = [Settlement(delivery=one.id, attempt=one.attempt, result=Result.SENT, ended=DUE) for one in (first, *again)]
    ledger.settle(done, DUE)
    ledger.settle(done, DUE)  # once more, as when the answer to the commit was cut off
    found = ledger.audit(DUE)
    assert (found.findings, found.outcomes, found.repeated) == ((), {"sent": 3}, 0)
