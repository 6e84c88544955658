"""Dates and times as the lines of a file write them, and the zones they name."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from calfeed.feeds.lint.content import Line
from calfeed.feeds.lint.values import read_date, read_date_time

Form = Literal["date", "utc", "floating", "zoned"]


class When(NamedTuple):
    """One moment; ``clock`` is the wall clock as written, midnight for a date."""

    form: Form
    tzid: str | None
    clock: datetime

    @property
    def words(self) -> str:
        """How its form is called in messages."""
        forms = {"date": "a date", "utc": "in UTC", "floating": "without a zone"}
        return forms.get(self.form, f"in {self.tzid}")

    @property
    def is_date(self) -> bool:
        """Whether it is a day."""
        return self.form == "date"


def moments(line: Line | None) -> list[When]:
    """The dates and date-times of a line; those that are malformed are left out (they are reported elsewhere)."""
    if line is None:
        return []
    tzid = line.parameter("TZID")
    found = (_moment(text, tzid) for text in line.value.split(","))
    return [when for when in found if when is not None]


def moment(line: Line | None) -> When | None:
    """The one moment of a line."""
    found = moments(line)
    return found[0] if found else None


def read_moment(text: str) -> When | None:
    """A moment that stands alone, such as UNTIL."""
    return _moment(text, None)


def _moment(text: str, tzid: str | None) -> When | None:
    clock = read_date_time(text)
    if clock is not None:
        form: Form = "utc" if text.endswith("Z") else "zoned" if tzid else "floating"
        return When(form, tzid if form == "zoned" else None, clock)
    day = read_date(text)
    return When("date", None, _midnight(day)) if day else None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001  # a wall clock, its zone stands beside it


def instant(when: When) -> datetime | None:
    """The instant of a moment; None where its zone is not known here, and for dates and floating times."""
    if when.form == "utc":
        return when.clock.replace(tzinfo=UTC)
    zone = iana(when.tzid) if when.tzid else None
    try:
        return when.clock.replace(tzinfo=zone).astimezone(UTC) if zone else None
    except OverflowError:  # the first or last day that a datetime can hold
        return None


def exists(when: When) -> bool:
    """Whether the clock ever showed that time (False where it was put forward over it)."""
    zone = iana(when.tzid) if when.tzid else None
    if zone is None or not timedelta(days=366) < when.clock - datetime.min < timedelta(days=3650000):  # noqa: DTZ901  # clocks
        return True
    shown = when.clock.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    return shown.replace(tzinfo=None) == when.clock


def iana(name: str) -> ZoneInfo | None:
    """The IANA zone of a TZID, also of one with a prefix (``/freeassociation.sourceforge.net/Europe/Paris``)."""
    known = names()
    if name in known:
        return ZoneInfo(name)
    if not name.startswith("/"):
        return None
    parts = name.split("/")[-3:]
    tails = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((ZoneInfo(tail) for tail in tails if tail in known), None)


@cache
def names() -> frozenset[str]:
    """Every IANA zone."""
    return frozenset(available_timezones())


@cache
def windows_names() -> frozenset[str]:
    """The names that Outlook and Exchange write instead (Unicode CLDR ``windowsZones``)."""
    from babel.core import get_global  # late: only a file with such a zone needs CLDR

    return frozenset(get_global("windows_zone_mapping"))
