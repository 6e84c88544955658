"""The agenda: items grouped by month and day, each once; those without a date in a group of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from calfeed.web.items import Item


@dataclass(frozen=True, slots=True)
class Entry:
    """An item in the agenda; ``day`` counts from 1 where a span is under way when the window opens."""

    item: Item
    day: int


@dataclass(frozen=True, slots=True)
class Group:
    """One day, or (``open``) the days on one of which its items will be."""

    first: date
    last: date
    open: bool
    entries: tuple[Entry, ...]

    @property
    def anchor(self) -> str:
        """The id of its heading."""
        return f"d{self.first}" + (f"-{self.last}" if self.open else "")


@dataclass(frozen=True, slots=True)
class Month:
    """A month's groups; ``first`` is its first day."""

    first: date
    groups: tuple[Group, ...]


def agenda(items: Iterable[Item], since: date | None) -> list[Month]:
    """Items that began before ``since`` stand under it, so that what is under way comes first."""
    placed = sorted(((_key(item, since), item) for item in items), key=lambda pair: (pair[0], pair[1].order))
    groups = [_group(key, [item for _, item in pairs]) for key, pairs in groupby(placed, key=lambda pair: pair[0])]
    return [
        Month(first, tuple(members)) for first, members in groupby(groups, key=lambda group: group.first.replace(day=1))
    ]


def _key(item: Item, since: date | None) -> tuple[date, bool, date]:
    first = max(item.first, since) if since and item.over >= since else item.first
    open_date = item.open_date and first < item.last
    return (first, open_date, item.last if open_date else first)


def _group(key: tuple[date, bool, date], members: list[Item]) -> Group:
    first, open_date, last = key
    return Group(first, last, open_date, tuple(Entry(item, (first - item.first).days + 1) for item in members))
