"""TZIDs to IANA zones: by name, by a vendor's prefix, by Windows' names, and by what the VTIMEZONE itself says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from calfeed.feeds.lint import recur
from calfeed.feeds.lint.content import unescape
from calfeed.feeds.lint.moments import iana, moment, names
from calfeed.feeds.lint.registry import OBSERVANCES
from calfeed.feeds.lint.structure import Component

_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?", re.ASCII)
_DAY = re.compile(r"([+-]?\d)?(MO|TU|WE|TH|FR|SA|SU)")
_PREFIX = re.compile(r"\s*\(?(?:UTC|GMT) ?([+-])(\d\d?)(?:[:.]?(\d\d))?\)?", re.ASCII | re.IGNORECASE)
_AMERICAN = {
    "eastern time": "America/New_York",
    "central time": "America/Chicago",
    "mountain time": "America/Denver",
    "pacific time": "America/Los_Angeles",
}
_PEOPLED = (
    "Europe/Berlin", "Europe/London", "Europe/Moscow", "Europe/Istanbul", "America/New_York", "America/Chicago",
    "America/Denver", "America/Los_Angeles", "America/Sao_Paulo", "Asia/Shanghai", "Asia/Tokyo", "Asia/Kolkata",
    "Asia/Dubai", "Australia/Sydney", "Africa/Lagos", "Africa/Johannesburg",
)  # fmt: skip
_UTC = {"UTC", "ETC/UTC", "GMT", "Z", "UCT", "ZULU"}

Change = tuple[int, int]
"""From a moment of the year on (seconds of UTC since its begin), an offset in seconds."""


def zone(tzid: str, definition: Component | None, preferred: str | None, year: int) -> str | None:
    """The IANA name of a TZID; None where nothing fits.

    A VTIMEZONE is compared with all zones as they were in ``year``, ``preferred`` first.
    """
    known = _named(tzid) or _named(unescape(definition.text("X-LIC-LOCATION")) if definition else "")
    return known or (_alike(definition, preferred, year) if definition else None) or _described(tzid)


def _named(tzid: str) -> str | None:
    name = tzid.strip().strip('"')
    if not name:
        return None
    if name.upper() in _UTC:
        return "UTC"
    found = iana(name) or iana(_spelled().get(name.casefold(), ""))
    return found.key if found else _windows().get(name)


def _described(tzid: str) -> str | None:
    """A zone that is described, as Outlook does: ``(UTC+07:00) Bangkok, Hanoi, Jakarta``, ``GMT +01:00``."""
    match = _PREFIX.match(tzid)
    words = tzid[match.end() :] if match else tzid
    for city in re.split(r"[,&(]", words):
        found = _AMERICAN.get(city.strip().casefold()) or _cities().get(city.strip().casefold().replace(" ", "_"))
        if found:
            return found
    if match is None or words.strip() or match[3] not in (None, "00") or int(match[2]) > 12:
        return None
    sign = "-" if match[1] == "+" else "+"  # POSIX counts westward
    return f"Etc/GMT{sign}{int(match[2])}" if int(match[2]) else "UTC"


@cache
def _cities() -> dict[str, str]:
    """Zones by the city that they are named after."""
    return {name.rpartition("/")[2].casefold(): name for name in sorted(names(), reverse=True) if "/" in name}


@cache
def _spelled() -> dict[str, str]:
    """Names in lower case: some products write ``Europe/lisbon``."""
    return {name.casefold(): name for name in names()}


@cache
def _windows() -> dict[str, str]:
    from babel.core import get_global  # late: only a file with such a zone needs CLDR

    return dict(get_global("windows_zone_mapping"))


def _alike(definition: Component, preferred: str | None, year: int) -> str | None:
    """A zone that shows the same offsets all through a year."""
    changes = _changes(definition, year)
    if not changes:
        return None
    begin = datetime(year, 1, 1, tzinfo=UTC)
    samples = [(begin + timedelta(days=day), _offset_at(changes, day * 86400)) for day in range(1, 365, 7)]
    return next((name for name in _candidates(preferred) if _shows(ZoneInfo(name), samples)), None)


def _candidates(preferred: str | None) -> Iterable[str]:
    """Zones to compare with: the calendar's own, those of most people, the others of Windows."""
    return dict.fromkeys([*([preferred] if preferred else []), *_PEOPLED, *sorted(set(_windows().values()))])


def offset(definition: Component, clock: datetime) -> timedelta | None:
    """The offset that a VTIMEZONE gives to a local time; None where it gives none."""
    changes = _changes(definition, clock.year)
    second = int((clock - datetime(clock.year, 1, 1)).total_seconds())  # noqa: DTZ001  # two wall clocks
    fitting = [each for _, each in changes if _offset_at(changes, max(second - each, 0)) == each]
    return timedelta(seconds=fitting[0]) if fitting else None


def _shows(zone: ZoneInfo, samples: Iterable[tuple[datetime, int]]) -> bool:
    return all(_seconds(instant.astimezone(zone).utcoffset()) == offset for instant, offset in samples)


def _seconds(offset: timedelta | None) -> int:
    return int(offset.total_seconds()) if offset is not None else 0


def _changes(definition: Component, year: int) -> list[Change]:
    """The offset that holds as the year begins, and those that begin within it."""
    found: list[Change] = []
    past: list[tuple[datetime, int]] = []
    for observance in definition.children:
        start, before = moment(observance.first("DTSTART")), _offset(observance.text("TZOFFSETFROM"))
        after = _offset(observance.text("TZOFFSETTO"))
        if observance.name not in OBSERVANCES or start is None or before is None or after is None:
            continue
        past.append((start.clock, after) if start.clock.year <= year else (datetime.min, before))  # noqa: DTZ901  # clocks
        found += [
            (int((onset - datetime(year, 1, 1)).total_seconds()) - before, after)  # noqa: DTZ001  # two wall clocks
            for onset in _onsets(observance, start.clock, year)
        ]
    if not found:
        return [(0, max(past)[1])] if past else []
    found.sort()
    return [(0, found[-1][1]), *found]  # as the year ends, so it began


def _onsets(observance: Component, start: datetime, year: int) -> Iterator[datetime]:
    if start.year == year:
        yield start
        return
    rule, _ = recur.split(observance.text("RRULE"))
    day, month = _DAY.fullmatch(rule.get("BYDAY", "")), rule.get("BYMONTH", "")
    if start.year > year or rule.get("FREQ") != "YEARLY" or day is None or month not in map(str, range(1, 13)):
        return
    if rule.get("UNTIL", "9999")[:4] >= str(year):
        found = _weekday(year, int(month), int(day[1] or 1), recur.WEEKDAYS.index(day[2]))
        yield found.replace(hour=start.hour, minute=start.minute, second=start.second)


def _weekday(year: int, month: int, which: int, weekday: int) -> datetime:
    """The ``which``-th such day of a month; negative numbers count from its end."""
    if which > 0:
        first = datetime(year, month, 1)  # noqa: DTZ001  # a wall clock
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (min(which, 4) - 1))
    last = datetime(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)  # noqa: DTZ001  # a wall clock
    return last - timedelta(days=(last.weekday() - weekday) % 7 + 7 * (min(-which, 4) - 1))


def _offset(text: str) -> int | None:
    match = _OFFSET.fullmatch(text.strip())
    if match is None:
        return None
    length = int(match[2]) * 3600 + int(match[3]) * 60 + int(match[4] or 0)
    return -length if match[1] == "-" else length


def _offset_at(changes: list[Change], second: int) -> int:
    return [offset for since, offset in changes if since <= second][-1]
