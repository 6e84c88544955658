"""Moments in words: the reader's zone first, the event's own beside it where clocks differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from calfeed.events.model import Event, Moment, Occurrence, instant, last_touched
from calfeed.reminders import clock
from calfeed.reminders.words import Words, words

if TYPE_CHECKING:
    from babel import Locale


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """When something happens: in words, and as UTC instants where the hour is known.

    ``text`` is on the reader's clocks, ``elsewhere`` on those of the event's place where they differ. ``start`` and
    ``end`` are None for what has no hour or whose hour is to be announced: nobody may show one.
    """

    text: str
    elsewhere: str = ""
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a text is written for: a language tag and a time zone."""

    language: str
    zone: ZoneInfo

    @property
    def words(self) -> Words:
        """The phrases in the reader's language."""
        return words(self.language)

    def day(self, day: date) -> str:
        """``Fri, May 17, 2024``."""
        return _day(day, self.language)

    def clock(self, at: datetime, zone: ZoneInfo | None = None) -> str:
        """``10:00 AM``, on the reader's clock unless another zone is given."""
        local = at.astimezone(zone or self.zone)
        return _clock(time(local.hour, local.minute), self.language)

    def instant(self, at: datetime, zone: ZoneInfo | None = None) -> str:
        """``Fri, May 17, 2024, 10:00 AM``."""
        day = self.day(at.astimezone(zone or self.zone).date())
        return self.words.list.join((day, self.clock(at, zone)))

    def city(self, zone: ZoneInfo) -> str:
        """What people call a time zone: its city, in the reader's language."""
        return _city(zone.key, self.language)

    def when(self, occurrence: Occurrence) -> When:
        """When an occurrence happens."""
        event, zone = occurrence.event, occurrence.event.zone
        start = occurrence.start
        if not isinstance(start, datetime) or event.tba is not None:
            return When(text=self._days(event, clock.first_day(occurrence), _last_day(occurrence)))
        begins, ends = start.astimezone(UTC), instant(occurrence.end, zone)
        end = ends if ends > begins else None
        return When(
            text=self._span(begins, end, self.zone),
            elsewhere=self._span(begins, end, zone) if _differ(self.zone, zone, begins) else "",
            start=begins,
            end=end,
        )

    def moment(self, moment: Moment, event: Event) -> str:
        """One moment of an event in short: its day, with the hour where it is known."""
        if isinstance(moment, datetime) and event.tba is None:
            return self.instant(moment)
        return self.day(moment.date() if isinstance(moment, datetime) else moment)

    def _days(self, event: Event, first: date, last: date) -> str:
        say = self.words
        if event.tba == "date":
            text = say.date_tba.format(say.window.format(self.day(first), self.day(last)))
        else:
            text = self.day(first) if first == last else say.all_of.format(self.day(first), self.day(last))
            text = say.time_tba.format(text) if event.tba == "time" else text
        noon = datetime(first.year, first.month, first.day, 12, tzinfo=event.zone)
        return say.place.format(text, self.city(event.zone)) if _differ(self.zone, event.zone, noon) else text

    def _span(self, start: datetime, end: datetime | None, zone: ZoneInfo) -> str:
        text = self.instant(start, zone)
        if end is not None:
            same = start.astimezone(zone).date() == end.astimezone(zone).date()
            text += " – " + (self.clock(end, zone) if same else self.instant(end, zone))
        return self.words.place.format(text, self.city(zone))


def _last_day(occurrence: Occurrence) -> date:
    start, end = occurrence.start, occurrence.end
    if isinstance(start, datetime) and isinstance(end, datetime):
        return last_touched(start, end, occurrence.event.zone)
    return end - timedelta(days=1)


def _differ(one: ZoneInfo, other: ZoneInfo, at: datetime) -> bool:
    return at.astimezone(one).utcoffset() != at.astimezone(other).utcoffset()


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    from babel import Locale, UnknownLocaleError  # late: Babel costs 50 ms, and a plan needs none of it

    try:
        found = Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        found = Locale("en")
    spoken = words(language).language
    # CLDR lists scripts, as zh-Latn, that it has hardly a word in: no name for what is in no country, as UTC
    whole = found.language == spoken and "ZZ" in found.territories
    return found if whole else Locale(spoken)


# The same few days, hours and cities stand in thousands of messages, and CLDR is slow to ask.


@lru_cache(maxsize=4096)
def _day(day: date, language: str) -> str:
    from babel.dates import format_skeleton  # late: as above

    return _wide(
        format_skeleton("yMMMEd", datetime(day.year, day.month, day.day, tzinfo=UTC), locale=_locale(language))
    )


@lru_cache(maxsize=4096)
def _clock(clock: time, language: str) -> str:
    from babel.dates import format_time  # late: as above

    return _wide(format_time(clock, "short", locale=_locale(language)))


@lru_cache(maxsize=1024)
def _city(zone: str, language: str) -> str:
    from babel.dates import get_timezone_location  # late: as above

    return get_timezone_location(ZoneInfo(zone), locale=_locale(language), return_city=True)


def _wide(text: str) -> str:
    """With plain spaces: CLDR has narrow no-break ones, which terminals and some fonts cannot show."""
    return text.replace("\u202f", " ")
