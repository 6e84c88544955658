"""Small things others rely on: ids that sort, and a digest of the source that knows what matters."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calfeed.errors import Location
from calfeed.events.changes import digests
from calfeed.events.model import Calendar, Catalog, Channel, Duration, Event, Feed, Text
from calfeed.ledger.frame import from_frame, source_digest, to_frame
from calfeed.ledger.ids import new_id, new_ids
from calfeed.ledger.values import webhook_id

NOW = datetime(2024, 5, 10, tzinfo=UTC)


def test_ids_sort_by_time_and_within_a_call() -> None:
    later = [new_id(NOW + timedelta(milliseconds=n)) for n in range(50)]
    together = list(islice(new_ids(NOW), 50))
    assert later == sorted(set(later))
    assert together == sorted(set(together))


def test_ids_are_short_and_safe_in_urls() -> None:
    assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{26}", new_id(NOW))
    assert webhook_id("01hx") == "msg_01hx"


TEXT = Text((("en", "Visit"), ("zh", "访问")))
EVENT = Event(id="a", uid="uid-a", summary=TEXT, start=NOW, end=None, timezone="UTC")
CHANNEL = Channel(id="hook", kind="webhook", url="env:HOOK")
SOURCE = Catalog(
    calendar=Calendar(id="visit", name=TEXT, timezone="UTC"),
    events=(EVENT, replace(EVENT, id="b", uid="uid-b")),
    feeds=(Feed(id="all", name=TEXT),),
    channels=(CHANNEL,),
)


def said(source: Catalog) -> str:
    return source_digest(source, digests(source, {}))


def test_where_an_entry_stands_in_the_files_does_not_matter() -> None:
    moved = replace(EVENT, source=Location("other.toml", 7))
    assert said(replace(SOURCE, events=(moved, SOURCE.events[1]))) == said(SOURCE)


@pytest.mark.parametrize(
    "other",
    [
        replace(SOURCE, events=SOURCE.events[:1]),
        replace(SOURCE, events=SOURCE.events[::-1]),
        replace(SOURCE, events=(replace(EVENT, remind=(Duration(days=1),)), SOURCE.events[1])),
        replace(SOURCE, calendar=replace(SOURCE.calendar, color="crimson")),
        replace(SOURCE, feeds=()),
        replace(SOURCE, channels=(replace(CHANNEL, before=(Duration(days=2),)),)),
        replace(SOURCE, channels=(replace(CHANNEL, url="env:OTHER"),)),
    ],
)
def test_whatever_else_differs_is_another_source(other: Catalog) -> None:
    assert said(other) != said(SOURCE)


@settings(max_examples=30)
@given(language=st.none() | st.sampled_from(["en", "zh-Hant"]), days=st.integers(0, 9), seconds=st.integers(0, 86399))
def test_a_frame_gives_back_what_it_was_made_of(language: str | None, days: int, seconds: int) -> None:
    lead = Duration(days=days, seconds=seconds)
    clock = (NOW + timedelta(seconds=seconds)).time()
    channel = replace(CHANNEL, language=language, before=(lead,), digest=clock, quiet=(clock, clock))
    calendar = replace(SOURCE.calendar, refresh=lead, all_day_at=clock)
    source = replace(SOURCE, calendar=calendar, channels=(channel,))
    assert from_frame(to_frame(source), source.by_uid) == source


def test_no_address_that_is_written_out_reaches_a_frame() -> None:
    secret = replace(CHANNEL, url="https://example.org/secret", secret="whsec_secret")
    assert "secret" not in str(to_frame(replace(SOURCE, channels=(secret,))))
