"""When an event happens: rules over changes of the clock, exceptions, overrides, spans."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from calfeed.events.model import Event, Moment, Occurrence, Text
from calfeed.events.occurrences import all_occurrences, end_of, last_end, occurrences, occurs

PARIS, NEW_YORK, CAIRO = ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York"), ZoneInfo("Africa/Cairo")
YEAR = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))


def event(start: Moment, end: Moment | None = None, rrule: str | None = None, **more: object) -> Event:
    zone = start.tzinfo.key if isinstance(start, datetime) and isinstance(start.tzinfo, ZoneInfo) else "Europe/Paris"
    given = {"id": "e", "uid": "u", "summary": Text((("en", "E"),)), "timezone": zone}
    if end is None and not isinstance(start, datetime):
        end = start + timedelta(days=1)
    return Event(**(given | more), start=start, end=end, rrule=rrule)


def at(text: str, zone: ZoneInfo = PARIS) -> datetime:
    return datetime.fromisoformat(text).astimezone(zone)


def starts(found: Iterable[Occurrence]) -> list[str]:
    return [each.start.isoformat() for each in found]


def test_an_event_that_does_not_recur_happens_once() -> None:
    """It is its own only occurrence, and has no recurrence id."""
    single = event(at("2024-05-17T10:00:00+02:00"), at("2024-05-17T11:00:00+02:00"))
    assert list(occurrences(single, *YEAR)) == [Occurrence(single, single.start, single.end or single.start)]


def test_a_weekly_rule() -> None:
    """Each occurrence has its own start and end, and the rule's moment as recurrence id."""
    weekly = event(at("2024-05-17T10:00:00+02:00"), at("2024-05-17T11:30:00+02:00"), "FREQ=WEEKLY;COUNT=2")
    second = at("2024-05-24T10:00:00+02:00")
    assert list(occurrences(weekly, *YEAR)) == [
        Occurrence(weekly, weekly.start, at("2024-05-17T11:30:00+02:00"), weekly.start),
        Occurrence(weekly, second, at("2024-05-24T11:30:00+02:00"), second),
    ]


def test_all_day_rules_keep_their_days() -> None:
    """Days are days: as many in each occurrence, whatever the clocks do."""
    monthly = event(date(2024, 3, 30), date(2024, 4, 1), "FREQ=MONTHLY;COUNT=2")
    assert [(each.start, each.end, each.recurrence_id) for each in occurrences(monthly, *YEAR)] == [
        (date(2024, 3, 30), date(2024, 4, 1), date(2024, 3, 30)),
        (date(2024, 4, 30), date(2024, 5, 2), date(2024, 4, 30)),
    ]


def test_the_wall_clock_holds_over_changes() -> None:
    """Ten o'clock stays ten o'clock."""
    weekly = event(at("2024-03-29T10:00:00+01:00"), rrule="FREQ=WEEKLY;COUNT=2")
    assert starts(occurrences(weekly, *YEAR)) == ["2024-03-29T10:00:00+01:00", "2024-04-05T10:00:00+02:00"]


def test_a_skipped_time_is_read_with_the_offset_before_the_gap() -> None:
    """RFC 5545 §3.3.5: 02:30 on the day that has none is 02:30 of winter time, which clocks show as 03:30."""
    daily = event(at("2024-03-30T02:30:00+01:00"), rrule="FREQ=DAILY;COUNT=3")
    assert starts(occurrences(daily, *YEAR)) == [
        "2024-03-30T02:30:00+01:00",
        "2024-03-31T03:30:00+02:00",
        "2024-04-01T02:30:00+02:00",
    ]


def test_a_repeated_time_is_the_first() -> None:
    """RFC 5545 §3.3.5."""
    daily = event(at("2024-10-26T02:30:00+02:00"), rrule="FREQ=DAILY;COUNT=3")
    assert starts(occurrences(daily, *YEAR)) == [
        "2024-10-26T02:30:00+02:00",
        "2024-10-27T02:30:00+02:00",
        "2024-10-28T02:30:00+01:00",
    ]


def test_the_start_may_be_the_second_reading() -> None:
    """Who chose the repeated hour's second reading as the start gets it, once."""
    second = at("2024-10-27T02:30:00+01:00")
    assert starts(occurrences(event(second, rrule="FREQ=DAILY;COUNT=2"), *YEAR)) == [
        "2024-10-27T02:30:00+01:00",
        "2024-10-28T02:30:00+01:00",
    ]


