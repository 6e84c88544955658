"""Dates, times and zones in words, by CLDR: the page's only door to Babel's dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton, format_time, get_timezone_name

from calfeed.web.words import locale


def offset(moment: datetime) -> str:
    """``UTC+8``, ``UTC−3:30``, ``UTC``."""
    seconds = int((moment.utcoffset() or timedelta()).total_seconds())
    if not seconds:
        return "UTC"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"UTC{'+' if seconds > 0 else '−'}{hours}" + (f":{minutes:02}" if minutes else "")


def city(zone: str) -> str:
    """``Shanghai`` of ``Asia/Shanghai``: what tells a zone from its neighbours when its name does not."""
    return zone.rsplit("/", 1)[-1].replace("_", " ")


@dataclass(frozen=True)
class Dates:
    """How one reader's language writes days, spans and clocks."""

    language: str

    @cached_property
    def locale(self) -> Locale:
        """Babel's locale of the language."""
        return locale(self.language)

    def full(self, day: date) -> str:
        """``Friday, 17 May 2024``."""
        return format_date(day, "full", locale=self.locale)

    def short(self, day: date) -> str:
        """``Fri 17 May``."""
        return format_skeleton("MMMEd", day, locale=self.locale)

    def plain(self, day: date) -> str:
        """``17 May 2024``."""
        return format_skeleton("yMMMd", day, locale=self.locale)

    def weekday(self, day: date) -> str:
        """``Fri``."""
        return format_date(day, "ccc", locale=self.locale)

    def month(self, day: date) -> str:
        """``May``, as a name that stands alone."""
        return format_date(day, "LLL", locale=self.locale)

    def month_year(self, day: date) -> str:
        """``May 2024``."""
        text = format_skeleton("yMMMM", day, locale=self.locale)
        return text[:1].upper() + text[1:]

    def span(self, first: date, last: date, *, year: bool = False) -> str:
        """``17–21 May``; with the year where it is asked for or where the two differ in it."""
        skeleton = "yMMMd" if year or first.year != last.year else "MMMd"
        if first == last:
            return format_skeleton(skeleton, first, locale=self.locale)
        return format_interval(first, last, skeleton, locale=self.locale)

    def clock(self, moment: datetime) -> str:
        """``14:00``."""
        return format_time(moment, "short", locale=self.locale, tzinfo=moment.tzinfo)

    def clocks(self, start: datetime, end: datetime) -> str:
        """``14:00–15:30``; the end with its day when it falls on another."""
        if end.astimezone(UTC) <= start.astimezone(UTC):  # clocks that go back may show the end before the start
            return self.clock(start)
        if end.date() == start.date() or end - start < timedelta(hours=12):
            return f"{self.clock(start)}–{self.clock(end)}"
        return " – ".join(f"{self.span(one.date(), one.date())} {self.clock(one)}" for one in (start, end))

    def stamp(self, moment: datetime, zone: ZoneInfo) -> str:
        """``14 May 2024, 10:12``."""
        local = moment.astimezone(zone)
        return f"{self.plain(local.date())}, {self.clock(local)}"

    def zone(self, name: str, at: datetime) -> str:
        """``China Time, UTC+8``: the name people know and the offset that settles it."""
        where = ZoneInfo(name)
        known = get_timezone_name(where, locale=self.locale)
        return ", ".join(dict.fromkeys((known, offset(at.astimezone(where)))))

    def zone_choice(self, name: str, at: datetime) -> str:
        """``Shanghai (UTC+8)``: a line of the list of zones."""
        return f"{city(name)} ({offset(at.astimezone(ZoneInfo(name)))})"
