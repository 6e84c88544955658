"""Two states of an event → what differs, and how much it matters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from calfeed.events.model import Event, Moment, moment_key
from calfeed.events.occurrences import end_of
from calfeed.events.record import published
from calfeed.events.revision import ChangeKind

_ORDER = tuple(item.name for item in fields(Event))
_TIMES = frozenset({"start", "end", "timezone", "rrule", "rdate", "exdate", "tba"})


def compare(before: Event | None, after: Event | None) -> tuple[ChangeKind, tuple[str, ...]] | None:
    """The kind of a change and the event keys that differ; None when no reader could tell the two apart."""
    if before is None or after is None:
        kind = ChangeKind.ADDED if before is None else ChangeKind.REMOVED
        return None if before is after else (kind, ())
    names = differing(before, after)
    kind = _kind(before, after, names)
    kinds = [kind, *(found for _, found in _overridden(before, after))] if kind is ChangeKind.EDITED else [kind]
    return (min(kinds, key=_STRENGTH.index), names) if names else None


def changed_occurrences(before: Event, after: Event) -> tuple[Moment, ...]:
    """The recurrence ids of the occurrences that a change speaks of, in order of time; empty when of the whole event.

    Beside an edit of the whole event, which they share, those that do more than follow it.
    """
    names = differing(before, after)
    if "overrides" not in names or _kind(before, after, names) is not ChangeKind.EDITED:
        return ()
    alone = names == ("overrides",)
    return tuple(at for at, kind in _overridden(before, after) if alone or kind is not ChangeKind.EDITED)


def differing(before: Event, after: Event) -> tuple[str, ...]:
    """The event keys that published events differ in, in the model's order."""
    old, new = published(before), published(after)
    return tuple(name for name in _ORDER if old.get(name) != new.get(name))


def reschedules(before: Event, after: Event) -> bool:
    """Whether attendees must look at their calendars again: SEQUENCE rises."""
    if before.status != after.status or not _times(before, after).isdisjoint(differing(before, after)):
        return True
    return any(reschedules(old, new) for _, old, new in _paired(before, after))


def occurrence_of(event: Event, at: Moment) -> Event:
    """The occurrence with that recurrence id as an event of its own: the override, or what the rule gives."""
    for override in event.overrides:
        if moment_key(override.recurrence_id) == moment_key(at):
            return override
    end = None if event.end is None else end_of(event, at)
    return replace(event, start=at, end=end, recurrence_id=at, rrule=None, rdate=(), exdate=(), overrides=())


_STRENGTH = (
    ChangeKind.REMOVED,
    ChangeKind.CANCELLED,
    ChangeKind.RESTORED,
    ChangeKind.CONFIRMED,
    ChangeKind.MOVED,
    ChangeKind.EDITED,
    ChangeKind.ADDED,
)


def _kind(before: Event, after: Event, names: tuple[str, ...]) -> ChangeKind:
    was, now = before.status == "cancelled", after.status == "cancelled"
    if was != now:
        return ChangeKind.CANCELLED if now else ChangeKind.RESTORED
    if (before.tba and not after.tba) or (before.status == "tentative" and after.status == "confirmed"):
        return ChangeKind.CONFIRMED
    return ChangeKind.EDITED if _times(before, after).isdisjoint(names) else ChangeKind.MOVED


def _times(before: Event, after: Event) -> frozenset[str]:
    """The keys that say when; days are the same days in every time zone."""
    return _TIMES - {"timezone"} if before.all_day and after.all_day else _TIMES


def _overridden(before: Event, after: Event) -> list[tuple[Moment, ChangeKind]]:
    found = ((at, compare(old, new)) for at, old, new in _paired(before, after))
    return [(at, change[0]) for at, change in found if change]


def _paired(before: Event, after: Event) -> Iterator[tuple[Moment, Event, Event]]:
    """Each occurrence that either has an override for, as both show it."""
    ids = {moment_key(each.recurrence_id): each.recurrence_id for each in (*before.overrides, *after.overrides)}
    for _, at in sorted(ids.items()):
        if at is not None:
            yield at, occurrence_of(before, at), occurrence_of(after, at)
