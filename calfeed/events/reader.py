"""A source that is read again and again: of a long list only the entries that an edit touched are parsed anew.

The shortcut is taken where the rest cannot be meant otherwise than before, and where there is nothing to complain of.
In every other case the whole source is read, so that all problems are told with their places.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeVar

from calfeed.errors import Location
from calfeed.events import bounds, references
from calfeed.events.model import Catalog, Event
from calfeed.events.parse import events_of, parse, uncollected
from calfeed.events.report import Report
from calfeed.events.shapes import shaped
from calfeed.events.source import Document, excerpt, read, text_of

Files = Sequence[tuple[str, str | bytes]]


T = TypeVar("T")


class Reader:
    """Reads one source; what it read last without a problem is where the next reading starts from."""

    def __init__(self) -> None:
        self._last: _Reading | None = None

    def load(self, files: Iterable[tuple[str, str | bytes]]) -> Catalog:
        """As `parse.load`: the Catalog of ``(name, content)`` files; raises SourceError with every problem."""
        named = tuple(files)
        with uncollected():
            reading = self._last and self._last.edited(named)
            if reading is None:
                tables = read(named)
                reading = _Reading.of(named, tables.documents, parse(tables))
        self._last = reading
        return reading.catalog


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was read; ``entries`` has, for each file, where its ``[[events]]`` begin, or None where that is not sure."""

    files: Files
    texts: tuple[str, ...]
    entries: tuple[list[int] | None, ...]
    catalog: Catalog

    @classmethod
    def of(cls, files: Files, documents: Sequence[Document], catalog: Catalog) -> Self:
        return cls(files, tuple(each.text for each in documents), tuple(map(_begins, documents)), catalog)

    def edited(self, files: Files) -> _Reading | None:
        """The reading of what the files hold now; None where the whole has to be read."""
        if [name for name, _ in files] != [name for name, _ in self.files] or self.catalog.warnings:
            return None
        differing = [number for number, (old, new) in enumerate(zip(self.files, files, strict=True)) if old != new]
        if not differing:
            return self
        if len(differing) > 1 or sum(len(content) for _, content in files) > bounds.SOURCE_BYTES:
            return None
        return self._with(differing[0], files)

    def _with(self, number: int, files: Files) -> _Reading | None:
        """The reading with another text of one file."""
        name, content = files[number]
        before, text, entries = self.texts[number], text_of(content), self.entries[number]
        if text is None or entries is None or None in self.entries:
            return None
        edit = _Edit.between(before, text, entries)
        if edit is None or excerpt(name, edit.old, edit.line) is None:
            return None
        document = excerpt(name, edit.new, edit.line)
        inside = None if document is None else _begins(document)
        if document is None or inside is None:
            return None
        base = sum(len(each or ()) for each in self.entries[:number])
        catalog = _replaced(self.catalog, slice(base + edit.first, base + edit.last), document, _Shift.of(name, edit))
        if catalog is None:
            return None
        shift, padding = len(edit.new) - len(edit.old), edit.line - 1
        begins = [
            *entries[: edit.first],
            *(edit.offset + begin - padding for begin in inside),
            *(begin + shift for begin in entries[edit.last :]),
        ]
        return _Reading(files, _put(self.texts, number, text), _put(self.entries, number, begins), catalog)


def _begins(document: Document) -> list[int] | None:
    """Offsets of the lines at which the events begin."""
    headers = document.entries("events")
    return None if headers is None else [document.text.rfind("\n", 0, header) + 1 for header in headers]


def _put(values: tuple[T, ...], number: int, value: T) -> tuple[T, ...]:
    return (*values[:number], value, *values[number + 1 :])


