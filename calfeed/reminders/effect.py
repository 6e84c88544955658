"""What an edit does to the reminders that lie ahead: how many are told at another time, how many come, how many go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from calfeed.events.model import Catalog, Event, instant
from calfeed.events.record import to_record
from calfeed.reminders.plan import DueReminder, due_reminders
from calfeed.reminders.words import words

HORIZON = timedelta(days=366)
"""How far beyond now, or beyond its beginning, a series is looked at."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Numbers of reminders: ``moved`` to another time, ``added``, ``withdrawn``."""

    moved: int = 0
    added: int = 0
    withdrawn: int = 0

    def __bool__(self) -> bool:
        """Whether any reminder is touched."""
        return self != Effect()

    def told(self, language: str | None) -> str:
        """In words: ``3 reminders move with it``; empty where nothing is touched."""
        say = words(language)
        counts = ((self.moved, say.moves), (self.added, say.adds), (self.withdrawn, say.withdraws))
        return say.list.join(forms[say.plural(number)].format(number) for number, forms in counts if number)


def effects(old: Catalog, new: Catalog, now: datetime) -> dict[str, Effect]:
    """By UID: what an edit does to the reminders that were or will be due after ``now``; only where it does anything.

    Each event is planned a year ahead, one that lies further off by itself.
    """
    shared = _shared(old) == _shared(new)
    found: dict[str, Effect] = {}
    for uid in dict.fromkeys((*new.by_uid, *old.by_uid)):
        before, after = old.by_uid.get(uid), new.by_uid.get(uid)
        if shared and _alike(before, after):
            continue
        until = _horizon([event for event in (before, after) if event], now)
        effect = _effect(_planned(old, before, now, until), _planned(new, after, now, until))
        if effect:
            found[uid] = effect
    return found


def others(found: Iterable[Effect], language: str | None) -> str:
    """One line for items that read as before and are told otherwise: a channel, a lead time, an embargo was edited."""
    counts = [(one.moved, one.added, one.withdrawn) for one in found]
    say, together = words(language), Effect(*map(sum, zip(*counts, strict=True)))
    return say.said.format(say.others, together.told(language))


def _shared(catalog: Catalog) -> tuple[object, ...]:
    """What else than the event itself decides when it is told, and to whom."""
    return catalog.calendar.all_day_at, catalog.calendar.timezone, catalog.channels


def _alike(before: Event | None, after: Event | None) -> bool:
    return before is not None and after is not None and to_record(before) == to_record(after)


def _horizon(states: Iterable[Event], now: datetime) -> datetime:
    return max([now, *(instant(event.start, event.zone) for event in states)]) + HORIZON


def _planned(catalog: Catalog, event: Event | None, now: datetime, until: datetime) -> Mapping[str, DueReminder]:
    alone = replace(catalog, events=(event,) if event else ())
    return {due.key: due for due in due_reminders(alone, now, until)}


def _effect(before: Mapping[str, DueReminder], after: Mapping[str, DueReminder]) -> Effect:
    """A reminder that keeps its key, or the place of one that goes, has moved: dates of a series change their keys."""
    kept = before.keys() & after.keys()
    moved = sum(before[key].due != after[key].due for key in kept)
    gone, come = _by_place(before, kept), _by_place(after, kept)
    paired = (gone & come).total()
    return Effect(moved + paired, come.total() - paired, gone.total() - paired)


def _by_place(planned: Mapping[str, DueReminder], kept: Iterable[str]) -> Counter[tuple[str, str]]:
    left = (due for key, due in planned.items() if key not in kept)
    return Counter((due.channel.id, str(due.lead)) for due in left)
