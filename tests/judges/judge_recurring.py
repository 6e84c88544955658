"""`icalendar` with `recurring-ical-events`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import icalendar
import recurring_ical_events
from judging import judge


def expand(text: str, since: datetime, until: datetime) -> Iterator[tuple[date, date | None, str]]:
    calendar = icalendar.Calendar.from_ical(text)
    for event in recurring_ical_events.of(calendar).between(since, until):
        start = event["DTSTART"].dt
        yield start, event["DTEND"].dt if "DTEND" in event else None, str(event["SUMMARY"])


judge(expand)
