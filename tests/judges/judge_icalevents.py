"""`icalevents`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from icalevents import icalevents
from judging import judge


def expand(text: str, since: datetime, until: datetime) -> Iterator[tuple[date, date | None, str]]:
    for event in icalevents.events(string_content=text, start=since, end=until, tzinfo=UTC, strict=True):
        if event.all_day:
            yield (
                event.start.date() if isinstance(event.start, datetime) else event.start,
                _day(event.end),
                event.summary,
            )
        else:
            yield event.start, event.end, event.summary


def _day(end: date | None) -> date | None:
    return end.date() if isinstance(end, datetime) else end


judge(expand)