def test_nothing_happens_twice_at_a_gap() -> None:
    """An hourly rule's skipped hour is the next one, and is there once and in order."""
    hourly = event(at("2024-03-31T01:30:00+01:00"), rrule="FREQ=HOURLY;COUNT=4")
    assert starts(occurrences(hourly, *YEAR)) == [
        "2024-03-31T01:30:00+01:00",
        "2024-03-31T03:30:00+02:00",
        "2024-03-31T04:30:00+02:00",
    ]
    mixed = event(at("2024-03-31T01:45:00+01:00"), rrule="FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=15,45;COUNT=5")
    assert starts(occurrences(mixed, *YEAR)) == [
        "2024-03-31T01:45:00+01:00",
        "2024-03-31T03:15:00+02:00",
        "2024-03-31T03:45:00+02:00",
    ]


def test_a_timed_occurrence_is_exactly_as_long() -> None:
    """RFC 5545 §3.8.5.3: a night over the change ends eight hours later, not at the same hour."""
    nightly = event(at("2024-03-29T22:00:00+01:00"), at("2024-03-30T06:00:00+01:00"), "FREQ=DAILY;COUNT=2")
    assert [each.end for each in occurrences(nightly, *YEAR)] == [
        at("2024-03-30T06:00:00+01:00"),
        at("2024-03-31T07:00:00+02:00"),
    ]
    assert end_of(nightly, at("2024-10-26T22:00:00+02:00")) == at("2024-10-27T05:00:00+01:00")


def test_until_is_an_instant() -> None:
    """It counts in UTC and belongs to the rule."""
    rule = "FREQ=DAILY;UNTIL=20240519T080000Z"
    assert len(list(occurrences(event(at("2024-05-17T10:00:00+02:00"), rrule=rule), *YEAR))) == 3
    assert len(list(occurrences(event(at("2024-05-17T10:00:01+02:00"), rrule=rule), *YEAR))) == 2
    new_york = event(at("2024-11-02T01:30:00-04:00", NEW_YORK), rrule="FREQ=DAILY;UNTIL=20241103T053000Z")
    assert starts(occurrences(new_york, *YEAR)) == ["2024-11-02T01:30:00-04:00", "2024-11-03T01:30:00-04:00"]


def test_midnight_that_does_not_exist() -> None:
    """In Cairo summer time begins at midnight: a daily midnight is one o'clock that day."""
    daily = event(at("2024-04-25T00:00:00+02:00", CAIRO), rrule="FREQ=DAILY;COUNT=3")
    assert starts(occurrences(daily, *YEAR)) == [
        "2024-04-25T00:00:00+02:00",
        "2024-04-26T01:00:00+03:00",
        "2024-04-27T00:00:00+03:00",
    ]


def test_extra_and_left_out_dates() -> None:
    """rdate adds, also without a rule and once where the rule has it already; exdate takes away, by instant."""
    first, extra = at("2024-05-17T10:00:00+02:00"), at("2024-05-20T15:00:00+02:00")
    dates = event(first, at("2024-05-17T12:00:00+02:00"), rdate=(extra,))
    assert [(each.start, each.end) for each in occurrences(dates, *YEAR)] == [
        (first, at("2024-05-17T12:00:00+02:00")),
        (extra, at("2024-05-20T17:00:00+02:00")),
    ]
    ruled = replace(dates, rrule="FREQ=WEEKLY;COUNT=3", rdate=(extra, at("2024-05-24T10:00:00+02:00")))
    ruled = replace(ruled, exdate=(at("2024-05-17T10:00:00+02:00", NEW_YORK),))
    assert starts(occurrences(ruled, *YEAR)) == [
        "2024-05-20T15:00:00+02:00",
        "2024-05-24T10:00:00+02:00",
        "2024-05-31T10:00:00+02:00",
    ]


def _overridden() -> Event:
    weekly = event(at("2024-05-17T10:00:00+02:00"), at("2024-05-17T11:00:00+02:00"), "FREQ=WEEKLY;COUNT=3")
    plain = replace(weekly, rrule=None)
    late = {"start": at("2024-06-20T18:00:00+02:00"), "end": at("2024-06-20T20:00:00+02:00")}
    moved = replace(plain, recurrence_id=at("2024-05-24T10:00:00+02:00"), **late)
    start, end = at("2024-05-31T10:00:00+02:00"), at("2024-05-31T11:00:00+02:00")
    off = replace(plain, recurrence_id=start, start=start, end=end, status="cancelled")
    return replace(weekly, overrides=(moved, off))


