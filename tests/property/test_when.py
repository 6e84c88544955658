"""Who is told what and when, once more from the manual, slowly and for all time: the plan must come to the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calfeed.events.model import Calendar, Catalog, Channel, Duration, Event, Occurrence, Text
from calfeed.events.occurrences import occurrences
from calfeed.reminders.digest import due_digests
from calfeed.reminders.plan import due_reminders

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
ALWAYS = datetime(2011, 12, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)

Reminder = tuple[str, str, str, Duration, datetime, datetime, datetime]
Digest = tuple[str, date, datetime, datetime, datetime, list[tuple[str, str]]]


# few values, so that things fall together: ends of quiet hours, starts, midnights, changes of the clock
ZONES = ["Europe/Paris", "America/New_York", "Africa/Cairo", "Pacific/Apia"]
FIRST_DAYS = [date(2024, 3, 30), date(2024, 10, 26), date(2024, 4, 25), date(2024, 11, 2), date(2011, 12, 29)]
zones = st.sampled_from(ZONES)
clocks = st.sampled_from([time(0), time(1, 30), time(2, 30), time(7), time(8), time(22)])
leads = st.lists(st.sampled_from(["0m", "1h", "8h", "24h", "1d", "36h", "1d1h"]).map(Duration.parse), max_size=4)
some = st.sets(st.sampled_from("ab")).map(sorted).map(tuple)


@st.composite
def events(draw: st.DrawFn, number: int, begin: date) -> Event:
    zone, day = ZoneInfo(draw(zones)), begin + draw(st.integers(0, 2)) * DAY
    all_day = draw(st.booleans())
    start = day if all_day else datetime.combine(day, draw(clocks), zone)
    hours = draw(st.sampled_from([24, 72] if all_day else [0, 1, 2, 30]))
    event = Event(
        id=f"e{number}",
        uid=f"u{number}",
        summary=Text((("en", "x"),)),
        start=start,
        end=start + timedelta(hours=hours) if hours else None,
        timezone=zone.key,
        tba=draw(st.sampled_from([None, "time", "date"])) if all_day else None,
        status=draw(st.sampled_from(["confirmed", "confirmed", "tentative", "cancelled"])),
        visibility=draw(st.sampled_from(["public", "public", "public", "unlisted", "private"])),
        categories=draw(some),
        embargo=draw(st.none() | clocks.map(lambda clock: datetime.combine(begin, clock, UTC))),
        remind=draw(st.none() | st.none() | leads.map(tuple)),
    )
    return draw(st.just(event) | series(event))


@st.composite
def series(draw: st.DrawFn, event: Event) -> Event:
    """The event on three days, the first of which differs."""
    later = draw(st.integers(0, 2)) * DAY
    one = replace(
        event,
        start=event.start + later,
        end=event.end and event.end + later,
        recurrence_id=event.start,
        remind=draw(st.none() | leads.map(tuple)),
        status=draw(st.sampled_from(["confirmed", "cancelled"])),
    )
    return replace(event, rrule="FREQ=DAILY;COUNT=3", overrides=(one,))


@st.composite
def channels(draw: st.DrawFn, number: int) -> Channel:
    return Channel(
        id=f"c{number}",
        kind="webhook",
        url="env:URL",
        categories=draw(some),
        exclude=draw(some),
        before=tuple(draw(leads)),
        timezone=draw(st.none() | zones),
        digest=draw(st.none() | clocks),
        quiet=draw(st.none() | st.sampled_from([(time(22), time(7)), (time(0), time(2, 30)), (time(8), time(22))])),
    )


@st.composite
def lists(draw: st.DrawFn) -> tuple[Catalog, datetime, datetime]:
    """An event list, and a span of time."""
    begin = draw(st.sampled_from(FIRST_DAYS))
    calendar = Calendar(id="c", name=Text((("en", "c"),)), timezone=draw(zones), all_day_at=draw(clocks))
    happening = tuple(draw(events(number, begin)) for number in range(2))
    catalog = Catalog(
        calendar=calendar, events=happening, channels=tuple(draw(channels(number)) for number in range(2))
    )
    since = datetime.combine(begin, draw(clocks), UTC) - draw(st.integers(0, 4)) * DAY
    return catalog, since, since + draw(st.integers(1, 9)) * DAY


def shown(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """When clocks show it: of two times the first; where they skip it, as long after the skip."""
    return datetime.combine(day, clock, zone).astimezone(UTC)


def by_days(one: Occurrence) -> bool:
    return one.all_day or one.event.tba is not None


def planned(one: Occurrence, lead: Duration, all_day_at: time) -> datetime:
    zone, start = one.event.zone, one.start
    if not isinstance(start, datetime):
        return shown(start - timedelta(days=lead.days), all_day_at, zone)
    if not lead.days:
        return start.astimezone(UTC) - timedelta(seconds=lead.seconds)
    local = start.astimezone(UTC).astimezone(zone)  # as clocks show it, also where they skip what is written
    return shown(local.date() - timedelta(days=lead.days), local.time(), zone) - timedelta(seconds=lead.seconds)


def begun(one: Occurrence) -> datetime:
    """All-day: when its first day is over; on an unknown day: when its window is over."""
    if isinstance(one.start, datetime):
        return one.start.astimezone(UTC)
    last = one.end if one.event.tba == "date" else one.start + DAY
    return shown(last, time(), one.event.zone)


def zone_of(channel: Channel, calendar: Calendar) -> ZoneInfo:
    return ZoneInfo(channel.timezone or calendar.timezone)


def held(at: datetime, channel: Channel, calendar: Calendar, deadline: datetime) -> datetime:
    """The next time at which clocks show the end of the quiet hours, if that is before the deadline."""
    first, last = channel.quiet or (time(), time())
    clock = at.astimezone(zone_of(channel, calendar)).time()
    if not (first <= clock < last if first <= last else clock >= first or clock < last):
        return at
    zone = zone_of(channel, calendar)
    days = [at.astimezone(zone).date() + number * DAY for number in range(3)]
    ends = [shown(day, last, zone) for day in days]
    ends += [shown(day, last.replace(fold=1), zone) for day in days]  # of a time that is skipped this is before it
    then = min(end for end in ends if end > at and end.astimezone(zone).time() >= last)
    return then if then < deadline else at


def told(one: Occurrence, channel: Channel, at: datetime) -> bool:
    event, mine = one.event, set(one.event.categories)
    taken = (not channel.categories or mine & set(channel.categories)) and not mine & set(channel.exclude)
    public = event.visibility == "public" and (event.embargo is None or event.embargo <= at)
    return bool(taken) and event.status != "cancelled" and public


def happenings(catalog: Catalog) -> list[Occurrence]:
    return [one for event in catalog.events for one in occurrences(event, *ALWAYS, limit=10_000)]


def reminders(catalog: Catalog, channel: Channel, one: Occurrence) -> Iterator[Reminder]:
    """Of leads that fall on one instant the shortest speaks; of a day and 24 hours, the day."""
    found: dict[datetime, Reminder] = {}
    for lead in channel.before if one.event.remind is None else one.event.remind:
        counted = Duration(days=lead.total_seconds // 86400) if by_days(one) else lead
        rule = planned(one, counted, catalog.calendar.all_day_at)
        due = held(rule, channel, catalog.calendar, begun(one))
        late = rule + 15 * MINUTE if rule >= begun(one) else begun(one)
        told_now = (one.event.id, one.key, channel.id, counted, due, rule, late)
        shorter = due not in found or length(counted) < length(found[due][3])
        if told(one, channel, due) and shorter:
            found[due] = told_now
    return iter(found.values())


def length(lead: Duration) -> tuple[int, int]:
    return lead.total_seconds, -lead.days


def stands_on(one: Occurrence, day: date, zone: ZoneInfo) -> bool:
    """All-day: its dates, wherever the reader is. Else the days that it touches on the reader's clocks."""
    start, end = one.start, one.end
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return start <= day < end
    last = max(start.astimezone(UTC), end.astimezone(UTC) - timedelta(microseconds=1))
    return start.astimezone(zone).date() <= day <= last.astimezone(zone).date()


