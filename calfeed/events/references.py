"""What tables say about each other: ids, UIDs, parents, categories."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Protocol, TypeVar
from uuid import UUID, uuid5

from calfeed.errors import Location
from calfeed.events.model import ALL, Channel, Event, Feed
from calfeed.events.report import Report, Scope
from calfeed.events.schema import EventTable

_ENDINGS = (".ics", ".json", ".jcal", ".jscal", ".atom", ".html", ".xml", ".gz")

T = TypeVar("T")
Placed = tuple[T, Scope, Location]


class _Named(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_Named)


def unique(array: str, lists: Iterable[Sequence[N | None]], report: Report) -> list[Placed[N]]:
    """Every usable table of an array over all files, with its scope and the place of its header.

    Tables whose id was taken before are left out and reported, with the place of the first.
    """
    first: dict[str, tuple[Location, str]] = {}
    kept: list[Placed[N]] = []
    for number, tables in enumerate(lists):
        for index, (table, place) in enumerate(zip(tables, report.documents[number].items(array), strict=True)):
            if table is None:
                continue
            scope = report.scope(number, array, index)
            _check_ending(table.id, scope)
            taken, other = first.setdefault(table.id.casefold(), (place, table.id))
            if other == table.id and taken is not place:
                scope.error(("id",), f"{table.id!r} is already the id at {taken}")
                continue
            if taken is not place:
                hint = "files of both have one name on systems that ignore case"
                scope.warn(("id",), f"{table.id!r} differs only in case from {other!r} at {taken}", hint)
            kept.append((table, scope, place))
    return kept


def _check_ending(name: str, scope: Scope) -> None:
    """An event `a.ics` would stand at the URL of the download of the event `a`."""
    if name.lower().endswith(_ENDINGS):
        scope.error(("id",), f"{name!r} ends like a file of the feed", f"leave out {name[name.rindex('.') :]}")


def uids(events: Iterable[Placed[EventTable]], namespace: UUID) -> dict[str, str]:
    """UID by id; a UID that two events share is reported."""
    by_id: dict[str, str] = {}
    taken: dict[str, Location] = {}
    for table, scope, place in events:
        uid = by_id[table.id] = table.uid or str(uuid5(namespace, table.id))
        first = taken.setdefault(uid, place)
        if first is not place:
            scope.error(("uid",) if table.uid else ("id",), f"{uid!r} is already the UID of the event at {first}")
    return by_id


def check_parents(events: Iterable[Placed[EventTable]]) -> None:
    """Reports each circle of parents once, at its first event."""
    tables = {table.id: (table.parent, scope) for table, scope, _ in events}
    done: set[str] = set()
    for name in tables:
        way: dict[str, None] = {}
        at: str | None = name
        while at is not None and at in tables and at not in done and at not in way:
            way[at] = None
            at = tables[at][0]
        if at in way:
            circle = list(way)[list(way).index(at) :]
            first = min(circle, key=list(tables).index) if len(circle) > 1 else circle[0]
            turn = circle.index(first)
            names = " → ".join((*circle[turn:], *circle[:turn], first))
            tables[first][1].error(("parent",), f"an event is part of itself: {names}")
        done.update(way)


def check_categories(selections: Iterable[Placed[Feed] | Placed[Channel]], events: Iterable[Event]) -> None:
    """Warns of categories that select nothing."""
    known = {category for event in events for each in (event, *event.overrides) for category in each.categories}
    for selection, scope, _ in selections:
        for key in () if selection.id == ALL else ("categories", "exclude"):
            for index, category in enumerate(getattr(selection, key)):
                if category not in known:
                    near = get_close_matches(category, list(known), n=1)
                    hint = f"did you mean {near[0]!r}?" if near else ""
                    scope.warn((key, index), f"no event has the category {category!r}", hint)
