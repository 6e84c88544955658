"""A JSCalendar object, expanded by the rules of RFC 8984 alone, happens when its event does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
from dateutil import rrule, tz
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from calfeed.events.model import Event, Moment
from calfeed.events.occurrences import occurrences
from calfeed.events.revision import Revision
from calfeed.feeds.jscal import event_jscal
from calfeed.feeds.prose import title
from calfeed.feeds.series import second_readings

SINCE, UNTIL = datetime(1900, 1, 1, tzinfo=UTC), datetime(2070, 1, 1, tzinfo=UTC)
NOW = datetime(2024, 5, 15, tzinfo=UTC)
MANY = 800

Instance = tuple[Moment, Moment, str, str]
Json = dict[str, Any]


@given(st.from_type(Event))
@settings(suppress_health_check=list(HealthCheck), max_examples=80)
def test_it_expands_to_the_occurrences_of_its_event(event: Event) -> None:
    said = list(occurrences(event, SINCE, UNTIL, limit=MANY + 1))
    assume(len(said) <= MANY or (event.rrule and not second_readings(event)))
    revision = Revision(uid=event.uid, number=1, sequence=0, created=NOW, modified=NOW, digest="", event=event)
    data = json.loads(json.dumps(event_jscal(event, revision, None, "en")))
    wanted = [(utc(each.start), utc(each.end), title(each.event, "en"), each.event.status) for each in said]
    found = Counter(each for each in expanded(data) if each[0].year < UNTIL.year)
    if len(said) <= MANY:
        assert found == Counter(each for each in wanted if each[0].year < UNTIL.year)
    else:
        assert set(wanted[: MANY // 2]) <= found.keys()


def utc(moment: Moment) -> Moment:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def expanded(data: Json) -> Iterator[Instance]:
    overrides = data.get("recurrenceOverrides", {})
    for start in dict.fromkeys((data["start"], *ruled(data), *overrides)):
        patch = overrides.get(start, {})
        if not patch.get("excluded"):
            yield instance({**data, "start": start, **patch})


def instance(data: Json) -> Instance:
    length = icalendar.vDuration.from_ical(data.get("duration") or "PT0S")
    naive = datetime.fromisoformat(data["start"])
    if data["timeZone"] is None:
        return naive.date(), naive.date() + length, data["title"], data["status"]
    start = tz.resolve_imaginary(naive.replace(tzinfo=ZoneInfo(data["timeZone"]))).astimezone(UTC)
    return start, start + length, data["title"], data["status"]


NAMES = {
    "byDay": "BYDAY",
    "byMonth": "BYMONTH",
    "byMonthDay": "BYMONTHDAY",
    "byYearDay": "BYYEARDAY",
    "byHour": "BYHOUR",
    "byMinute": "BYMINUTE",
    "bySetPosition": "BYSETPOS",
    "firstDayOfWeek": "WKST",
    "interval": "INTERVAL",
    "count": "COUNT",
}


def ruled(data: Json) -> Iterator[str]:
    for rule in data.get("recurrenceRules", ()):
        parts = [f"FREQ={rule['frequency'].upper()}"]
        parts += [f"{name}={written(rule[key])}" for key, name in NAMES.items() if key in rule]
        first = datetime.fromisoformat(data["start"])
        until = rule.get("until", "2071-01-01T00:00:00")
        for moment in rrule.rrulestr(";".join(parts), dtstart=first):
            if moment.isoformat() > until:
                break
            yield moment.isoformat()


def written(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(written, value))
    if isinstance(value, dict):
        return f"{value.get('nthOfPeriod', '')}{value['day'].upper()}"
    return str(value).upper()
