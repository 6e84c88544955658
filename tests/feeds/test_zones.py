"""VTIMEZONEs: in the form that Outlook reads, and right wherever they are used, as read back by other people's code."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from io import StringIO
from zoneinfo import ZoneInfo, available_timezones

import icalendar
import pytest
from dateutil.rrule import rrulestr
from dateutil.tz import tzical

from calfeed.feeds.zones import exact, vtimezone

LISTED = (
    "Asia/Shanghai",
    "Europe/Moscow",
    "Europe/Paris",
    "America/New_York",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Nuuk",
    "Europe/Dublin",
    "Pacific/Apia",
)
FORM = re.compile(
    r"BEGIN:VTIMEZONE\r\nTZID:[A-Za-z0-9/_+-]+\r\n"
    r"(BEGIN:(STANDARD)\r\nDTSTART:\d{8}T\d{6}\r\nTZOFFSETFROM:[+-]\d{4}\r\nTZOFFSETTO:[+-]\d{4}\r\n"
    r"(RRULE:FREQ=YEARLY;BYMONTH=\d+;BYDAY=(-1|[1-4])(MO|TU|WE|TH|FR|SA|SU)\r\n)?TZNAME:[^\r\n]+\r\nEND:STANDARD\r\n)"
    r"(BEGIN:(DAYLIGHT)\r\nDTSTART:\d{8}T\d{6}\r\nTZOFFSETFROM:[+-]\d{4}\r\nTZOFFSETTO:[+-]\d{4}\r\n"
    r"RRULE:FREQ=YEARLY;BYMONTH=\d+;BYDAY=(-1|[1-4])(MO|TU|WE|TH|FR|SA|SU)\r\nTZNAME:[^\r\n]+\r\nEND:DAYLIGHT\r\n)?"
    r"END:VTIMEZONE\r\n"
)
"""What Outlook takes: one STANDARD, at most one DAYLIGHT, yearly rules of one weekday in one month."""


def weekly(first: int, last: int) -> list[datetime]:
    """An instant a week of whole years, at every hour of the day in turn."""
    start = datetime(first, 1, 1, tzinfo=UTC)
    weeks = (datetime(last + 1, 1, 1, tzinfo=UTC) - start).days // 7
    return [start + timedelta(days=7 * week, hours=week % 24) for week in range(weeks)]


@cache
def onsets(body: str) -> list[tuple[datetime, timedelta]]:
    """When each offset begins, from the written text alone: dateutil follows the rules."""
    found = []
    for part in re.findall(r"BEGIN:(?:STANDARD|DAYLIGHT)\r\n(.*?)END:", body, re.DOTALL):
        lines = dict(line.split(":", 1) for line in part.splitlines())
        before, after = (_offset(lines[name]) for name in ("TZOFFSETFROM", "TZOFFSETTO"))
        start = datetime.fromisoformat(lines["DTSTART"])
        rule = f"{lines['RRULE']};UNTIL=20391231T000000" if "RRULE" in lines else "FREQ=DAILY;COUNT=1"
        found += [((local - before).replace(tzinfo=UTC), after) for local in rrulestr(rule, dtstart=start)]
    return sorted(found)


def _offset(text: str) -> timedelta:
    minutes = int(text[1:3]) * 60 + int(text[3:5])
    return timedelta(minutes=-minutes if text[0] == "-" else minutes)


def wrong(tzid: str, written: bytes, instants: Iterable[datetime]) -> list[datetime]:
    """The instants for which the text says something else than zoneinfo."""
    starts = onsets(written.decode().partition("TZID:")[2].partition("\r\n")[2])
    zone = ZoneInfo(tzid)
    return [
        instant
        for instant in instants
        if starts[bisect_right(starts, instant, key=lambda start: start[0]) - 1][1]
        != instant.astimezone(zone).utcoffset()
    ]


def test_a_zone_with_summer_time() -> None:
    """The whole text, byte for byte."""
    assert vtimezone("Europe/Paris", [datetime(2024, 5, 17, tzinfo=UTC)]) == (
        b"BEGIN:VTIMEZONE\r\n"
        b"TZID:Europe/Paris\r\n"
        b"BEGIN:STANDARD\r\n"
        b"DTSTART:19701025T030000\r\n"
        b"TZOFFSETFROM:+0200\r\n"
        b"TZOFFSETTO:+0100\r\n"
        b"RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n"
        b"TZNAME:CET\r\n"
        b"END:STANDARD\r\n"
        b"BEGIN:DAYLIGHT\r\n"
        b"DTSTART:19700329T020000\r\n"
        b"TZOFFSETFROM:+0100\r\n"
        b"TZOFFSETTO:+0200\r\n"
        b"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n"
        b"TZNAME:CEST\r\n"
        b"END:DAYLIGHT\r\n"
        b"END:VTIMEZONE\r\n"
    )


def test_a_zone_without() -> None:
    """One STANDARD that always holds; Moscow's is of the law of these years."""
    assert vtimezone("Europe/Moscow", [datetime(2024, 5, 17, tzinfo=UTC)]) == (
        b"BEGIN:VTIMEZONE\r\n"
        b"TZID:Europe/Moscow\r\n"
        b"BEGIN:STANDARD\r\n"
        b"DTSTART:19700101T000000\r\n"
        b"TZOFFSETFROM:+0300\r\n"
        b"TZOFFSETTO:+0300\r\n"
        b"TZNAME:MSK\r\n"
        b"END:STANDARD\r\n"
        b"END:VTIMEZONE\r\n"
    )


