"""Occurrences by time, found without expanding every event again."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from calfeed.events.model import Event, Occurrence, instant
from calfeed.events.occurrences import last_end, occurrences

_EARLIEST = datetime(1800, 1, 1, tzinfo=UTC)


class Index:
    """The occurrences of some events: those that end in one sorted list, endless events expanded when asked for."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._endless: list[Event] = []
        found: list[tuple[datetime, str, datetime, Occurrence]] = []
        for event in events:
            until = last_end(event)
            if until is None:
                self._endless.append(event)
            else:
                found += map(_placed, occurrences(event, _EARLIEST, until + timedelta(seconds=1)))
        found.sort(key=lambda each: each[:2])
        self._found = found
        self._starts = [start for start, _, _, _ in found]
        self._latest_ends = list(accumulate((end for _, _, end, _ in found), max))

    def between(self, since: datetime, until: datetime, uids: Collection[str]) -> list[Occurrence]:
        """Those of ``uids`` that touch [since, until), by start and then by event id."""
        low = bisect_left(self._latest_ends, since)
        high = bisect_right(self._starts, until)
        found = [each for each in self._found[low:high] if each[3].event.uid in uids and _touches(each, since, until)]
        endless = [event for event in self._endless if event.uid in uids]
        if endless:
            found += [_placed(each) for event in endless for each in occurrences(event, since, until)]
            found.sort(key=lambda each: each[:2])
        return [occurrence for _, _, _, occurrence in found]


def _placed(occurrence: Occurrence) -> tuple[datetime, str, datetime, Occurrence]:
    zone = occurrence.event.zone
    return instant(occurrence.start, zone), occurrence.event.id, instant(occurrence.end, zone), occurrence


def _touches(placed: tuple[datetime, str, datetime, Occurrence], since: datetime, until: datetime) -> bool:
    start, _, end, _ = placed
    return start < until and (end > since or start >= since)
