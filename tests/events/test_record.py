"""Records and digests are kept in databases and files for ever: literally the same in every version."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from calfeed.events.model import Conference, Duration, Event, Person, Place, Source, Text
from calfeed.events.record import digest, from_record, moment_text, parse_moment, to_record

PARIS, SHANGHAI = ZoneInfo("Europe/Paris"), ZoneInfo("Asia/Shanghai")

DAY = Event(
    id="visit",
    uid="9f0b1c1e-6f5c-5c1e-8f5e-0d6f4f5b7a10",
    summary=Text((("en", "State visit"),)),
    start=date(2024, 5, 16),
    end=date(2024, 5, 18),
    timezone="Asia/Shanghai",
)

FULL = Event(
    id="lecture",
    uid="u-lecture",
    summary=Text((("zh", "讲座"), ("en", "Lecture"))),
    start=datetime(2024, 10, 20, 2, 30, tzinfo=PARIS),
    end=datetime(2024, 10, 20, 4, 0, tzinfo=PARIS),
    timezone="Europe/Paris",
    description=Text((("en", "One\n*two*"),)),
    status="tentative",
    location=Place(
        Text((("en", "Hall"),)), Text((("en", "1 Main Street"),)), (45.77, 126.68), "https://example.org/hall"
    ),
    categories=("expo", "вузы"),
    url="https://example.org/lecture",
    image="https://example.org/lecture.jpg",
    conference=(
        Conference("https://example.org/live", Text((("en", "Live"),)), ("audio", "video")),
        Conference("tel:+10000000000"),
    ),
    organizer=Person(Text((("en", "Committee"),)), "desk@example.org"),
    contact=Text((("en", "Press desk"),)),
    attach=("https://example.org/programme.pdf",),
    sources=(Source(Text((("en", "Programme"),)), "https://example.org/programme", date(2024, 5, 14)),),
    parent="9f0b1c1e-6f5c-5c1e-8f5e-0d6f4f5b7a10",
    transparency="opaque",
    visibility="unlisted",
    embargo=datetime(2024, 5, 15, tzinfo=UTC),
    priority=0,
    rrule="FREQ=WEEKLY;COUNT=4",
    rdate=(datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=PARIS),),
    exdate=(datetime(2024, 10, 27, 2, 30, tzinfo=PARIS),),
    remind=(Duration(days=1), Duration(seconds=5400)),
)

MOVED = replace(
    FULL,
    start=datetime(2024, 11, 4, 9, tzinfo=SHANGHAI),
    end=None,
    timezone="Asia/Shanghai",
    location=None,
    rrule=None,
    rdate=(),
    exdate=(),
    recurrence_id=datetime(2024, 11, 3, 2, 30, tzinfo=PARIS),
)
SERIES = replace(FULL, overrides=(MOVED,))


def test_a_plain_record() -> None:
    """Keys that hold their defaults are left out."""
    assert to_record(DAY) == {
        "id": "visit",
        "uid": "9f0b1c1e-6f5c-5c1e-8f5e-0d6f4f5b7a10",
        "timezone": "Asia/Shanghai",
        "summary": [["en", "State visit"]],
        "start": "2024-05-16",
        "end": "2024-05-18",
    }


def test_a_full_record() -> None:
    """Every key in its form; an override holds what differs, and null for what its event has and it has not."""
    assert to_record(SERIES) == {
        "id": "lecture",
        "uid": "u-lecture",
        "timezone": "Europe/Paris",
        "summary": [["zh", "讲座"], ["en", "Lecture"]],
        "start": "2024-10-20T02:30:00+02:00",
        "end": "2024-10-20T04:00:00+02:00",
        "description": [["en", "One\n*two*"]],
        "status": "tentative",
        "location": {
            "name": [["en", "Hall"]],
            "address": [["en", "1 Main Street"]],
            "geo": [45.77, 126.68],
            "url": "https://example.org/hall",
        },
        "categories": ["expo", "вузы"],
        "url": "https://example.org/lecture",
        "image": "https://example.org/lecture.jpg",
        "conference": [
            {"uri": "https://example.org/live", "label": [["en", "Live"]], "features": ["audio", "video"]},
            {"uri": "tel:+10000000000"},
        ],
        "organizer": {"name": [["en", "Committee"]], "email": "desk@example.org"},
        "contact": [["en", "Press desk"]],
        "attach": ["https://example.org/programme.pdf"],
        "sources": [
            {"title": [["en", "Programme"]], "url": "https://example.org/programme", "published": "2024-05-14"}
        ],
        "parent": "9f0b1c1e-6f5c-5c1e-8f5e-0d6f4f5b7a10",
        "transparency": "opaque",
        "visibility": "unlisted",
        "embargo": "2024-05-15T00:00:00Z",
        "priority": 0,
        "rrule": "FREQ=WEEKLY;COUNT=4",
        "rdate": ["2024-10-27T02:30:00+01:00"],
        "exdate": ["2024-10-27T02:30:00+02:00"],
        "remind": [[1, 0], [0, 5400]],
        "overrides": [
            {
                "recurrence_id": "2024-11-03T02:30:00+01:00[Europe/Paris]",
                "start": "2024-11-04T09:00:00+08:00",
                "end": None,
                "timezone": "Asia/Shanghai",
                "location": None,
            }
        ],
    }


@pytest.mark.parametrize("event", [DAY, FULL, SERIES], ids=["day", "full", "series"])
def test_there_and_back(event: Event) -> None:
    """Through JSON text, to the same event: equal fields, zones and readings of a repeated hour."""
    made = from_record(json.loads(json.dumps(to_record(event))))
    assert made == event
    assert to_record(made) == to_record(event)
    assert [moment.fold for moment in made.rdate if isinstance(moment, datetime)] == [1] * len(event.rdate)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (DAY, "5c66e75357e6c176b38bec1777d932002d9d213d2ab3bd4f9b034b1a0b338122"),
        (FULL, "f62f7d8ab90c3af6dfe0f556cbd6d464ba7666a05687292b2c56bf5a3a91f0a5"),
        (SERIES, "380c44d37620a3e516c0e25045394ca3e441acf5f84d40516942861dfecfd806"),
        (replace(DAY, tba="date"), "428c4831181541e5bdb3421b7708e9131cdafb9d8eb673d5f21471128e8ba795"),
    ],
    ids=["day", "full", "series", "tba"],
)
def test_golden_digests(event: Event, expected: str) -> None:
    """These never change: a new digest would give every event of every calendar a new revision."""
    assert digest(event) == expected


def test_the_reading_of_an_hour_is_content() -> None:
    """Python calls the two readings of a repeated hour equal; readers do not."""
    first, second = (datetime(2024, 10, 27, 2, 30, fold=fold, tzinfo=PARIS) for fold in (0, 1))
    one, other = (replace(FULL, start=start, rdate=(), exdate=(), rrule=None) for start in (first, second))
    assert one == other
    assert digest(one) != digest(other)


def test_a_changed_law_keeps_the_instant() -> None:
    """A record from before a zone changed its offset means the instant that was published."""
    assert moment_text(parse_moment("2024-05-17T10:00:00+05:00", "Europe/Paris"), "Europe/Paris") == (
        "2024-05-17T07:00:00+02:00"
    )
