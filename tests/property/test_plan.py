"""Laws of the plan: what falls due depends on the event list alone, whatever the steps in which it is asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from calfeed.events.model import Calendar, Catalog, Channel, Duration, Event, Text, moment_key
from calfeed.reminders import clock
from calfeed.reminders.digest import DueDigest, due_digests, find_digest
from calfeed.reminders.explain import explain
from calfeed.reminders.plan import DueReminder, due_reminders, find_reminder, zone_of

ZONES = [
    "Asia/Shanghai", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC",
    "Africa/Casablanca", "Pacific/Kiritimati", "Europe/Dublin",
]  # fmt: skip
# the clocks of Paris and New York change in March; Apia had no December 30, 2011
FIRST_DAYS = [date(2024, 3, 8), date(2024, 3, 29), date(2024, 10, 4), date(2024, 10, 25), date(2011, 12, 28)]

zones = st.sampled_from(ZONES)
leads = st.lists(
    st.sampled_from(["0m", "10m", "1h", "90m", "8h", "24h", "1d", "1d6h", "3d"]).map(Duration.parse), max_size=4
)
clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
first = st.sampled_from(FIRST_DAYS)
plenty = settings(deadline=None, max_examples=150)


@st.composite
def events(draw: st.DrawFn, number: int, begin: date) -> Event:
    zone = draw(zones)
    day = begin + timedelta(days=draw(st.integers(-1, 5)))
    all_day = draw(st.booleans())
    start: Any = day if all_day else datetime.combine(day, draw(clocks), ZoneInfo(zone))
    long = timedelta(days=draw(st.integers(1, 3)) if all_day else draw(st.sampled_from([0, 0.02, 1.1])))
    return Event(
        id=f"e{number}",
        uid=f"u{number}",
        summary=Text((("en", "x"),)),
        start=start,
        end=start + long if all_day or long else None,
        timezone=zone,
        tba=draw(st.sampled_from([None, "time", "date"])) if all_day else None,
        status=draw(st.sampled_from(["confirmed", "tentative", "cancelled"])),
        categories=draw(st.sampled_from([(), ("a",), ("a", "b")])),
        embargo=draw(st.none() | st.datetimes(*window(begin), timezones=st.just(UTC))),
        rrule=draw(st.sampled_from([None, None, "FREQ=DAILY;COUNT=4", "FREQ=WEEKLY"])),
        remind=draw(st.none() | leads.map(tuple)),
    )


def window(begin: date) -> tuple[datetime, datetime]:
    """A span around the day, without zone."""
    middle = datetime.combine(begin, time())
    return middle - timedelta(days=4), middle + timedelta(days=9)


@st.composite
def channels(draw: st.DrawFn, number: int) -> Channel:
    return Channel(
        id=f"c{number}",
        kind="webhook",
        url="env:URL",
        categories=draw(st.sampled_from([(), ("a",)])),
        exclude=draw(st.sampled_from([(), ("b",)])),
        before=tuple(draw(leads)),
        timezone=draw(st.none() | zones),
        digest=draw(st.none() | clocks),
        quiet=draw(st.none() | st.tuples(clocks, clocks)),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Catalog, list[datetime]]:
    """An event list, and instants in order around its days."""
    begin = draw(first)
    calendar = Calendar(id="c", name=Text((("en", "c"),)), timezone=draw(zones), all_day_at=draw(clocks))
    some = tuple(draw(events(number, begin)) for number in range(draw(st.integers(1, 3))))
    ways = tuple(draw(channels(number)) for number in range(draw(st.integers(1, 2))))
    cuts = st.lists(st.datetimes(*window(begin), timezones=st.just(UTC)), min_size=2, max_size=6)
    on_the_hour = draw(st.booleans())
    instants = [cut.replace(minute=0, second=0, microsecond=0) if on_the_hour else cut for cut in draw(cuts)]
    return Catalog(calendar=calendar, events=some, channels=ways), sorted(instants)


@plenty
@given(cases())
def test_a_window_holds_what_its_parts_hold(case: tuple[Catalog, list[datetime]]) -> None:
    """due(a, c] == due(a, b] + due(b, c], in any number of steps: nothing is lost, nothing told twice."""
    catalog, cuts = case
    for plan in (due_reminders, due_digests):
        parts = [due for since, until in pairwise(cuts) for due in plan(catalog, since, until)]
        assert parts == plan(catalog, cuts[0], cuts[-1])


@plenty
@given(cases())
def test_each_reminder_is_there_once_in_order_and_within_its_window(case: tuple[Catalog, list[datetime]]) -> None:
    catalog, cuts = case
    since, until = cuts[0], cuts[-1]
    for plan in (due_reminders, due_digests):
        found: list[Any] = list(plan(catalog, since, until))
        assert all(since < due.due <= until for due in found)
        assert len({due.key for due in found}) == len(found)
        assert found == sorted(found, key=lambda due: (due.due, due.key))


@plenty
@given(cases())
def test_each_is_planned_before_it_expires_and_expires_before_it_ends(case: tuple[Catalog, list[datetime]]) -> None:
    catalog, cuts = case
    found: list[DueReminder | DueDigest] = [
        *due_reminders(catalog, cuts[0], cuts[-1]),
        *due_digests(catalog, cuts[0], cuts[-1]),
    ]
    for due in found:
        assert due.planned_for <= due.due < due.expires <= due.ends


@plenty
@given(cases())
def test_quiet_hours_are_kept_unless_it_would_have_begun_by_then(case: tuple[Catalog, list[datetime]]) -> None:
    catalog, cuts = case
    for due in due_reminders(catalog, cuts[0], cuts[-1]):
        quiet, zone = due.channel.quiet, zone_of(due.channel, catalog.calendar)
        if quiet is None:
            assert due.due == due.planned_for
        elif due.due != due.planned_for:
            assert clock.is_quiet(due.planned_for, quiet, zone)
            assert not clock.is_quiet(due.due, quiet, zone)
        elif clock.is_quiet(due.due, quiet, zone):
            assert clock.held(due.due, quiet, zone, datetime.max.replace(tzinfo=UTC)) >= clock.begins(due.occurrence)
        assert due.due == due.planned_for or due.due < clock.begins(due.occurrence)


@plenty
@given(cases())
def test_what_is_planned_is_found_again_and_explained(case: tuple[Catalog, list[datetime]]) -> None:
    catalog, cuts = case
    for due in due_reminders(catalog, cuts[0], cuts[-1]):
        assert find_reminder(catalog, due.key, moment_key(due.occurrence.start), due.due) == due
        assert all(explain(due))
    for digest in due_digests(catalog, cuts[0], cuts[-1]):
        assert find_digest(catalog, digest.key, digest.due) == digest
        assert all(explain(digest))


@plenty
@given(cases())
def test_other_channels_and_events_change_nothing_for_one(case: tuple[Catalog, list[datetime]]) -> None:
    catalog, cuts = case
    whole = due_reminders(catalog, cuts[0], cuts[-1])
    for channel in catalog.channels:
        assert due_reminders(catalog, cuts[0], cuts[-1], [channel]) == [due for due in whole if due.channel == channel]
    for event in catalog.events:
        alone = Catalog(calendar=catalog.calendar, events=(event,), channels=catalog.channels)
        assert due_reminders(alone, cuts[0], cuts[-1]) == [due for due in whole if due.event == event]
