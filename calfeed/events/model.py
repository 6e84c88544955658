"""The values every room passes on: a frozen Catalog of events, feeds and channels.

A *moment* is a ``date`` (all-day) or an aware ``datetime`` whose ``tzinfo`` is the ``ZoneInfo`` of the event.
Ends are exclusive (RFC 5545 §3.6.1), also of all-day events: the inclusive last day of the TOML is ``Event.last_day``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from calfeed.errors import Location, Problem

Moment = date | datetime
Status = Literal["confirmed", "tentative", "cancelled"]
Tba = Literal["time", "date"]
Visibility = Literal["public", "unlisted", "private"]
Transparency = Literal["transparent", "opaque"]
ChannelKind = Literal["slack", "webhook", "teams", "discord", "apprise"]

ALL = "all"
"""Id of the feed that is always there."""

_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """Days are nominal (local calendar days), seconds exact, as in RFC 5545 §3.3.6."""

    days: int = 0
    seconds: int = 0

    @classmethod
    def parse(cls, text: str) -> Duration:
        """``"1d"``, ``"90m"``, ``"1w2d"``, ``"1h30m"``; raises ValueError for anything else and for zero units."""
        match = _DURATION.fullmatch(text.strip())
        if not text.strip() or match is None:
            raise ValueError(f"expected a duration such as '30m', '2h', '1d' or '1h30m', got {text!r}")
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return cls(days=weeks * 7 + days, seconds=hours * 3600 + minutes * 60 + seconds)

    @property
    def total_seconds(self) -> int:
        """Length in seconds where a day counts 24 hours."""
        return self.days * 86400 + self.seconds

    def as_timedelta(self) -> timedelta:
        """The same as a ``timedelta`` (a day counts 24 hours)."""
        return timedelta(days=self.days, seconds=self.seconds)

    @property
    def iso(self) -> str:
        """RFC 5545 and ISO 8601 form: ``P1D``, ``PT1H30M``, ``PT0S``."""
        clock = "".join(f"{n}{unit}" for n, unit in self._clock("HMS"))
        day = f"{self.days}D" if self.days else ""
        return f"P{day}" + (f"T{clock}" if clock else "") if day or clock else "PT0S"

    def __str__(self) -> str:
        return (f"{self.days}d" if self.days else "") + "".join(f"{n}{u}" for n, u in self._clock("hms")) or "0s"

    def _clock(self, units: str) -> list[tuple[int, str]]:
        minutes, seconds = divmod(self.seconds, 60)
        hours, minutes = divmod(minutes, 60)
        return [(n, unit) for n, unit in zip((hours, minutes, seconds), units, strict=True) if n]


@dataclass(frozen=True, slots=True)
class Text:
    """One text in one or more languages (BCP 47 tags); the first is the fallback."""

    by_language: tuple[tuple[str, str], ...]

    def get(self, language: str | None = None) -> str:
        """The text in ``language``, else in the next wider one (RFC 4647 §3.4: ``zh-Hans-CN``, ``zh-Hans``, ``zh``).

        The first where there is none of them.
        """
        return self.pick(language)[1]

    def pick(self, language: str | None = None) -> tuple[str, str]:
        """``(language, text)`` of what `get` returns: which language the reader really gets."""
        if language and len(self.by_language) > 1:
            wanted = language.lower()
            while wanted:
                for tag, text in self.by_language:
                    if tag.lower() == wanted:
                        return tag, text
                wanted = wanted.rpartition("-")[0]
        return self.by_language[0]

    @property
    def languages(self) -> tuple[str, ...]:
        """The tags, fallback first."""
        return tuple(tag for tag, _ in self.by_language)


@dataclass(frozen=True, slots=True)
class Person:
    """An organizer."""

    name: Text
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A location; ``geo`` is (latitude, longitude) in degrees."""

    name: Text
    address: Text | None = None
    geo: tuple[float, float] | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Conference:
    """RFC 7986 §5.11: how to join from afar."""

    uri: str
    label: Text | None = None
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where the publisher has an event from."""

    title: Text
    url: str | None = None
    published: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of the event list, with all defaults of its calendar filled in.

    ``start``/``end`` are both dates or both aware datetimes in ``timezone``; ``end`` is exclusive and ``None`` only for
    a timed event without an end. An override is an Event of its own with ``recurrence_id`` set and no rule.
    """

    id: str
    uid: str
    summary: Text
    start: Moment
    end: Moment | None
    timezone: str
    description: Text | None = None
    tba: Tba | None = None
    status: Status = "confirmed"
    location: Place | None = None
    categories: tuple[str, ...] = ()
    url: str | None = None
    image: str | None = None
    conference: tuple[Conference, ...] = ()
    organizer: Person | None = None
    contact: Text | None = None
    attach: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    parent: str | None = None  # the parent's uid
    transparency: Transparency = "transparent"
    visibility: Visibility = "public"
    embargo: datetime | None = None  # aware, UTC
    priority: int | None = None
    rrule: str | None = None  # canonical RFC 5545 text; UNTIL in UTC for a timed event
    rdate: tuple[Moment, ...] = ()
    exdate: tuple[Moment, ...] = ()
    overrides: tuple[Event, ...] = ()
    remind: tuple[Duration, ...] | None = None
    recurrence_id: Moment | None = None
    source: Location = field(default=Location("events.toml"), compare=False)

    @property
    def all_day(self) -> bool:
        """Whether the event is of days, not of instants."""
        return not isinstance(self.start, datetime)

    @property
    def recurs(self) -> bool:
        """Whether the event may happen more than once."""
        return self.rrule is not None or bool(self.rdate)

    @property
    def last_day(self) -> date:
        """The last local day the event touches, inclusive."""
        if isinstance(self.start, datetime):
            return last_touched(self.start, self.end if isinstance(self.end, datetime) else self.start, self.zone)
        return (self.end or self.start + timedelta(days=1)) - timedelta(days=1)

    @property
    def zone(self) -> ZoneInfo:
        """The event's time zone."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A named selection of events: any of ``categories`` (all when empty) and none of ``exclude``."""

    id: str
    name: Text
    categories: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    visibility: Visibility = "public"
    source: Location = field(default=Location("events.toml"), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A place that reminders go to. ``url`` and ``secret`` are references (``env:NAME``, ``file:PATH``) or literals."""

    id: str
    kind: ChannelKind
    url: str
    secret: str | None = None
    categories: tuple[str, ...] = ()
    within: tuple[str, ...] = ()  # any of these too: the categories of the feed that a subscription is to
    exclude: tuple[str, ...] = ()
    before: tuple[Duration, ...] = (Duration(days=1), Duration(seconds=3600))
    language: str | None = None
    timezone: str | None = None
    changes: bool = True
    digest: time | None = None
    quiet: tuple[time, time] | None = None
    source: Location = field(default=Location("events.toml"), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """What one source describes."""

    id: str
    name: Text
    timezone: str
    description: Text | None = None
    language: str = "en"
    url: str | None = None
    color: str | None = None
    refresh: Duration = Duration(seconds=3600)
    tombstone: Duration = Duration(days=30)
    all_day_at: time = time(9)
    organizer: Person | None = None
    source: Location = field(default=Location("events.toml"), compare=False)

    @property
    def zone(self) -> ZoneInfo:
        """The calendar's time zone."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """One whole, checked source; ``feeds`` begins with ``all``; ``warnings`` did not prevent its use."""

    calendar: Calendar
    events: tuple[Event, ...] = ()
    feeds: tuple[Feed, ...] = ()
    channels: tuple[Channel, ...] = ()
    warnings: tuple[Problem, ...] = field(default=(), compare=False)

    @cached_property
    def by_id(self) -> dict[str, Event]:
        """Events by the publisher's handle."""
        return {event.id: event for event in self.events}

    @cached_property
    def by_uid(self) -> dict[str, Event]:
        """Events by what clients see."""
        return {event.uid: event for event in self.events}

    @cached_property
    def feed_by_id(self) -> dict[str, Feed]:
        """Feeds by id."""
        return {feed.id: feed for feed in self.feeds}

    @cached_property
    def channel_by_id(self) -> dict[str, Channel]:
        """Channels by id."""
        return {channel.id: channel for channel in self.channels}

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Every language that some title is written in, the calendar's own first."""
        found = {tag for event in self.events for tag in event.summary.languages}
        return (self.calendar.language, *sorted(found - {self.calendar.language}))


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One happening: ``event`` has the override applied; ``start``/``end`` are its own moments (end exclusive).

    ``recurrence_id`` is the moment the rule gave (None for an event that does not recur).
    """

    event: Event
    start: Moment
    end: Moment
    recurrence_id: Moment | None = None

    @property
    def all_day(self) -> bool:
        """Whether it is of days, not of instants."""
        return not isinstance(self.start, datetime)

    @property
    def key(self) -> str:
        """What tells it from its siblings for ever: the recurrence-id in UTC (or as a date), empty without one."""
        return moment_key(self.recurrence_id)


def moment_key(moment: Moment | None) -> str:
    """``20240603T070000Z`` or ``20240603``; empty for None."""
    if moment is None:
        return ""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return moment.strftime("%Y%m%d")


def instant(moment: Moment, zone: ZoneInfo) -> datetime:
    """The UTC instant of a moment; a date counts from its local midnight in ``zone`` (the later reading in a gap)."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    return datetime.combine(moment, time(), zone).astimezone(UTC)


def last_touched(start: datetime, end: datetime, zone: ZoneInfo) -> date:
    """The last day in ``zone`` that something from ``start`` to ``end`` (exclusive) touches."""
    last = end.astimezone(UTC) - timedelta(microseconds=1)  # local times of one zone are reckoned as clocks show them
    return max(start.astimezone(UTC), last).astimezone(zone).date()
