"""What is told: a reminder, a change, a digest, as words in a language and a zone. Channels only dress it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from calfeed.events.model import ALL, Calendar, Channel, Event, Occurrence, instant
from calfeed.events.revision import Change, ChangeKind, Revision
from calfeed.reminders import clock
from calfeed.reminders.dates import Reader, When
from calfeed.reminders.digest import DueDigest, days_of
from calfeed.reminders.plan import DueReminder, zone_of
from calfeed.reminders.series import changed_dates
from calfeed.reminders.words import words

MessageType = Literal[
    "event.reminder", "event.changed", "event.cancelled", "event.digest", "subscription.challenge", "test"
]
Subject = DueReminder | DueDigest | Change | str | None
"""What a message is about; the challenge of ``subscription.challenge`` is a str, a test is about nothing."""

LATE = timedelta(minutes=1)
"""From here on a message says that it is late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a message comes from: the calendar, its public address, and the revisions of its events."""

    calendar: Calendar
    base_url: str | None = None  # without a final slash; the calendar's own url where there is none
    revisions: Mapping[str, Revision] = field(default_factory=dict, repr=False)
    feed: str = ALL
    unsubscribe_url: str = ""

    @property
    def home(self) -> str:
        """The page's address, without a final slash; empty when it is nowhere in public."""
        return (self.base_url or self.calendar.url or "").rstrip("/")

    @property
    def feed_url(self) -> str:
        """The feed to subscribe to; empty when it is nowhere in public."""
        return f"{self.home}/feeds/{self.feed}.ics" if self.home else ""

    def event_url(self, event: Event) -> str:
        """The event's page; the publisher's own link when there is none."""
        return f"{self.home}/events/{event.id}" if self.home else event.url or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing a message tells of. All texts are plain: a channel escapes them in its own way."""

    title: str
    when: When | None = None
    was: When | None = None
    where: str = ""
    url: str = ""
    notes: tuple[str, ...] = ()
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is told, ready to be dressed by a channel; ``subject`` is the same for machines.

    ``timestamp`` is when it became true (a due time, a change), ``late_by`` how long after that it is written.
    """

    type: MessageType
    language: str
    headline: str
    items: tuple[Item, ...] = ()
    notes: tuple[str, ...] = ()
    origin: Origin
    timestamp: datetime
    late_by: timedelta = timedelta()
    subject: Subject = None

    @property
    def text(self) -> str:
        """All of it as plain lines, for places that know nothing better."""
        lines = [self.headline]
        for item in self.items:
            lines += item_lines(item, self.language, titled=len(self.items) > 1)
        return "\n".join([*lines, *self.notes])


def item_lines(item: Item, language: str, *, titled: bool) -> list[str]:
    """An item as plain lines, with its title first when ``titled``."""
    say = words(language)
    lines = [item.title] if titled else []
    if item.was:
        lines.append(say.said.format(say.was, item.was.text))
    if item.when:
        label = say.becomes if item.was else say.when
        lines += [say.said.format(label, item.when.text)] + ([item.when.elsewhere] if item.when.elsewhere else [])
    if item.where:
        lines.append(say.said.format(say.where, item.where))
    return [*lines, *item.notes, *([item.url] if item.url else [])]


def reminder_message(due: DueReminder, now: datetime, origin: Origin) -> Message:
    """What a reminder says when it is sent at ``now``."""
    reader = _reader(due.channel, due.calendar)
    late = max(now - due.due, timedelta())
    title = _title(due.occurrence.event, reader)
    notes = (reader.words.late.format(reader.words.span(late), reader.instant(due.due)),) if late >= LATE else ()
    return Message(
        type="event.reminder",
        language=reader.language,
        headline=reader.words.title(_ahead(due, now, reader), title),
        items=(_item(due.occurrence, reader, origin),),
        notes=notes,
        origin=origin,
        timestamp=due.due,
        late_by=late,
        subject=due,
    )


def digest_message(digest: DueDigest, now: datetime, origin: Origin) -> Message:
    """A day's items in one message."""
    reader = _reader(digest.channel, digest.calendar)
    return Message(
        type="event.digest",
        language=reader.language,
        headline=reader.words.digest.format(reader.day(digest.day), len(digest.items)),
        items=tuple(_of_day(occurrence, digest, reader, origin) for occurrence in digest.items),
        origin=origin,
        timestamp=digest.due,
        late_by=max(now - digest.due, timedelta()),
        subject=digest,
    )


def change_message(change: Change, channel: Channel, now: datetime, origin: Origin) -> Message:
    """What changed: the old time and the new. What left the list is told as cancelled."""
    reader = _reader(channel, origin.calendar)
    after, before = change.after or change.before, change.before
    if after is None:
        raise ValueError("a change has a state before or after it")
    cancelled = change.kind in (ChangeKind.CANCELLED, ChangeKind.REMOVED)
    return Message(
        type="event.cancelled" if cancelled else "event.changed",
        language=reader.language,
        headline=reader.words.title(_happened(change.kind, reader), _title(after, reader)),
        items=(_changed(before, after, reader, origin, cancelled=cancelled),),
        origin=origin,
        timestamp=change.at,
        late_by=max(now - change.at, timedelta()),
        subject=change,
    )


