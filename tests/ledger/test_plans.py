"""What a claim costs does not grow with what waits: held by the rows PostgreSQL reads, whatever it knows of them.

Its statistics are those of a table in which nothing waits, as they are when a burst falls due before they are taken
anew; and those of the burst itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, text

from calfeed.ledger import Ledger

NOW = datetime(2024, 5, 10, tzinfo=UTC)
WAITING = 20_000
LIMIT = 50
SERVED = [f"c{number}" for number in range(10)]

FILL = text("""
WITH one AS (
    SELECT n, :name || lpad(n::text, 6, '0') AS id, CAST(:now AS timestamptz) - n % 60 * interval '1 second' AS due,
           CASE WHEN n % 100 = 0 THEN 'c' || n / 100 % 10 ELSE 'c0' END AS channel
    FROM generate_series(1, :count) n
)
INSERT INTO delivery (id, key, kind, channel, uid, subject, due, at, planned, expires, ends, state, settled,
                      before, revision)
SELECT id, id, :kind, channel, 'uid' || n, 'uid' || n || '||1h|' || channel, due, due, due,
       due + interval '1 hour', due + interval '1 hour', :name, CASE WHEN :name = 'sent' THEN due END, 1, 2
FROM one
""")

COPIES = text("""
INSERT INTO delivery (id, key, kind, channel, subscription, uid, subject, due, at, planned, state, before, revision)
SELECT 'copy' || n, 'copy' || n, 'change', 'audience', 'sub_' || n, 'uid' || n % 10, '', due, due, due, 'pending', 1, 2
FROM (SELECT n, CAST(:now AS timestamptz) + interval '1 hour' AS due FROM generate_series(1, :count) n) one
""")


def fill(ledger: Ledger, state: str, count: int, kind: str) -> None:
    with ledger.database.write() as connection:
        connection.execute(FILL, {"name": state, "count": count, "now": NOW, "kind": kind})


def analyze(ledger: Ledger) -> None:
    with ledger.database.write() as connection:
        connection.execute(text("ANALYZE delivery"))


@pytest.fixture(params=["nothing waited", "as it is"])
def known(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["reminder", "change"])
def burst(postgresql_url: str, known: str, request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """One channel has nearly all that waits, nine others a few each."""
    with Ledger(postgresql_url) as ledger:
        ledger.upgrade()
        fill(ledger, "sent", 2_000, request.param)
        analyze(ledger)
        fill(ledger, "pending", WAITING, request.param)
        if known == "as it is":
            analyze(ledger)
        yield ledger


@contextmanager
def touched(ledger: Ledger) -> Iterator[Counter[str]]:
    """The rows that each statement reads, by its beginning; each is run once more, for its plan, and undone."""
    found: Counter[str] = Counter()

    def look(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "delivery" in statement:
            cursor.execute("SAVEPOINT look")
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
            ((((plan,),),),) = (cursor.fetchall(),)
            cursor.execute("ROLLBACK TO SAVEPOINT look")
            found[statement.split(maxsplit=1)[0]] += rows(plan["Plan"])

    event.listen(ledger.database.engine, "before_cursor_execute", look)
    yield found
    event.remove(ledger.database.engine, "before_cursor_execute", look)


def rows(node: dict[str, Any]) -> int:
    """What is read below, and what was read in vain."""
    own = node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
    return int(own) + sum(rows(each) for each in node.get("Plans", ()))


def claimed(ledger: Ledger, admit: Callable[[str], bool]) -> Counter[str]:
    with touched(ledger) as found:
        taken = ledger.claim(NOW, LIMIT, SERVED, admit)
    assert (len(taken), max(found.values()) < WAITING / 10) == (LIMIT, True), found
    return Counter(one.channel for one in taken)


def test_a_claim_reads_what_it_takes(burst: Ledger) -> None:
    assert claimed(burst, lambda _: True).total() == LIMIT


def test_a_claim_beside_a_flooded_channel_does_not_look_through_what_waits_for_that(burst: Ledger) -> None:
    assert "c0" not in claimed(burst, lambda name: name != "c0")


def test_a_notice_does_not_look_through_the_copies_that_go_to_subscriptions(burst: Ledger, known: str) -> None:
    """Nine events, of all that are told, have 20,000."""
    with burst.database.write() as connection:
        connection.execute(COPIES, {"count": WAITING, "now": NOW})
    if known == "as it is":
        analyze(burst)
    assert claimed(burst, lambda _: True).total() == LIMIT