def test_overrides_stand_for_their_occurrence() -> None:
    """They come with their own event, at their own time; a cancelled one is told too."""
    weekly = _overridden()
    moved, off = weekly.overrides
    assert list(occurrences(weekly, *YEAR)) == [
        Occurrence(weekly, weekly.start, at("2024-05-17T11:00:00+02:00"), weekly.start),
        Occurrence(off, off.start, at("2024-05-31T11:00:00+02:00"), off.start),
        Occurrence(moved, moved.start, at("2024-06-20T20:00:00+02:00"), at("2024-05-24T10:00:00+02:00")),
    ]


def test_an_override_counts_where_it_moved_to() -> None:
    """Not in the span that it left, but in the one it went to."""
    weekly = _overridden()
    assert starts(occurrences(weekly, at("2024-05-24T00:00:00Z"), at("2024-05-25T00:00:00Z"))) == []
    assert starts(occurrences(weekly, at("2024-06-20T00:00:00Z"), at("2024-06-21T00:00:00Z"))) == [
        "2024-06-20T18:00:00+02:00"
    ]


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        ("2024-05-17T10:00:00+02:00", "2024-05-17T10:00:01+02:00", True),
        ("2024-05-17T10:59:59+02:00", "2024-05-17T12:00:00+02:00", True),
        ("2024-05-17T11:00:00+02:00", "2024-05-17T12:00:00+02:00", False),
        ("2024-05-17T09:00:00+02:00", "2024-05-17T10:00:00+02:00", False),
    ],
)
def test_a_span_holds_what_overlaps_it(since: str, until: str, found: bool) -> None:
    """Ends are exclusive on both sides."""
    hour = event(at("2024-05-17T10:00:00+02:00"), at("2024-05-17T11:00:00+02:00"))
    assert bool(list(occurrences(hour, at(since), at(until)))) is found


def test_an_instant_is_in_the_span_that_begins_with_it() -> None:
    """So that two spans that meet hold it once."""
    instant = event(at("2024-05-17T10:00:00+02:00"))
    before, then, after = (at(f"2024-05-17T{hour}:00:00+02:00") for hour in ("09", "10", "11"))
    assert [len(list(occurrences(instant, *span))) for span in ((before, then), (then, after))] == [0, 1]


def test_a_date_is_a_day_of_its_zone() -> None:
    """The day of Shanghai begins at 16:00 UTC."""
    day = event(date(2024, 5, 17), timezone="Asia/Shanghai")
    assert not list(occurrences(day, at("2024-05-16T00:00:00Z"), at("2024-05-16T16:00:00Z")))
    assert list(occurrences(day, at("2024-05-16T00:00:00Z"), at("2024-05-16T16:00:01Z")))


def test_long_ones_are_found_from_within() -> None:
    """An occurrence that began long before the span still touches it."""
    exhibition = event(date(2024, 1, 1), date(2024, 3, 1), "FREQ=YEARLY")
    found = list(occurrences(exhibition, at("2030-02-10T00:00:00Z"), at("2030-02-11T00:00:00Z")))
    assert [each.start for each in found] == [date(2030, 1, 1)]


def test_an_endless_rule_is_bounded() -> None:
    """No more than the limit, even of all time; and nothing beyond the years that dates may have."""
    daily = event(at("1990-01-01T09:00:00+01:00"), rrule="FREQ=DAILY")
    ever = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    assert len(list(occurrences(daily, *ever))) == 10_000
    assert len(list(occurrences(daily, *ever, limit=7))) == 7
    late = occurrences(daily, at("2199-12-30T00:00:00Z"), datetime.max.replace(tzinfo=UTC))
    assert starts(late) == ["2199-12-30T09:00:00+01:00", "2199-12-31T09:00:00+01:00"]


@pytest.mark.parametrize(
    "rrule",
    [
        "FREQ=SECONDLY;BYHOUR=3;BYMINUTE=0;BYSECOND=0;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;INTERVAL=86400;BYSECOND=17",
        "FREQ=SECONDLY;INTERVAL=2;BYSECOND=1,3,5,7,9,11,13,15,17",
        "FREQ=SECONDLY;INTERVAL=90;BYMINUTE=0,3,6,9,12,15,18,21;BYSECOND=30",
        "FREQ=HOURLY;INTERVAL=168;BYDAY=TU",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=WEEKLY;INTERVAL=20871;BYMONTH=2",
        "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
        "FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1",
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
        "FREQ=YEARLY;INTERVAL=999999999;BYMONTH=4;BYMONTHDAY=31",
    ],
)
def test_what_never_matches_ends(rrule: str) -> None:
    """A rule that gives nothing is looked for no longer than dates may be; only the start itself happens."""
    never = event(at("2024-05-17T10:00:00+02:00"), rrule=rrule)
    ever = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    assert starts(occurrences(never, *ever)) == ["2024-05-17T10:00:00+02:00"]


