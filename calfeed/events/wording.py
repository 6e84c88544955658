"""A change in words: "moved from Fri 17 May 2024, 10:00 to 11:30 (Asia/Shanghai)", in English, Russian or Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from calfeed.events.comparison import changed_occurrences, compare, differing, occurrence_of
from calfeed.events.model import Event, Moment
from calfeed.events.occurrences import end_of, length
from calfeed.events.revision import Change, ChangeKind
from calfeed.events.words import Words, words

_TIMES = {"start", "end", "tba", "rrule", "rdate", "exdate", "overrides"}
"""Keys that other words than "edited" speak of."""
_SHOWN = 3
"""Single dates that are told one by one."""


def describe(change: Change, language: str = "en", *, timezone: str | None = None) -> str:
    """What changed, without the title; in words of ``language`` (else English), in ``timezone`` or the event's own."""
    speaker = _Speaker(words(language), timezone)
    before, after = change.before, change.after
    if before is None or after is None:
        return "".join(speaker.whole(change.kind, event) for event in (before or after,) if event)
    ids = changed_occurrences(before, after)
    if ids:
        return speaker.words.pause.join((speaker.occurrences(before, after, ids), *speaker.edits(before, after)))
    return speaker.change(change.kind, before, after)


@dataclass(frozen=True, slots=True)
class _Speaker:
    words: Words
    timezone: str | None

    def change(self, kind: ChangeKind, before: Event, after: Event) -> str:
        if kind is ChangeKind.CANCELLED:
            return self.whole(kind, before)
        if kind not in {ChangeKind.MOVED, ChangeKind.EDITED}:
            return self.whole(kind, after)
        return self.words.pause.join((*self.moves(before, after), *self.edits(before, after)))

    def whole(self, kind: ChangeKind, event: Event) -> str:
        return self.words.kinds[kind].format(self.zoned(self.when(event), event))

    def occurrences(self, before: Event, after: Event, ids: tuple[Moment, ...]) -> str:
        told = [self.occurrence(before, after, moment) for moment in ids[:_SHOWN]]
        rest = [self.words.more.format(len(ids) - _SHOWN)] if len(ids) > _SHOWN else []
        return self.words.pause.join((*told, *rest))

    def occurrence(self, before: Event, after: Event, moment: Moment) -> str:
        old, new = occurrence_of(before, moment), occurrence_of(after, moment)
        found = compare(old, new)
        kind = found[0] if found else ChangeKind.EDITED
        said = self.change(kind, old, new)
        return self.words.one.format(self.point(moment), said) if kind is ChangeKind.EDITED else said

    def moves(self, before: Event, after: Event) -> Iterator[str]:
        words, names = self.words, differing(before, after)
        if not ({"start", "end", "tba"} if after.all_day else {"start", "end", "tba", "timezone"}).isdisjoint(names):
            yield self.move(before, after)
        if "rrule" in names:
            yield words.repeats
        for phrase, name in ((words.also, "rdate"), (words.not_on, "exdate")):
            added = [moment for moment in getattr(after, name) if moment not in getattr(before, name)]
            if added:
                yield self.zoned(phrase.format(self.points(added)), after)
            elif name in names and "rrule" not in names:
                yield words.edited.format(words.fields[name])

    def move(self, before: Event, after: Event) -> str:
        full = self.has_hours(before) and self.has_hours(after) and length(before) != length(after)
        old, new = self.when(before, full=full), self.when(after, full=full)
        if self.zone(before) != self.zone(after):
            old = self.zoned(old, before)
        elif self.day_of(before) == self.day_of(after) and self.has_hours(before) and self.has_hours(after):
            new = self.clocks(after, full=full)
        return self.words.moved.format(old, self.zoned(new, after))

    def edits(self, before: Event, after: Event) -> Iterator[str]:
        skipped = _TIMES if after.all_day else _TIMES | {"timezone"}
        names = [name for name in differing(before, after) if name not in skipped]
        if names:
            yield self.words.edited.format(self.words.list.join(self.words.fields[name] for name in names))

    def when(self, event: Event, *, full: bool = False) -> str:
        if self.has_hours(event):
            return self.words.clock.format(self.day(self.day_of(event)), self.clocks(event, full=full))
        first, last = self.day(self.day_of(event)), self.day(event.last_day)
        if event.tba == "date":
            return self.words.date_tba.format(first, last)
        days = first if first == last else f"{first} – {last}"
        return self.words.time_tba.format(days) if event.tba else days

    def clocks(self, event: Event, *, full: bool) -> str:
        start, end = self.local(event.start, event), self.local(end_of(event, event.start), event)
        if not full or start == end:
            return f"{start:%H:%M}"
        if start.date() == end.date():
            return f"{start:%H:%M}–{end:%H:%M}"
        return f"{start:%H:%M} – " + self.words.clock.format(self.day(end.date()), f"{end:%H:%M}")

    def day_of(self, event: Event) -> date:
        start = event.start
        return start if not isinstance(start, datetime) else self.local(start, event).date()

    def local(self, moment: Moment, event: Event) -> datetime:
        at = moment if isinstance(moment, datetime) else datetime.combine(moment, datetime.min.time(), event.zone)
        return at.astimezone(ZoneInfo(self.zone(event)))

    def zone(self, event: Event) -> str:
        return self.timezone if self.timezone and not event.tba else event.timezone

    def zoned(self, text: str, event: Event) -> str:
        return self.words.zone.format(text, self.zone(event)) if self.has_hours(event) else text

    def has_hours(self, event: Event) -> bool:
        return not event.all_day and not event.tba

    def points(self, moments: Iterable[Moment]) -> str:
        return self.words.list.join(self.point(moment) for moment in moments)

    def point(self, moment: Moment) -> str:
        if not isinstance(moment, datetime):
            return self.day(moment)
        local = moment.astimezone(ZoneInfo(self.timezone)) if self.timezone else moment
        return self.words.clock.format(self.day(local.date()), f"{local:%H:%M}")

    def day(self, day: date) -> str:
        from babel.dates import format_date  # late: 50 ms that only words need

        return format_date(day, self.words.day, locale=self.words.locale)
