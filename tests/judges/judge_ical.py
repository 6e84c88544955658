"""`ical`, which Home Assistant reads calendars with: the strictest of all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from ical.calendar_stream import IcsCalendarStream
from judging import judge


def expand(text: str, since: datetime, until: datetime) -> Iterator[tuple[date, date | None, str]]:
    calendar = IcsCalendarStream.calendar_from_ics(text)
    for event in calendar.timeline_tz(UTC).overlapping(since, until):
        yield event.dtstart, event.end, event.summary or ""


judge(expand)
