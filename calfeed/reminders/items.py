"""The things a message tells of, as plain texts that channels dress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from calfeed.events.model import ALL, Calendar, Event, Occurrence
from calfeed.events.revision import Revision
from calfeed.reminders.dates import Reader, When
from calfeed.reminders.words import words


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
    join: str = ""
    url: str = ""
    notes: tuple[str, ...] = ()
    cancelled: bool = False


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
    if item.join:
        lines.append(say.said.format(say.join, item.join))
    return [*lines, *item.notes, *([item.url] if item.url else [])]


def title_of(event: Event, reader: Reader) -> str:
    """The event's title in the reader's language."""
    title = event.summary.get(reader.language).strip()
    seen = any(character.isprintable() and not character.isspace() for character in title)
    return title if seen else reader.words.untitled


def item_of(occurrence: Occurrence, reader: Reader, origin: Origin) -> Item:
    """An occurrence as a message tells of it."""
    event = occurrence.event
    return Item(
        title=title_of(event, reader),
        when=reader.when(occurrence),
        where=_place(event, reader),
        join=event.conference[0].uri if event.conference else "",
        url=origin.event_url(event),
        notes=(reader.words.tentative,) if event.status == "tentative" else (),
        cancelled=event.status == "cancelled",
    )


def _place(event: Event, reader: Reader) -> str:
    if event.location is None:
        return ""
    parts = (event.location.name, event.location.address)
    return reader.words.list.join(part.get(reader.language) for part in parts if part is not None)
