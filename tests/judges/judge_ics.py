"""`ics`: it reads no rules, so only events that do not recur are told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import ics
from judging import judge


def expand(text: str, since: datetime, until: datetime) -> Iterator[tuple[date, date | None, str]]:
    for event in ics.Calendar(text).events:
        if any(line.name in {"RRULE", "RECURRENCE-ID"} for line in event.extra):
            continue
        begin, end = event.begin.datetime, event.end.datetime
        if event.all_day:
            yield begin.date(), end.date(), event.name
        else:
            yield begin, end, event.name


judge(expand)