def rules(tzid: str, *years: int) -> list[str]:
    """The lines that differ from zone to zone."""
    written = vtimezone(tzid, weekly(years[0], years[-1]))
    assert written is not None
    return re.findall(r"(?:DTSTART|TZOFFSETTO|RRULE:FREQ=YEARLY;BYMONTH):?=?([^\r\n]*)", written.decode())


@pytest.mark.parametrize(
    ("tzid", "year", "lines"),
    [
        ("Asia/Shanghai", 2024, ["19700101T000000", "+0800"]),
        ("Asia/Kathmandu", 2024, ["19700101T000000", "+0545"]),
        ("Pacific/Apia", 2024, ["19700101T000000", "+1300"]),
        (
            "Europe/Moscow",
            2009,
            ["19701025T030000", "+0300", "10;BYDAY=-1SU", "19700329T020000", "+0400", "3;BYDAY=-1SU"],
        ),
        (
            "Europe/Dublin",
            2024,
            ["19701025T020000", "+0000", "10;BYDAY=-1SU", "19700329T010000", "+0100", "3;BYDAY=-1SU"],
        ),
        (
            "America/New_York",
            2024,
            ["19701101T020000", "-0500", "11;BYDAY=1SU", "19700308T020000", "-0400", "3;BYDAY=2SU"],
        ),
        (
            "Australia/Lord_Howe",
            2024,
            ["19700405T020000", "+1030", "4;BYDAY=1SU", "19701004T020000", "+1100", "10;BYDAY=1SU"],
        ),
        (
            "Africa/Cairo",
            2024,
            ["19701029T235959", "+0200", "10;BYDAY=-1TH", "19700424T000000", "+0300", "4;BYDAY=-1FR"],
        ),
        (
            "America/Nuuk",
            2025,
            ["19701025T000000", "-0200", "10;BYDAY=-1SU", "19700328T230000", "-0100", "3;BYDAY=-1SA"],
        ),
        ("Europe/Paris", 1962, ["19610101T000000", "+0100"]),
    ],
)
def test_the_laws_of_zones(tzid: str, year: int, lines: list[str]) -> None:
    """STANDARD first, then DAYLIGHT: begin, offset, month and weekday; Cairo's Thursday ends a second early."""
    assert rules(tzid, year) == lines


def test_what_one_rule_cannot_say() -> None:
    """A law that changed between the instants, and UTC itself: None, so that they are written in UTC."""
    summers = [datetime(year, 7, 1, tzinfo=UTC) for year in (2010, 2012)]  # Moscow: +04 by summer time, then by law
    assert vtimezone("Europe/Moscow", weekly(2010, 2012)) is None
    assert vtimezone("Africa/Casablanca", weekly(2023, 2025)) is None
    assert vtimezone("UTC", summers) is None
    assert vtimezone("Etc/UTC", []) is None
    assert vtimezone("Africa/Monrovia", [datetime(1971, 7, 1, tzinfo=UTC)]) is None  # -00:44:30