def digest(catalog: Catalog, channel: Channel, found: list[Occurrence], day: date) -> Digest | None:
    zone = zone_of(channel, catalog.calendar)
    rule, over = shown(day, channel.digest or time(), zone), shown(day + DAY, time(), zone)
    due = held(rule, channel, catalog.calendar, over)
    items = [(one.event.id, one.key) for one in found if stands_on(one, day, zone) and told(one, channel, due)]
    return (channel.id, day, due, rule, over, sorted(items)) if items and due < over else None


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(lists())
def test_what_is_planned_is_what_the_manual_says(case: tuple[Catalog, datetime, datetime]) -> None:
    catalog, since, until = case
    found = happenings(catalog)
    expected = {each for one in found for to in catalog.channels for each in reminders(catalog, to, one)}
    plan = due_reminders(catalog, since, until)
    assert {
        (one.event.id, one.occurrence.key, one.channel.id, one.lead, one.due, one.planned_for, one.expires)
        for one in plan
    } == {each for each in expected if since < each[4] <= until}
    days = [since.date() + number * DAY for number in range(-2, (until - since).days + 4)]
    digests = [digest(catalog, to, found, day) for to in catalog.channels if to.digest for day in days]
    assert sorted(
        (
            *(one.channel.id, one.day, one.due, one.planned_for, one.expires),
            sorted((item.event.id, item.key) for item in one.items),
        )
        for one in due_digests(catalog, since, until)
    ) == sorted(each for each in digests if each and since < each[2] <= until)
