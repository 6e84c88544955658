"""The timeline: days across, one row an item, its bar over the days it takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from calfeed.web.items import Item

MOST_DAYS = 31
"""Days across at most: what the stylesheet has columns for."""
USUAL_DAYS = 14
MOST_ROWS = 80
"""Rows before the rest is only counted: the agenda shows them."""


Place = Literal["inside", "after", "before"]


@dataclass(frozen=True, slots=True)
class Row:
    """``column`` and ``span`` of the bar among the days; words stand where there is room: in, after or before it."""

    item: Item
    column: int
    span: int
    words: Place
    before: bool
    after: bool


def days(first: date, last: date) -> list[date]:
    """Every day from ``first`` to ``last``, at most `MOST_DAYS`."""
    count = min((last - first).days + 1, MOST_DAYS)
    return [first + timedelta(days=number) for number in range(count)]


def rows(items: Iterable[Item], shown: list[date]) -> list[Row]:
    """The items that touch the days shown, in order of their beginning."""
    return [_row(item, shown) for item in items if item.first <= shown[-1] and item.last >= shown[0]]


def _row(item: Item, shown: list[date]) -> Row:
    first, last = max(item.first, shown[0]), min(item.last, shown[-1])
    column, span = (first - shown[0]).days + 1, (last - first).days + 1
    words = _roomiest(column - 1, span, len(shown) - column - span + 1)
    return Row(item, column, span, words, item.first < shown[0], item.last > shown[-1])


def _roomiest(before: int, inside: int, after: int) -> Place:
    if 2 * inside >= before + inside + after or inside > max(before, after):
        return "inside"
    return "after" if after >= before else "before"
