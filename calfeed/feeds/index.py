"""Occurrences by time, found without expanding every event again."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from calfeed.events.model import Event, Occurrence, instant
from calfeed.events.occurrences import last_end, occurrences
from calfeed.events.rules import MAXIMUM

_EARLIEST = datetime(1800, 1, 1, tzinfo=UTC)


class Index:
    """The occurrences of some events in one sorted list; those without end, or too many, made when asked for."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._long: list[Event] = []
        found: list[tuple[datetime, str, datetime, Occurrence]] = []
        for event in events:
            every = _every(event)
            if every is None:
                self._long.append(event)
            else:
                found += map(_placed, every)
        found.sort(key=lambda each: each[:2])
        self._found = found
        self._starts = [start for start, _, _, _ in found]
        self._latest_ends = list(accumulate((end for _, _, end, _ in found), max))

    def between(self, since: datetime, until: datetime, uids: Collection[str]) -> list[Occurrence]:
        """Those of ``uids`` that touch [since, until), by start and then by event id."""
        low = bisect_left(self._latest_ends, since)
        high = bisect_right(self._starts, until)
        found = [each for each in self._found[low:high] if each[3].event.uid in uids and _touches(each, since, until)]
        long = [event for event in self._long if event.uid in uids]
        if long:
            found += [_placed(each) for event in long for each in occurrences(event, since, until)]
            found.sort(key=lambda each: each[:2])
        return [occurrence for _, _, _, occurrence in found]


def _every(event: Event) -> list[Occurrence] | None:
    """All occurrences of an event; None where they are too many to be kept."""
    until = last_end(event)
    if until is None:
        return None
    found = list(occurrences(event, _EARLIEST, until + timedelta(seconds=1), limit=MAXIMUM + 1))
    return found if len(found) <= MAXIMUM else None


def _placed(occurrence: Occurrence) -> tuple[datetime, str, datetime, Occurrence]:
    zone = occurrence.event.zone
    return instant(occurrence.start, zone), occurrence.event.id, instant(occurrence.end, zone), occurrence


def _touches(placed: tuple[datetime, str, datetime, Occurrence], since: datetime, until: datetime) -> bool:
    start, _, end, _ = placed
    return start < until and (end > since or start >= since)
