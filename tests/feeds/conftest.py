"""Calendars written as TOML, published as the ledger would."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from calfeed.events.changes import revise
from calfeed.events.parse import load
from calfeed.feeds.select import Query
from calfeed.feeds.snapshot import Snapshot, build

NOW = datetime(2024, 5, 10, tzinfo=UTC)
BASE = "https://example.org"
CALENDAR = '[calendar]\nid = "c"\nname = "Calendar"\ntimezone = "Europe/Paris"\n'

Publish = Callable[..., Snapshot]
Feed = Callable[..., list[str]]


@pytest.fixture
def publish() -> Publish:
    """``publish(toml, now=…, after=snapshot)``: a snapshot whose revisions go on from an older one's."""

    def publish(toml: str, *, now: datetime = NOW, after: Snapshot | None = None) -> Snapshot:
        text = toml if "[calendar]" in toml else CALENDAR + toml
        catalog = load([("events.toml", text)])
        old = after.revisions if after else {}
        revised = revise(catalog, old, now, catalog.calendar.tombstone.as_timedelta())
        changes = (*revised.changes, *(after.changes if after else ()))
        return build(catalog, revised.revisions, changes, base_url=BASE, now=now, previous=after)

    return publish


@pytest.fixture
def lines() -> Feed:
    """``lines(snapshot, "lang=ru&alarm=30m")``: the unfolded lines of a feed, its calendar's own aside."""

    def lines(snapshot: Snapshot, query: str = "", path: str = "/feeds/all.ics", *, private: bool = False) -> list[str]:
        pairs = [tuple(pair.split("=", 1)) for pair in query.split("&") if pair]
        found = snapshot.resource(path, Query.parse(pairs), private=private)  # type: ignore[arg-type]  # pairs of two
        assert found is not None
        text = found.body.replace(b"\r\n ", b"").decode()
        return text.partition("BEGIN:VEVENT")[2].split("\r\n") if "BEGIN:VEVENT" in text else []

    return lines
