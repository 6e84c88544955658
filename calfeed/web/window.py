"""Which days a page shows: a screenful forward or backward from a day, whole days only. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from calfeed.web.items import Item

Find = Callable[[date, date], list[Item]]
"""Items that touch the days from the first to the second, both inclusive, in reading order."""

SCREENFUL = 60
"""Items on one page of the agenda, rounded up to whole days."""
_FIRST_STEP, _GROWTH, _STEPS = 31, 4, 6  # 31 days, then four times as many, up to about 87 years


@dataclass(frozen=True, slots=True)
class Window:
    """The items of the days ``first``…``last``; ``before``/``after`` tell whether others lie beyond."""

    items: list[Item]
    first: date
    last: date
    before: bool
    after: bool


def forward(find: Find, first: date, limit: date | None = None) -> Window:
    """From ``first`` on, until a screenful or ``limit`` (inclusive) is reached."""
    before = any_before(find, first)
    found: list[Item] = []
    for step in _steps():
        last = min(first + step, limit or date.max)
        found = find(first, last)
        if len(found) > SCREENFUL or last == limit:
            break
    kept = _whole_days(found, first)
    if len(kept) < len(found):
        return Window(kept, first, max(kept[-1].first, first), before, after=True)
    end = limit or max((item.last for item in kept), default=first)
    return Window(kept, first, end, before, limit is not None and any_after(find, limit))


def whole(find: Find, first: date, last: date) -> Window:
    """All of these days, however many items they have."""
    return Window(find(first, last), first, last, any_before(find, first), any_after(find, last))


def backward(find: Find, last: date) -> Window:
    """The screenful that ends with ``last``."""
    found: list[Item] = []
    for step in _steps():
        found = find(last - step, last)
        if len(found) > SCREENFUL:
            break
    kept = found
    if len(found) > SCREENFUL:
        cut = found[-SCREENFUL].first
        kept = [item for item in found if item.first >= cut]
    first = min((item.first for item in kept), default=last)
    return Window(kept, first, last, len(kept) < len(found), any_after(find, last))


def _steps() -> Iterator[timedelta]:
    return (timedelta(days=_FIRST_STEP * _GROWTH**number) for number in range(_STEPS))


def any_after(find: Find, last: date) -> bool:
    """Whether something begins after a day."""
    tomorrow = last + timedelta(days=1)
    return any(any(item.first > last for item in find(tomorrow, tomorrow + step)) for step in _steps())


def any_before(find: Find, first: date) -> bool:
    """Whether something is over before a day."""
    yesterday = first - timedelta(days=1)
    return any(any(item.over < first for item in find(yesterday - step, yesterday)) for step in _steps())


def _whole_days(found: list[Item], first: date) -> list[Item]:
    if len(found) <= SCREENFUL:
        return found
    cut = max(found[SCREENFUL - 1].first, first)
    return [item for item in found if item.first <= cut]
