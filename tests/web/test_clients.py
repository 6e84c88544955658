"""Who polls, as all web processes saw it: noted in memory, written in groups, shown also while the ledger is away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calfeed.errors import LedgerBusy
from calfeed.ledger import Ledger
from calfeed.ledger.polls import Poll
from calfeed.web import clients
from calfeed.web.clients import Polls

NOW = datetime(2024, 5, 14, 9, tzinfo=UTC)
PATH = "/feeds/all.ics"
GOOGLE, THUNDERBIRD = "Google-Calendar-Importer", "Mozilla/5.0 (X11) Thunderbird/153.0"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Books:
    """A ledger that can be away, and counts how often it is written to."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.away = False
        self.writes = 0

    def note_polls(self, seen: Iterable[Poll], now: datetime) -> None:
        self._asked()
        self.writes += 1
        self.ledger.note_polls(seen, now)

    def polls(self, now: datetime) -> list[Poll]:
        self._asked()
        return self.ledger.polls(now)

    def _asked(self) -> None:
        if self.away:
            raise LedgerBusy("away")


@pytest.fixture
def books(database_url: str) -> Iterator[Books]:
    with Ledger(database_url) as ledger:
        ledger.upgrade()
        yield Books(ledger)


def worker(clock: Clock, books: Books) -> Polls:
    return Polls(lambda _: "new", clock, books)


def shown(polls: Polls) -> list[tuple[str, str, int, int]]:
    """(family, version, polls, minutes ago), last seen first."""
    now = polls._clock()
    return [(one.family, one.etag, one.polls, (now - one.at).seconds // 60) for one in polls.recent()]


def test_workers_show_one_view(clock: Clock, books: Books) -> None:
    """A family that asks one worker and then the other is one family, and holds what it was given last."""
    one, two = worker(clock, books), worker(clock, books)
    one.seen(PATH, GOOGLE, "old")
    one.seen(PATH, THUNDERBIRD, "old")
    clock.now += timedelta(minutes=5)
    two.seen(PATH, GOOGLE, "new")
    two.flush()
    one.flush()
    for each in (one, two):
        assert shown(each) == [("Google Calendar", "new", 2, 0), ("Thunderbird", "old", 1, 5)]
        assert each.reached(PATH, each.recent()) == (1, 2)


def test_a_worker_shows_its_own_at_once(clock: Clock, books: Books) -> None:
    one = worker(clock, books)
    one.seen(PATH, GOOGLE, "new")
    one.flush()
    one.seen(PATH, GOOGLE, "new")
    assert shown(one) == [("Google Calendar", "new", 2, 0)]


def test_a_thousand_polls_are_one_write_and_silence_is_none(clock: Clock, books: Books) -> None:
    one = worker(clock, books)
    for _ in range(1_000):
        one.seen(PATH, GOOGLE, "new")
    for _ in range(3):
        one.flush()
    assert (shown(one), books.writes) == ([("Google Calendar", "new", 1_000, 0)], 1)


def test_while_the_ledger_is_away_the_page_shows_what_was_known_and_nothing_is_forgotten(
    clock: Clock, books: Books
) -> None:
    one, two = worker(clock, books), worker(clock, books)
    two.seen(PATH, THUNDERBIRD, "old")
    two.flush()
    one.recent()
    clock.now += timedelta(minutes=1)
    books.away = True
    one.seen(PATH, GOOGLE, "new")
    one.flush()
    one.seen(PATH, GOOGLE, "new")
    assert shown(one) == [("Google Calendar", "new", 2, 0), ("Thunderbird", "old", 1, 1)]
    books.away = False
    one.flush()
    assert shown(two) == [("Google Calendar", "new", 2, 0), ("Thunderbird", "old", 1, 1)]


def test_two_weeks_of_silence_end_it(clock: Clock, books: Books) -> None:
    one = worker(clock, books)
    one.seen(PATH, GOOGLE, "new")
    one.flush()
    clock.now += timedelta(days=14)
    assert [row[0] for row in shown(one)] == ["Google Calendar"]
    clock.now += timedelta(minutes=1)
    one.seen(PATH, THUNDERBIRD, "new")
    one.flush()
    assert [row[0] for row in shown(one)] == ["Thunderbird"]
    with books.ledger.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM poll").scalar() == 1


def test_what_waits_for_the_ledger_is_bounded(clock: Clock, books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "MOST", 2)
    one = worker(clock, books)
    for number in range(5):
        one.seen(f"/feeds/{number}.ics", GOOGLE, "new")
    assert len(one.recent()) == 2


def test_no_address_and_no_text_of_a_client_is_kept(served: Any) -> None:
    """Whatever a client calls itself, what is kept is a name from our own list."""
    for agent in ("reader@example.org 192.0.2.7", "Thunderbird of reader@example.org"):
        served.client.get(PATH, headers={"User-Agent": agent}, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    served.app.extensions["calfeed"].polls.flush()
    with served.ledger.database.read() as connection:
        kept = connection.exec_driver_sql("SELECT family FROM poll ORDER BY family").scalars().all()
        everything = str(connection.exec_driver_sql("SELECT * FROM poll").all())
    assert (kept, "192.0.2" in everything, "example.org" in everything) == (["Other", "Thunderbird"], False, False)


def test_programs_read_it_too(served: Any) -> None:
    served.client.get(PATH, headers={"User-Agent": GOOGLE})
    served.edit('summary = "Talks"', 'summary = "More talks"')
    served.client.get(PATH, headers={"User-Agent": THUNDERBIRD})
    assert served.client.get("/api/v1/clients").status_code == 401
    bearer = {"Authorization": "Bearer a-token-for-operators-only"}
    found = served.client.get("/api/v1/clients", headers=bearer).get_json()
    assert found["feeds"][0] == {"feed": "all", "polling": 2, "reached": 1}
    assert sorted((one["client"], one["feed"], one["polls"], one["present"]) for one in found["clients"]) == [
        ("Google Calendar", "all", 1, False),
        ("Thunderbird", "all", 1, True),
    ]
