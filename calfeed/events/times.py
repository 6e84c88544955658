"""The rules of time: zones, local readings, and from when to when an event lasts."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache, partial
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from calfeed.events import bounds
from calfeed.events.model import Duration, Moment
from calfeed.events.report import Fault

_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")
_NOT_A_PLACE = re.compile(
    r"(posix|right)/.*|localtime|posixrules|Factory"
)  # files beside the zones; `right` counts leap seconds
_DAY = timedelta(days=1)

D = TypeVar("D", bound=date)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name; raises Fault with the nearest names."""
    if _ZONE_NAME.fullmatch(name) and not _NOT_A_PLACE.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):  # KeyError: no such file; others: a folder or no zone file
            pass
    raise Fault(f"{name!r} is not an IANA time zone", partial(_zone_hint, name))


def _zone_hint(name: str) -> str:
    spelled = _spellings()
    wanted = name.casefold().replace(" ", "_")
    near = get_close_matches(wanted, list(spelled), n=1, cutoff=0.75)
    return f"did you mean {spelled[near[0]]!r}?" if near else "zones are named after places, such as 'Europe/Paris'"


@lru_cache(maxsize=1)
def _spellings() -> dict[str, str]:
    """Zones by their name, and by its last part, in lower case."""
    known = sorted(each for each in available_timezones() if not _NOT_A_PLACE.fullmatch(each))
    return {each.rpartition("/")[2].casefold(): each for each in known} | {each.casefold(): each for each in known}


def moment(value: date, local: ZoneInfo) -> Moment:
    """A TOML date or date-time as a moment: a date, or an aware date-time in ``local``; raises Fault."""
    in_range(value)
    return instant(value, local) if isinstance(value, datetime) else value


def in_range(value: D, *keys: str) -> D:
    """The date or date-time, if its year is one that calendars can count with; raises Fault."""
    first, last = bounds.YEARS
    if not first <= value.year <= last:
        raise Fault(f"the year {value.year} is out of range", f"years go from {first} to {last}", keys)
    return value


def instant(value: datetime, local: ZoneInfo) -> datetime:
    """A date-time in ``local``. Raises Fault for a reading that the zone's clocks skip or show twice."""
    if value.microsecond:
        raise Fault(f"{value.isoformat()} has a fraction of a second", "iCalendar counts whole seconds")
    if value.tzinfo is not None:
        return value.astimezone(local)
    earlier, later = value.replace(tzinfo=local), value.replace(tzinfo=local, fold=1)
    if earlier.utcoffset() != later.utcoffset():
        raise _two_readings(earlier, later, local)
    return earlier


def _two_readings(first: datetime, second: datetime, local: ZoneInfo) -> Fault:
    """``first`` takes the offset before the clocks change, ``second`` the one after (PEP 495)."""
    readings = [each.astimezone(UTC).astimezone(local) for each in (first, second)]
    naive = first.replace(tzinfo=None).isoformat()
    if readings[0].replace(tzinfo=None) == first.replace(tzinfo=None):
        return Fault(
            f"{naive} happens twice in {local.key}, where clocks go back",
            f"write {first.isoformat()} for the first or {second.isoformat()} for the second",
        )
    late, early = (each.isoformat() for each in readings)
    return Fault(f"{naive} does not exist in {local.key}, where clocks go forward", f"write {early} or {late}")


def same_form(value: date, start: Moment, local: ZoneInfo) -> Moment:
    """A moment that must be of days if ``start`` is, of instants if it is not; raises Fault."""
    if isinstance(value, datetime) != isinstance(start, datetime):
        wanted = "a date-time" if isinstance(start, datetime) else "a date"
        raise Fault(f"start is {_form(start)}, so this must be {wanted}, got {value.isoformat()}")
    return moment(value, local)


def day_end(start: date, end: date) -> date:
    """The exclusive end of an all-day event whose last day is ``end``; raises Fault."""
    if end < start:
        raise Fault(f"{end} is before start {start}")
    if (end - start).days >= bounds.LENGTH_DAYS:
        raise Fault(f"{end} is more than {bounds.LENGTH_DAYS} days after start {start}")
    return end + _DAY


def instant_end(start: datetime, end: datetime) -> datetime:
    """``end``, when it is after ``start`` (as instants, whatever the clocks show); raises Fault."""
    length = end.astimezone(UTC) - start.astimezone(UTC)
    if length < timedelta(0):
        raise Fault(f"{shown(end)} is before start {shown(start)}")
    if not length:
        raise Fault(f"{shown(end)} is the start itself", "leave end out when it is not known")
    if length.days >= bounds.LENGTH_DAYS:
        raise Fault(f"{shown(end)} is more than {bounds.LENGTH_DAYS} days after start {shown(start)}")
    return end


def after(start: Moment, length: Duration) -> Moment:
    """The exclusive end after ``length``: days by the calendar, the rest by the clock (RFC 5545 §3.8.2.5)."""
    if length.total_seconds == 0:
        raise Fault("an event of no length", "leave duration out when the end is not known")
    if not isinstance(start, datetime):
        if length.seconds:
            raise Fault("an all-day event lasts whole days", "write days, such as '2d', or a start with an hour")
        return start + timedelta(days=length.days)
    local = start.tzinfo
    if length.days:
        start = (start.replace(tzinfo=None) + timedelta(days=length.days)).replace(tzinfo=local, fold=start.fold)
    return (start.astimezone(UTC) + timedelta(seconds=length.seconds)).astimezone(local)


@lru_cache(maxsize=1024)
def duration(text: str, most_days: int) -> Duration:
    """A length such as ``1h30m`` of at most ``most_days``; raises Fault."""
    length = Duration.parse(text)
    if length.total_seconds > most_days * 86400:
        raise Fault(f"{text!r} is longer than {most_days} days")
    return length


def clock(text: str) -> time:
    """``HH:MM``, whose shape the schema has checked."""
    return time(int(text[:2]), int(text[3:]))


def quiet(text: str) -> tuple[time, time]:
    """``HH:MM-HH:MM``, which may pass midnight; raises Fault when it begins and ends at once."""
    begin, _, end = text.partition("-")
    if begin == end:
        raise Fault(f"{text!r} begins and ends at once", "write the first and the last minute, such as '22:00-07:00'")
    return clock(begin), clock(end)


def _form(value: date) -> str:
    return "a date-time" if isinstance(value, datetime) else "a date"


def shown(value: Moment) -> str:
    """A moment for a message, as the clocks of its zone show it."""
    return value.replace(tzinfo=None).isoformat() if isinstance(value, datetime) else value.isoformat()


def order(value: Moment) -> tuple[int, int]:
    """A key that sorts moments of one form in time; date-times by instant, whatever their clocks show."""
    return (value.toordinal(), 0) if not isinstance(value, datetime) else (0, int(value.timestamp()))