def test_a_calendar_in_order() -> None:
    """By start, whatever the kind of moment or the zone; ids decide among equals."""
    day = event(date(2024, 5, 17), id="day")
    midnight = event(at("2024-05-17T00:00:00+02:00"), id="b")
    also = event(at("2024-05-16T18:00:00-04:00", NEW_YORK), id="a")
    earlier = event(at("2024-05-16T23:00:00+02:00"), id="z")
    found = all_occurrences([day, midnight, also, earlier], *YEAR)
    assert [each.event.id for each in found] == ["z", "a", "b", "day"]


@pytest.mark.parametrize(
    ("given", "last"),
    [
        (event(at("2024-05-17T10:00:00+02:00")), "2024-05-17T08:00:00Z"),
        (event(date(2024, 5, 17), date(2024, 5, 19)), "2024-05-18T22:00:00Z"),
        (event(date(2024, 5, 17), rrule="FREQ=DAILY;UNTIL=20240520"), "2024-05-20T22:00:00Z"),
        (event(at("2024-05-17T10:00:00+02:00"), rrule="FREQ=DAILY;COUNT=3"), "2024-05-19T08:00:00Z"),
        (
            event(at("2024-02-29T10:00:00+01:00"), rrule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;UNTIL=20991231T000000Z"),
            "2096-02-29T09:00:00Z",
        ),
        (
            event(at("2024-05-17T10:00:00+02:00"), rdate=(at("2025-05-17T10:00:00+02:00"),)),
            "2025-05-17T08:00:00Z",
        ),
        (_overridden(), "2024-06-20T18:00:00Z"),
    ],
)
def test_the_last_end(given: Event, last: str) -> None:
    """The end of what happens last, overrides that moved included."""
    assert last_end(given) == datetime.fromisoformat(last)


def test_an_endless_rule_has_no_last_end() -> None:
    """None says that it never ends."""
    assert last_end(event(at("2024-05-17T10:00:00+02:00"), rrule="FREQ=YEARLY")) is None


def test_which_moments_are_occurrences() -> None:
    """By instant, of the right kind, exdates and overrides aside."""
    weekly = _overridden()
    assert occurs(weekly, at("2024-05-24T08:00:00Z", NEW_YORK))
    assert not occurs(weekly, at("2024-05-25T10:00:00+02:00"))
    assert not occurs(weekly, date(2024, 5, 24))
    assert not occurs(weekly, at("2024-06-20T18:00:00+02:00"))


def test_far_from_the_start() -> None:
    """A rule of centuries is entered where the span is."""
    hourly = event(at("1925-01-01T00:00:00Z"), rrule="FREQ=HOURLY")
    found = occurrences(hourly, at("2190-01-01T00:00:00Z"), at("2190-01-02T00:00:00Z"))
    assert starts(islice(found, 2)) == ["2190-01-01T01:00:00+01:00", "2190-01-01T02:00:00+01:00"]


def test_a_count_of_years() -> None:
    """COUNT's last one, be it thousands of times away or past the end of all dates."""
    weekdays = event(at("2024-05-17T10:00:00+02:00"), rrule="FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;COUNT=4000")
    assert last_end(weekdays) == datetime.fromisoformat("2101-01-10T10:00:00+01:00")
    beyond = event(at("2024-05-17T10:00:00+02:00"), rrule="FREQ=DAILY;INTERVAL=400;COUNT=10000")
    assert last_end(beyond) == datetime.fromisoformat("2199-08-08T10:00:00+02:00")


def test_what_does_not_recur_needs_no_dateutil() -> None:
    """A calendar without rules is read, checked and spread without importing it."""
    program = """
import sys
from datetime import UTC, datetime
from calfeed.events.occurrences import all_occurrences
from calfeed.events.parse import load
text = "calendar = {id = 'c', name = 'C', timezone = 'UTC'}\\nevents = [{id = 'e', summary = 'E', start = 2024-05-17}]"
events = load([("e.toml", text)]).events
found = all_occurrences(events, datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
print(len(found), "dateutil" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "1 False\n"
