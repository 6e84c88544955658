"""How often one address may write, over all processes: counted once each, never kept in clear, soon forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from calfeed.errors import TooMany
from calfeed.ledger import Ledger
from calfeed.ledger.allowances import LONGEST, Quota
from calfeed.ledger.schema import allowance, salt

NOW = datetime(2024, 5, 14, 9, tzinfo=UTC)
SIX = Quota("writes", 6, timedelta(hours=1))
ADDRESS = "192.0.2.1"


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    with Ledger(database_url) as made:
        made.upgrade()
        yield made


def taken(ledger: Ledger, minutes: float, address: str = ADDRESS, quota: Quota = SIX) -> int | str:
    try:
        return int(ledger.self_service.take(quota, address, NOW + timedelta(minutes=minutes)))
    except TooMany as fault:
        return f"wait {fault.seconds}"


def rows(ledger: Ledger) -> list[str]:
    with ledger.database.read() as connection:
        return [str(row) for table in (allowance, salt) for row in connection.execute(select(table))]


def test_the_quota_may_be_used_at_once_and_comes_back_evenly(ledger: Ledger) -> None:
    found = [taken(ledger, minutes) for minutes in (0, 0, 0, 0, 0, 0, 0, 9, 10, 10, 90)]
    assert found == [5, 4, 3, 2, 1, 0, "wait 600", "wait 60", 0, "wait 600", 5]


def test_a_clock_that_goes_back_gives_nothing(ledger: Ledger) -> None:
    for _ in range(6):
        taken(ledger, 60)
    assert [taken(ledger, 0), taken(ledger, 69), taken(ledger, 70)] == ["wait 600", "wait 60", 0]


def test_processes_that_ask_at_once_give_no_more_than_there_is(ledger: Ledger, database_url: str) -> None:
    others = [Ledger(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: taken(others[number % 4], 0), range(20)))
    for one in others:
        one.close()
    assert sorted(one for one in found if isinstance(one, int)) == [0, 1, 2, 3, 4, 5]
    assert found.count("wait 600") == 14


def test_addresses_and_quotas_do_not_share(ledger: Ledger) -> None:
    other = Quota("subscriptions", 2, timedelta(hours=1))
    found = [taken(ledger, 0), taken(ledger, 0, "192.0.2.2"), taken(ledger, 0, quota=other), taken(ledger, 0)]
    assert found == [5, 5, 1, 4]


def test_no_address_is_kept_in_clear_and_its_hash_changes_with_the_day(ledger: Ledger) -> None:
    taken(ledger, 0)
    today = rows(ledger)
    taken(ledger, 24 * 60)
    tomorrow = rows(ledger)
    assert [one for one in (*today, *tomorrow) if ADDRESS in one] == []
    assert (len(today), len(tomorrow)) == (2, 3)
    assert set(today) & set(tomorrow) == {today[0]}, "yesterday's salt has gone"


def test_what_has_filled_up_is_forgotten(ledger: Ledger) -> None:
    taken(ledger, 0)
    ledger.self_service.prune(NOW + LONGEST)
    assert len(rows(ledger)) == 2
    ledger.self_service.prune(NOW + timedelta(days=1))
    assert rows(ledger) == []