def test_only_published_instants_matter() -> None:
    """What is not said of the rest of the year needs no rule: Morocco outside Ramadan, Moscow before its change."""
    autumn = [datetime(year, 10, 1, tzinfo=UTC) for year in (2023, 2024, 2025)]
    assert b"TZOFFSETTO:+0100" in (vtimezone("Africa/Casablanca", autumn) or b"")
    assert rules("Europe/Moscow", 2008, 2010)[1] == "+0300"


def test_years_that_need_no_look_at_instants() -> None:
    """Where one text says every second of them: not with a new law, nor where it ends a second early."""
    assert [exact("Europe/Paris", (2024, 2030)), exact("Europe/Moscow", [2024]), exact("Europe/Moscow", [2009])] == [
        True,
        True,
        True,
    ]
    assert [exact("Europe/Moscow", [2009, 2024]), exact("Africa/Cairo", [2024]), exact("UTC", [2024])] == [
        False,
        False,
        False,
    ]


def test_no_instant_is_the_law_as_it_stands() -> None:
    """A feed without a timed event still needs a component."""
    assert vtimezone("Europe/Paris", []) == vtimezone("Europe/Paris", weekly(2024, 2024))


def test_the_last_second_of_cairos_thursday() -> None:
    """Its change at 24:00 is written as 23:59:59: an instant in that second cannot be, all others can."""
    change = datetime(2024, 10, 31, 21, tzinfo=UTC)
    others = [change, change - timedelta(seconds=2), *weekly(2023, 2026)]
    assert b"DTSTART:19701029T235959" in (vtimezone("Africa/Cairo", others) or b"")
    assert vtimezone("Africa/Cairo", [*others, change - timedelta(seconds=1)]) is None


@pytest.mark.parametrize("tzid", LISTED)
def test_read_by_others(tzid: str) -> None:
    """`icalendar` and `dateutil` find zoneinfo's offsets in the text of each year, also hours around each change."""
    unsaid = []
    for year in range(2020, 2027):
        instants = [*weekly(year, year), *_around_changes(tzid, year)]
        written = vtimezone(tzid, instants)
        if written is None:
            unsaid.append(year)
            continue
        text = written.decode().replace(f"TZID:{tzid}", "TZID:Written")
        theirs = icalendar.Timezone.from_ical(text).to_tz(lookup_tzid=False)
        others = tzical(StringIO(f"BEGIN:VCALENDAR\r\n{text}END:VCALENDAR\r\n")).get("Written")
        for instant in instants:
            right = instant.astimezone(ZoneInfo(tzid)).replace(tzinfo=None)
            assert instant.astimezone(theirs).replace(tzinfo=None) == right
            assert instant.astimezone(others).replace(tzinfo=None) == right
    new_laws = {"Pacific/Apia": [2021], "America/Nuuk": [2023]}
    assert unsaid == new_laws.get(tzid, [])


def _around_changes(tzid: str, year: int) -> list[datetime]:
    days = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(366 * 24)]
    offsets = [day.astimezone(ZoneInfo(tzid)).utcoffset() for day in days]
    changes = [day for day, one, two in zip(days[1:], offsets, offsets[1:], strict=False) if one != two]
    return [change + timedelta(hours=hours) for change in changes for hours in (-2, 2)]


def test_every_zone_of_today() -> None:
    """Whatever is returned for three years of any zone is in form and right at every instant; few zones return None."""
    instants = weekly(2024, 2026)
    unsaid = set()
    for tzid in sorted(available_timezones() - {"localtime"}):
        written = vtimezone(tzid, instants)
        if written is None:
            unsaid.add(tzid)
        else:
            assert FORM.fullmatch(written.decode()), written
            assert wrong(tzid, written, instants) == []
    utc = {"Etc/UCT", "Etc/UTC", "Etc/Universal", "Etc/Zulu", "UCT", "UTC", "Universal", "Zulu"}
    assert utc | {"Africa/Casablanca", "Africa/El_Aaiun"} <= unsaid
    assert len(unsaid) < 30


@pytest.mark.slow
def test_every_zone_of_twenty_years() -> None:
    """The same for each year from 2015 to 2035 and for all of them together: 13,000 texts."""
    for tzid in sorted(available_timezones() - {"localtime"}):
        for first, last in [*((year, year) for year in range(2015, 2036)), (2015, 2035)]:
            instants = weekly(first, last)
            written = vtimezone(tzid, instants)
            assert written is None or wrong(tzid, written, instants) == [], (tzid, first, last)
