"""What is told: a reminder, a change, a digest, as words in a language and a zone. Channels only dress it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Literal

from calfeed.events.model import Calendar, Channel, Occurrence, instant
from calfeed.events.revision import Change, ChangeKind
from calfeed.reminders import clock
from calfeed.reminders.changed import changed_items
from calfeed.reminders.dates import Reader
from calfeed.reminders.digest import DueDigest, days_of
from calfeed.reminders.items import Item, Origin, item_lines, item_of, title_of
from calfeed.reminders.plan import DueReminder, zone_of

__all__ = [
    "Item",
    "Message",
    "MessageType",
    "Origin",
    "Subject",
    "challenge_message",
    "change_message",
    "confirmation_message",
    "digest_message",
    "reminder_message",
    "test_message",
]

MessageType = Literal[
    "event.reminder", "event.changed", "event.cancelled", "event.digest", "subscription.challenge", "test"
]
Subject = DueReminder | DueDigest | Change | str | None
"""What a message is about; the challenge of ``subscription.challenge`` is a str, a test is about nothing."""

LATE = timedelta(minutes=1)
"""From here on a message says that it is late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """What people read of a message."""

    headline: str
    items: tuple[Item, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Message:
    """What is told, ready to be dressed by a channel; ``subject`` is the same for machines.

    ``timestamp`` is when it became true (a due time, a change), ``late_by`` how long after that it is written. The
    prose is written when it is first asked for: machines need none, and it costs half of what a webhook's message does.
    """

    type: MessageType
    language: str
    write: Callable[[], Prose] = field(repr=False, compare=False)
    origin: Origin
    timestamp: datetime
    late_by: timedelta = timedelta()
    subject: Subject = None

    @cached_property
    def prose(self) -> Prose:
        """Written once."""
        return self.write()

    @property
    def headline(self) -> str:
        """What it is about, in one line."""
        return self.prose.headline

    @property
    def items(self) -> tuple[Item, ...]:
        """The things it tells of."""
        return self.prose.items

    @property
    def notes(self) -> tuple[str, ...]:
        """What else is to be said of them."""
        return self.prose.notes

    @property
    def text(self) -> str:
        """All of it as plain lines, for places that know nothing better."""
        lines = [self.headline]
        for item in self.items:
            lines += item_lines(item, self.language, titled=len(self.items) > 1)
        return "\n".join([*lines, *self.notes])


def reminder_message(due: DueReminder, now: datetime, origin: Origin) -> Message:
    """What a reminder says when it is sent at ``now``."""
    reader = _reader(due.channel, due.calendar)

    def write() -> Prose:
        return Prose(
            headline=reader.words.title(_ahead(due, now, reader), title_of(due.occurrence.event, reader)),
            items=(item_of(due.occurrence, reader, origin),),
            notes=_late(due.due, now, reader),
        )

    return _message("event.reminder", reader, write, origin, due, at=due.due, now=now)


def digest_message(digest: DueDigest, now: datetime, origin: Origin) -> Message:
    """A day's items in one message."""
    reader = _reader(digest.channel, digest.calendar)

    def write() -> Prose:
        return Prose(
            headline=reader.words.digest.format(reader.day(digest.day), len(digest.items)),
            items=tuple(_of_day(occurrence, digest, reader, origin) for occurrence in digest.items),
            notes=_late(digest.due, now, reader),
        )

    return _message("event.digest", reader, write, origin, digest, at=digest.due, now=now)


def change_message(change: Change, channel: Channel, now: datetime, origin: Origin) -> Message:
    """What changed: the old time and the new. What left the list is told as cancelled.

    Dates of a series that differ are told one by one; the series itself is ``event.cancelled`` only as a whole.
    """
    reader = _reader(channel, origin.calendar)
    shown = change.after or change.before
    if shown is None:
        raise ValueError("a change has a state before or after it")

    def write() -> Prose:
        items, notes = changed_items(change.before, change.after, reader, origin)
        headline = reader.words.title(_happened(change.kind, reader), title_of(shown, reader))
        return Prose(headline=headline, items=items, notes=notes)

    off = change.after is None or change.after.status == "cancelled"
    kind: MessageType = "event.cancelled" if off else "event.changed"
    return _message(kind, reader, write, origin, change, at=change.at, now=now)


def test_message(channel: Channel, now: datetime, origin: Origin) -> Message:
    """One message that proves the way out."""
    reader = _reader(channel, origin.calendar)
    say, name = reader.words, origin.calendar.name.get(reader.language)
    prose = Prose(headline=say.title(say.test, name), notes=(say.test_body.format(name),))
    return _message("test", reader, lambda: prose, origin, at=now, now=now)


def challenge_message(channel: Channel, challenge: str, now: datetime, origin: Origin) -> Message:
    """What the owner of a self-service URL must answer to before anything else is sent there."""
    reader = _reader(channel, origin.calendar)
    say, name = reader.words, origin.calendar.name.get(reader.language)
    prose = Prose(headline=say.title(say.challenge, name), notes=(say.challenge_body.format(name),))
    return _message("subscription.challenge", reader, lambda: prose, origin, challenge, at=now, now=now)


def confirmation_message(channel: Channel, url: str, now: datetime, origin: Origin) -> Message:
    """What the readers of a place that cannot answer a challenge must confirm by hand, at ``url``."""
    reader = _reader(channel, origin.calendar)
    say, name = reader.words, origin.calendar.name.get(reader.language)
    item, note = Item(title=name, url=url), say.confirm_body.format(name)
    prose = Prose(headline=say.title(say.challenge, name), items=(item,), notes=(note,))
    return _message("subscription.challenge", reader, lambda: prose, origin, at=now, now=now)


def _message(
    type_: MessageType,
    reader: Reader,
    write: Callable[[], Prose],
    origin: Origin,
    subject: Subject = None,
    *,
    at: datetime,
    now: datetime,
) -> Message:
    return Message(
        type=type_,
        language=reader.language,
        write=write,
        origin=origin,
        timestamp=at,
        late_by=max(now - at, timedelta()),
        subject=subject,
    )


def _reader(channel: Channel, calendar: Calendar) -> Reader:
    return Reader(channel.language or calendar.language, zone_of(channel, calendar))


def _late(due: datetime, now: datetime, reader: Reader) -> tuple[str, ...]:
    say, late = reader.words, now - due
    return (say.late.format(say.span(late), reader.instant(due)),) if late >= LATE else ()


def _of_day(occurrence: Occurrence, digest: DueDigest, reader: Reader, origin: Origin) -> Item:
    item = item_of(occurrence, reader, origin)
    first, last = days_of(occurrence, reader.zone)
    if first == last or occurrence.event.tba == "date":
        return item
    count = reader.words.day_of.format((digest.day - first).days + 1, (last - first).days + 1)
    return replace(item, notes=(count, *item.notes))


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
