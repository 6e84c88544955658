"""100,000 subscriptions to one event: copied page by page, with everything else passing in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from calfeed.events.model import Calendar, Catalog, Channel, Duration, Event, Feed, Text
from calfeed.ledger import Ledger, Result, Settlement
from calfeed.ledger.audiences import Audience
from calfeed.ledger.copies import PAGE
from calfeed.ledger.ids import new_ids
from calfeed.ledger.schema import delivery, subscription
from calfeed.ledger.subscriptions import Wish

NOW = datetime(2024, 5, 10, tzinfo=UTC)
TALKS = datetime(2024, 5, 12, 2, tzinfo=UTC)
DUE = TALKS - timedelta(hours=1)
HOUR = (Duration(seconds=3600),)
MANY = 100_000


def text(words: str) -> Text:
    return Text((("en", words),))


def catalog(start: datetime) -> Catalog:
    event = Event(
        id="talks", uid="uid", summary=text("Talks"), start=start, end=start + timedelta(hours=1), timezone="UTC"
    )
    return Catalog(
        calendar=Calendar(id="visit", name=text("Visit"), timezone="UTC"),
        events=(event,),
        feeds=(Feed(id="all", name=text("All")),),
        channels=(Channel(id="hook", kind="webhook", url="", before=HOUR),),
    )


def crowd(ledger: Ledger) -> None:
    """As many active subscriptions as `MANY`, of one audience."""
    audience = Audience(feed="all", categories=(), before=HOUR)
    first, _ = ledger.self_service.create(
        Wish(
            audience=audience, kind="webhook", url="https://example.org/", host="example.org", home="https://c.example"
        ),
        NOW,
    )
    ledger.self_service.verify(first.id, NOW)
    with ledger.database.write() as connection:
        row = dict(connection.execute(select(subscription)).mappings().one())
        ids = new_ids(NOW + timedelta(seconds=1))
        rows = [{**row, "id": f"sub_{next(ids)}", "place": str(number)} for number in range(MANY - 1)]
        connection.execute(insert(subscription), rows)


def copies(ledger: Ledger) -> int:
    with ledger.database.read() as connection:
        count = select(func.count()).where(delivery.c.subscription.is_not(None), delivery.c.kind == "reminder")
        return connection.execute(count).scalar_one()


@pytest.mark.slow
def test_a_crowd_is_served_page_by_page_and_holds_up_nobody(tmp_path: Path) -> None:
    with Ledger(f"sqlite:///{tmp_path / 'calfeed.db'}", role="remind") as ledger:
        ledger.upgrade()
        ledger.publish(catalog(TALKS), NOW)
        crowd(ledger)
        assert ledger.plan(["hook"], NOW) == 2  # one for the channel, one for the whole crowd

        pages = 0
        while ledger.self_service.spread(DUE):
            pages += 1
            if pages == 10:  # half way through, the channel's own reminder is there to be claimed and settled
                (ours,) = ledger.claim(DUE, 10, ["hook"], lambda _: True)
                sent = Settlement(delivery=ours.id, attempt=1, result=Result.SENT, started=DUE, ended=DUE)
                ledger.settle([sent], DUE)
        assert (pages, copies(ledger)) == (MANY // PAGE + 1, MANY)

        claimed = ledger.self_service.claim(DUE, 50, lambda _: 0.0)
        assert len({one.subscription.id for one in claimed}) == 50

        ledger.publish(catalog(TALKS + timedelta(days=1)), DUE)  # the edit touches none of the copies
        kinds = [(one.kind, str(one.state)) for one in ledger.deliveries(channel="hook")]
        assert sorted(kinds) == [("change", "pending"), ("reminder", "pending"), ("reminder", "sent")]