def test_message(channel: Channel, now: datetime, origin: Origin) -> Message:
    """One message that proves the way out."""
    reader = _reader(channel, origin.calendar)
    name = origin.calendar.name.get(reader.language)
    return Message(
        type="test",
        language=reader.language,
        headline=reader.words.title(reader.words.test, name),
        notes=(reader.words.test_body.format(name),),
        origin=origin,
        timestamp=now,
    )


def challenge_message(channel: Channel, challenge: str, now: datetime, origin: Origin) -> Message:
    """What the owner of a self-service URL must answer to before anything else is sent there."""
    reader = _reader(channel, origin.calendar)
    name = origin.calendar.name.get(reader.language)
    return Message(
        type="subscription.challenge",
        language=reader.language,
        headline=reader.words.title(reader.words.challenge, name),
        notes=(reader.words.challenge_body.format(name),),
        origin=origin,
        timestamp=now,
        subject=challenge,
    )


def _reader(channel: Channel, calendar: Calendar) -> Reader:
    return Reader(channel.language or calendar.language, zone_of(channel, calendar))


def _title(event: Event, reader: Reader) -> str:
    return event.summary.get(reader.language).strip() or reader.words.untitled


def _item(occurrence: Occurrence, reader: Reader, origin: Origin) -> Item:
    event = occurrence.event
    return Item(
        title=_title(event, reader),
        when=reader.when(occurrence),
        where=_place(event, reader),
        url=origin.event_url(event),
        notes=(reader.words.tentative,) if event.status == "tentative" else (),
        cancelled=event.status == "cancelled",
    )


def _place(event: Event, reader: Reader) -> str:
    if event.location is None:
        return ""
    parts = (event.location.name, event.location.address)
    return reader.words.list.join(part.get(reader.language) for part in parts if part is not None)


def _of_day(occurrence: Occurrence, digest: DueDigest, reader: Reader, origin: Origin) -> Item:
    item = _item(occurrence, reader, origin)
    first, last = days_of(occurrence, reader.zone)
    if first == last or occurrence.event.tba == "date":
        return item
    count = reader.words.day_of.format((digest.day - first).days + 1, (last - first).days + 1)
    return Item(title=item.title, when=item.when, where=item.where, url=item.url, notes=(count, *item.notes))


def _ahead(due: DueReminder, now: datetime, reader: Reader) -> str:
    """How far ahead it lies at ``now``: what is on time says the lead itself."""
    if clock.by_days(due.occurrence):
        return _days_ahead(due.occurrence, now, reader)
    say, begins = reader.words, instant(due.occurrence.start, due.occurrence.event.zone)
    spoken = now if now - due.planned_for >= LATE else due.planned_for  # the second it takes to send is no news
    left = begins - spoken
    if left < LATE:
        return say.now
    if left >= clock.DAY or (due.lead.days and left >= timedelta(hours=22)):  # a day may have 23 hours
        return say.days((_local_day(begins, reader) - _local_day(spoken, reader)).days)
    return say.future.format(say.span(left))


def _days_ahead(occurrence: Occurrence, now: datetime, reader: Reader) -> str:
    say = reader.words
    days = (clock.first_day(occurrence) - now.astimezone(occurrence.event.zone).date()).days
    if occurrence.event.tba == "date":
        return say.any_day if days <= 0 else say.earliest.format(say.days(days))
    return say.days(days)


def _local_day(at: datetime, reader: Reader) -> date:
    return at.astimezone(reader.zone).date()


def _happened(kind: ChangeKind, reader: Reader) -> str:
    say = reader.words
    return {
        ChangeKind.CANCELLED: say.cancelled,
        ChangeKind.REMOVED: say.cancelled,
        ChangeKind.RESTORED: say.restored,
        ChangeKind.CONFIRMED: say.confirmed,
    }.get(kind, say.moved)


def _changed(before: Event | None, after: Event, reader: Reader, origin: Origin, *, cancelled: bool) -> Item:
    item = _item(_whole(after), reader, origin)
    was = reader.when(_whole(before)) if before is not None else None
    dates = changed_dates(before, after, reader) if before is not None and not cancelled else ()
    return Item(
        title=item.title,
        when=item.when,
        was=was if was != item.when else None,
        where=item.where,
        url=item.url,
        notes=(*dates, *item.notes),
        cancelled=cancelled,
    )


def _whole(event: Event) -> Occurrence:
    """An event as its own first occurrence."""
    end = event.end if event.end is not None else event.start
    return Occurrence(event=event, start=event.start, end=end)