@dataclass(frozen=True, slots=True)
class _Edit:
    """Whole entries ``first`` up to ``last`` of one text, ``old`` at ``offset``, that became ``new``."""

    first: int
    last: int
    offset: int
    line: int
    old: str
    new: str

    @classmethod
    def between(cls, before: str, after: str, entries: Sequence[int]) -> Self | None:
        """What differs, in whole entries; None when it is not only entries."""
        begins = [*entries, len(before)]
        first, last, end = 0, len(entries), len(after)
        if not after.startswith(before[: begins[0]]):
            return None
        while first < last and after.startswith(before[begins[first] : begins[first + 1]], begins[first]):
            first += 1
        offset = begins[first]
        while first < last and after.endswith(before[begins[last - 1] : begins[last]], offset, end):
            end -= begins[last] - begins[last - 1]
            last -= 1
        old, new = before[offset : begins[last]], after[offset:end]
        starts_line = offset == 0 or before[offset - 1] == "\n"
        ends_line = not new or end == len(after) or new.endswith("\n")
        if not (starts_line and ends_line):
            return None
        return cls(first, last, offset, before.count("\n", 0, offset) + 1, old, new)


@dataclass(frozen=True, slots=True)
class _Shift:
    """What stands at ``line`` of a file or below has moved by ``lines``."""

    file: str
    line: int
    lines: int

    @classmethod
    def of(cls, file: str, edit: _Edit) -> Self:
        before = edit.old.count("\n")
        return cls(file, edit.line + before, edit.new.count("\n") - before)

    def place(self, at: Location) -> Location:
        """Where a place is now."""
        if at.file != self.file or at.line is None or at.line < self.line:
            return at
        return Location(at.file, at.line + self.lines, at.column)

    def event(self, event: Event) -> Event:
        """The event with its place, and those of its overrides."""
        if not self.lines:
            return event
        overrides = tuple(map(self.event, event.overrides))
        return replace(event, source=self.place(event.source), overrides=overrides)


def _replaced(catalog: Catalog, part: slice, document: Document, shift: _Shift) -> Catalog | None:
    """The catalog with the document's events for a ``part`` of its own; None where that may need a word."""
    events = catalog.events
    others = (*events[: part.start], *events[part.stop :])
    fresh = _parsed(document, catalog, others)
    if fresh is None or not _fits(events[part], fresh, others):
        return None
    calendar = catalog.calendar
    return replace(
        catalog,
        calendar=replace(calendar, source=shift.place(calendar.source)),
        events=(*events[: part.start], *fresh, *map(shift.event, events[part.stop :])),
        feeds=tuple(replace(each, source=shift.place(each.source)) for each in catalog.feeds),
        channels=tuple(replace(each, source=shift.place(each.source)) for each in catalog.channels),
    )


def _parsed(document: Document, catalog: Catalog, others: Sequence[Event]) -> list[Event] | None:
    """The events of an excerpt; None when there is anything to complain of."""
    report = Report((document,))
    shape = shaped(0, report)
    if report.found:
        return None
    tables = references.unique("events", [shape.events], report)
    uids = references.uids(tables, references.namespace(catalog.calendar.id))
    references.check_parents(tables)
    known = {event.id: event.uid for event in others} | uids
    events = events_of(tables, catalog.calendar, known, report)
    return None if report.found else events


def _fits(gone: Iterable[Event], fresh: Sequence[Event], others: Sequence[Event]) -> bool:
    """Whether nothing that the events say of each other can be at fault now."""
    before, after = {event.uid: event for event in gone}, {event.uid: event for event in fresh}
    names = {event.id.casefold() for event in others}
    lost = {uid for uid, event in before.items() if uid not in after or after[uid].id != event.id}
    missing = _categories(before.values()) - _categories(after.values())  # a feed may have selected the last of one
    return (
        len(others) + len(fresh) <= bounds.EVENTS
        and not any(event.id.casefold() in names for event in fresh)
        and not any(event.uid in after or event.parent in lost for event in others)
        and all(event.parent == before[event.uid].parent for event in fresh if event.uid in before)
        and (not missing or missing <= _categories(others))
    )


def _categories(events: Iterable[Event]) -> set[str]:
    return {category for event in events for each in (event, *event.overrides) for category in each.categories}
