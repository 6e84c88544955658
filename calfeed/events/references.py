"""What tables say about each other: ids, UIDs, parents, categories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha1
from typing import Protocol, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from calfeed.errors import Location
from calfeed.events.model import ALL, Channel, Feed
from calfeed.events.report import Report, Scope, did_you_mean
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
        uid = by_id[table.id] = table.uid or eternal_uid(namespace, table.id)
        first = taken.setdefault(uid, place)
        if first is not place:
            scope.error(("uid",) if table.uid else ("id",), f"{uid!r} is already the UID of the event at {first}")
    return by_id


def namespace(calendar_id: str) -> UUID:
    """That of the UIDs which a calendar's events have by their ids."""
    return uuid5(NAMESPACE_URL, f"calfeed:{calendar_id}")


def eternal_uid(namespace: UUID, name: str) -> str:
    """``str(uuid5(namespace, name))`` (RFC 4122 §4.3) in a third of its time: a cold start makes one for each event."""
    octets = bytearray(sha1(namespace.bytes + name.encode(), usedforsecurity=False).digest()[:16])
    octets[6] = octets[6] & 0x0F | 0x50
    octets[8] = octets[8] & 0x3F | 0x80
    text = octets.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def check_parents(events: Sequence[Placed[EventTable]]) -> None:
    """Reports each circle of parents once, at its first event."""
    scopes = {table.id: scope for table, scope, _ in events}
    parents = {table.id: table.parent for table, _, _ in events}
    order = {name: number for number, name in enumerate(parents)}
    done: set[str] = set()
    for name in parents:
        way: dict[str, None] = {}
        at: str | None = name
        while at is not None and at in parents and at not in done and at not in way:
            way[at] = None
            at = parents[at]
        if at in way:
            first = min(list(way)[list(way).index(at) :], key=order.__getitem__)
            scopes[first].error(("parent",), f"an event is part of itself: {_round(first, parents)}")
        done.update(way)


def _round(first: str, parents: Mapping[str, str | None]) -> str:
    names = [first]
    while (following := parents[names[-1]]) != first and len(names) < 8:
        names.append(str(following))
    return " → ".join([*names, first] if following == first else [*names, "…"])


def check_categories(selections: Iterable[Placed[Feed] | Placed[Channel]], events: Iterable[EventTable]) -> None:
    """Warns of categories that select nothing, not even an event with a fault."""
    happenings = (each for event in events for each in (event, *(event.overrides or ())))
    known = {category for each in happenings for category in each.categories or ()}
    for selection, scope, _ in selections:
        for key in () if selection.id == ALL else ("categories", "exclude"):
            for index, category in enumerate(getattr(selection, key)):
                if category not in known:
                    hint = scope.report.found_hint(did_you_mean(category, known))
                    scope.warn((key, index), f"no event has the category {category!r}", hint)
