"""iCalendar to an event list: TOML with the UIDs kept, and what it cannot carry, with its lines.

A feed of ours comes back as it was: importing and publishing it again gives the same feed, revisions excepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from calfeed.errors import Problem
from calfeed.events import bounds
from calfeed.feeds.lint.structure import Component
from calfeed.feeds.read_ics import head, reading, series, uncarried
from calfeed.feeds.read_ics.draft import Draft
from calfeed.feeds.read_ics.entry import Entry, read_entry
from calfeed.feeds.read_ics.lost import Lost
from calfeed.feeds.read_ics.mending import mended


@dataclass(frozen=True, slots=True)
class Imported:
    """The event list, which loads without errors, and what of the file is not in it."""

    toml: str
    lost: tuple[Problem, ...]


def read_ics(
    data: bytes,
    file: str,
    *,
    calendar_id: str | None = None,
    follow: Callable[[Sequence[Component]], Iterable[Component]] = iter,
) -> Imported:
    """The event list of an iCalendar file; raises SourceError where it is none.

    ``file`` names it in problems; ``calendar_id`` is the id of the calendar, else made of its name; ``follow`` is given
    each calendar's VEVENTs and hands them on, for whoever shows how far the import is.
    """
    lost = Lost(file)
    calendars = reading.calendars(data, file, lost)
    frames = [head.frame(calendar, lost) for calendar in calendars]
    entries: list[Entry] = []
    for calendar, frame in zip(calendars, frames, strict=True):
        uncarried.tell(calendar, lost, ours=frame.is_ours)
        events = list(_events(calendar, lost))
        for event in events[bounds.EVENTS :]:
            lost.add("VEVENT", f"of more than {bounds.EVENTS} events the first were kept", event.number)
        kept = follow(events[: bounds.EVENTS])
        entries += (entry for event in kept if (entry := read_entry(event, frame)) is not None)
    shared = frames[0]
    found = series.joined(entries, shared)
    series.name_all(found, shared)
    series.relate(found, shared)
    draft = Draft(head.calendar_table(calendars, shared, calendar_id), found, calendars[0].number)
    return Imported(mended(draft, lost), lost.problems())


def _events(calendar: Component, lost: Lost) -> Iterator[Component]:
    """The VEVENTs; one that begins within another is read as if that one had ended before it."""
    for child in calendar.children:
        if child.name != "VEVENT":
            continue
        yield child
        for nested in child.walk():
            if nested is not child and nested.name == "VEVENT":
                lost.add("VEVENT", "an event began before the last one's END", nested.number)
                yield nested
