"""What a change of an event comes to: its old and new time, or those of the dates of a series that differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from calfeed.events.comparison import changed_occurrences, occurrence_of
from calfeed.events.model import Event, Moment, Occurrence
from calfeed.events.occurrences import end_of
from calfeed.reminders.dates import Reader
from calfeed.reminders.items import Item, Origin, item_of

MANY = 10
"""How many dates of a series are told one by one."""


def changed_items(
    before: Event | None, after: Event | None, reader: Reader, origin: Origin
) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """The items of a notice, and what else is to be said of them."""
    ids = changed_occurrences(before, after) if before and after else ()
    if not before or not after or not ids:
        return (_item(before, after, reader, origin),), ()
    items = [_item(occurrence_of(before, at), occurrence_of(after, at), reader, origin) for at in ids[:MANY]]
    more = (reader.words.more.format(len(ids) - MANY),) if len(ids) > MANY else ()
    return tuple(items), (reader.words.series, *more)


def _item(before: Event | None, after: Event | None, reader: Reader, origin: Origin) -> Item:
    shown = after or before
    if shown is None:
        raise ValueError("a change has a state before or after it")
    item = item_of(_first(shown), reader, origin)
    was = reader.when(_first(before)) if before else None
    off = after is None or after.status == "cancelled"
    dates = _dates(before, after, reader) if before and after and not off else ()
    return replace(
        item,
        # of a series whose own time stands only the dates that differ matter: its first may be long past
        when=None if was == item.when and dates else item.when,
        was=None if was == item.when else was,
        notes=(*dates, *item.notes),
        cancelled=off,
    )


def _first(event: Event) -> Occurrence:
    """An event as its own first occurrence."""
    return Occurrence(event=event, start=event.start, end=end_of(event, event.start))


def _dates(before: Event, after: Event, reader: Reader) -> tuple[str, ...]:
    """Dates that a series lost or gained, and whether its rule is another."""
    say = reader.words
    off = [*_new(after.exdate, before.exdate), *_new(before.rdate, after.rdate)]
    on = [*_new(before.exdate, after.exdate), *_new(after.rdate, before.rdate)]
    lines = [say.off_one.format(_listed(off, after, reader))] if off else []
    lines += [say.on_one.format(_listed(on, after, reader))] if on else []
    return (*([say.repeats] if before.rrule != after.rrule else []), *lines)


def _new(those: Iterable[Moment], known: tuple[Moment, ...]) -> list[Moment]:
    return [moment for moment in those if moment not in known]


def _listed(moments: list[Moment], event: Event, reader: Reader) -> str:
    told = [reader.moment(moment, event) for moment in moments[:MANY]]
    more = [reader.words.more.format(len(moments) - MANY)] if len(moments) > MANY else []
    return "; ".join([*told, *more])
