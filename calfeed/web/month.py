"""The month grid: weeks of seven days, items as bars in lanes, the rest counted."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from calfeed.web.items import Item

LANES = 8
"""Bars above one another in a week before the rest is only counted."""


@dataclass(frozen=True, slots=True)
class Day:
    """A cell; ``hidden`` counts items that found no lane on it."""

    date: date
    outside: bool
    hidden: int


@dataclass(frozen=True, slots=True)
class Bar:
    """An item's part of a week: ``column`` and ``lane`` count from 1; ``before``, ``after``: it goes on beyond it."""

    item: Item
    column: int
    span: int
    lane: int
    before: bool
    after: bool


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days and the bars over them."""

    days: tuple[Day, ...]
    bars: tuple[Bar, ...]

    @property
    def lanes(self) -> int:
        """How many lanes the week uses."""
        return max((bar.lane for bar in self.bars), default=0)


def weeks(items: Sequence[Item], month: date, first_weekday: int = 0) -> list[Week]:
    """The weeks that touch ``month`` (its first day), Monday first unless the reader's week begins elsewhere."""
    return [_week(items, days, month) for days in Calendar(first_weekday).monthdatescalendar(month.year, month.month)]


def _week(items: Sequence[Item], days: list[date], month: date) -> Week:
    here = [item for item in items if item.first <= days[-1] and item.last >= days[0]]
    here.sort(key=lambda item: (item.open_date, item.days == 1, item.order))
    bars, left = _lanes(here, days)
    return Week(tuple(Day(day, day.month != month.month, _touching(left, day)) for day in days), tuple(bars))


def _lanes(items: Iterable[Item], days: list[date]) -> tuple[list[Bar], list[Item]]:
    """Long items with known dates take their lanes first: what no lane is left for is short or not yet certain."""
    taken: list[set[int]] = [set() for _ in range(LANES)]
    bars, left = [], []
    for item in items:
        first, last = max(item.first, days[0]), min(item.last, days[-1])
        columns = range((first - days[0]).days + 1, (last - days[0]).days + 2)
        lane = next((number for number, used in enumerate(taken) if used.isdisjoint(columns)), None)
        if lane is None:
            left.append(item)
            continue
        taken[lane].update(columns)
        bars.append(Bar(item, columns[0], len(columns), lane + 1, item.first < days[0], item.last > days[-1]))
    return sorted(bars, key=lambda bar: (bar.column, bar.lane)), left


def _touching(items: Iterable[Item], day: date) -> int:
    return sum(item.first <= day <= item.last for item in items)


def neighbours(month: date) -> tuple[date, date]:
    """The first days of the months before and after."""
    return (month - timedelta(days=1)).replace(day=1), (month + timedelta(days=31)).replace(day=1)
