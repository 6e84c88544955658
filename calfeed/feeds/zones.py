"""VTIMEZONEs that every reader takes: one STANDARD and at most one DAYLIGHT, each with a yearly rule.

Outlook ignores a zone of any other form, ical.js reads only the first of a list of RDATEs. One rule cannot say the
whole history of most zones, so the rules are taken from the years that a feed speaks of, and what they say is compared
with zoneinfo for every instant of it before they are used.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise, product
from zoneinfo import ZoneInfo

from calfeed.events.rules import WEEKDAYS

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
_EPOCH = 1970  # where most writers let observances begin; readers disagree on what holds before the first one
_TODAY = 2030  # the law to write when a feed names no instant

_zone = lru_cache(maxsize=None)(ZoneInfo)


@dataclass(frozen=True, slots=True)
class Onset:
    """When an offset begins, each year: the ``which``-th (-1: last) ``weekday`` of ``month`` at the local ``clock``.

    A ``month`` of 0 is an offset that always holds.
    """

    before: timedelta
    after: timedelta
    name: str
    month: int = 0
    which: int = 0
    weekday: int = 0
    clock: time = time()

    def local(self, year: int) -> datetime:
        """The wall clock, still by the offset before, at which it begins; naive."""
        if not self.month:
            return datetime(year, 1, 1)  # noqa: DTZ001 # a wall clock
        first, length = monthrange(year, self.month)
        day = 1 + (self.weekday - first) % 7 + 7 * (self.which - 1)
        if self.which < 0:
            day = length - (first + length - 1 - self.weekday) % 7
        return datetime.combine(date(year, self.month, day), self.clock)

    def utc(self, year: int) -> datetime:
        """The instant at which it begins."""
        return (self.local(year) - self.before).replace(tzinfo=UTC)


Onsets = tuple[Onset, ...]


def vtimezone(tzid: str, instants: Iterable[datetime]) -> bytes | None:
    """The VTIMEZONE under which all ``instants`` (aware) have the offset that zoneinfo gives; CRLF line ends.

    None where one yearly rule cannot say it, and for UTC itself: such instants are to be written in UTC.
    """
    instants = list(instants)
    years = tuple(sorted({instant.year for instant in instants})) or (_TODAY,)
    found = next((each for each in _fitting(tzid, years) if _says(tzid, each, years, instants)), None)
    return None if found is None else _written(tzid, found, min(_EPOCH, years[0] - 1))


def exact(tzid: str, years: Iterable[int]) -> bool:
    """Whether one VTIMEZONE says every second of these years, so that no instant of them need be looked at."""
    ordered = tuple(sorted(set(years)))
    return any(_whole(tzid, each, ordered) for each in _fitting(tzid, ordered)[:1])


def offset(onsets: Onsets, instant: datetime) -> timedelta:
    """The UTC offset that a reader of the rules finds for an instant."""
    years = (instant.year - 1, instant.year, instant.year + 1)
    begun = ((each.utc(year), each.after) for each in onsets for year in years)
    return max(item for item in begun if item[0] <= instant)[1]


def _says(tzid: str, onsets: Onsets, years: tuple[int, ...], instants: list[datetime]) -> bool:
    """Whether the rules give every instant its offset; looked at one by one only where whole years do not agree."""
    if _whole(tzid, onsets, years):
        return True
    return all(offset(onsets, instant.astimezone(UTC)) == _utcoffset(tzid, instant) for instant in instants)


def _whole(tzid: str, onsets: Onsets, years: tuple[int, ...]) -> bool:
    return not _shortened(onsets) and all(_agrees(tzid, onsets, year) for year in years)


@lru_cache(maxsize=4096)
def _fitting(tzid: str, years: tuple[int, ...]) -> tuple[Onsets, ...]:
    """The candidates, those first that agree with the whole of these years; then the likeliest."""
    return tuple(
        sorted(_candidates(tzid, years), key=lambda each: not all(_agrees(tzid, each, year) for year in years))
    )


def _candidates(tzid: str, years: tuple[int, ...]) -> tuple[Onsets, ...]:
    """All that the law of these years may be written as, the likeliest first."""
    pairs = dict.fromkeys(pair for year in reversed(years) for pair in _pairs(tzid, year))
    near = range(years[0] - 4, years[-1] + 5)
    ranked = sorted(pairs, key=lambda pair: (-sum(_agrees(tzid, pair, year) for year in near), _shortened(pair)))
    steady = dict.fromkeys(each for year in years for each in _steady(tzid, year))
    found = (*ranked, *((each,) for each in steady))
    return tuple(onsets for onsets in found if _writable(onsets))


def _pairs(tzid: str, year: int) -> Iterator[Onsets]:
    """Every reading of a year in which the clock went forward once and back once, summer time last."""
    changes = [change for change in _changes(tzid, year) if change[0].year == year]
    if len(changes) == 2 and changes[0][2] == changes[1][1] and changes[0][1] == changes[1][2]:
        back, forward = sorted(changes, key=lambda change: change[2])
        yield from product(_readings(tzid, *back), _readings(tzid, *forward))


def _readings(tzid: str, at: datetime, before: timedelta, after: timedelta) -> Iterator[Onset]:
    """A change as a weekday of its month. Midnight may also be the end of the day before: Cairo's last Thursday."""
    name = at.astimezone(_zone(tzid)).tzname() or tzid
    local = (at + before).replace(tzinfo=None)
    for moment in (local, local - _SECOND) if local.time() == time() else (local,):
        day, length = moment.day, monthrange(moment.year, moment.month)[1]
        for which in ([-1] if day + 7 > length else []) + ([(day + 6) // 7] if day <= 28 else []):
            yield Onset(before, after, name, moment.month, which, moment.weekday(), moment.time())


def _steady(tzid: str, year: int) -> list[Onset]:
    """Each offset that the year knows, as if it always held."""
    starts = [datetime(year, 1, 1, tzinfo=UTC), *(change[0] for change in _changes(tzid, year))]
    locals_ = [start.astimezone(_zone(tzid)) for start in starts]
    return [
        Onset(each.utcoffset() or _DAY * 0, each.utcoffset() or _DAY * 0, each.tzname() or tzid) for each in locals_
    ]


@lru_cache(maxsize=65536)
def _agrees(tzid: str, onsets: Onsets, year: int) -> bool:
    """Whether the rules say what zoneinfo does in the whole year, but for the last second of a day."""
    changes = _changes(tzid, year)
    first = datetime(year, 1, 1, tzinfo=UTC)
    if offset(onsets, first) != first.astimezone(_zone(tzid)).utcoffset():
        return False
    said = [(each.utc(year), each.before, each.after) for each in onsets if each.month]
    pairs = list(zip(sorted(said), changes, strict=False))
    return len(said) == len(changes) and all(
        abs(ours[0] - theirs[0]) <= _SECOND and ours[1:] == theirs[1:] for ours, theirs in pairs
    )


@lru_cache(maxsize=65536)
def _changes(tzid: str, year: int) -> tuple[tuple[datetime, timedelta, timedelta], ...]:
    """The instants of a year, and of the days around it, at which the offset changes, with the offsets around them."""
    first = datetime(year, 1, 1, tzinfo=UTC) - 2 * _DAY
    days = [(at, _utcoffset(tzid, at)) for at in (first + _DAY * number for number in range(371))]
    return tuple(_change(tzid, *one, *two) for one, two in pairwise(days) if one[1] != two[1])


def _change(
    tzid: str, low: datetime, before: timedelta, high: datetime, after: timedelta
) -> tuple[datetime, timedelta, timedelta]:
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        low, high = (middle, high) if _utcoffset(tzid, middle) == before else (low, middle)
    return high, before, after


def _utcoffset(tzid: str, at: datetime) -> timedelta:
    return at.astimezone(_zone(tzid)).utcoffset() or _DAY * 0


def _shortened(onsets: Onsets) -> bool:
    return any(each.clock.second == 59 for each in onsets)


def _writable(onsets: Onsets) -> bool:
    """Whole minutes only, which Outlook needs; and not UTC, which Home Assistant refuses as an observance."""
    seconds = {each.after.total_seconds() % 60 for each in onsets}
    return seconds == {0} and not (len(onsets) == 1 and onsets[0].name == "UTC")


@lru_cache(maxsize=4096)
def _written(tzid: str, onsets: Onsets, year: int) -> bytes:
    lines = ["BEGIN:VTIMEZONE", f"TZID:{tzid}"]
    for kind, each in zip(("STANDARD", "DAYLIGHT"), onsets, strict=False):
        lines += [f"BEGIN:{kind}", f"DTSTART:{each.local(year):%Y%m%dT%H%M%S}"]
        lines += [f"TZOFFSETFROM:{_signed(each.before)}", f"TZOFFSETTO:{_signed(each.after)}"]
        if each.month:
            lines.append(f"RRULE:FREQ=YEARLY;BYMONTH={each.month};BYDAY={each.which}{WEEKDAYS[each.weekday]}")
        lines += [f"TZNAME:{each.name}", f"END:{kind}"]
    return "".join(f"{line}\r\n" for line in (*lines, "END:VTIMEZONE")).encode()


def _signed(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
