"""`vobject`: it expands rules; overrides are put in their places here, for it has no notion of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import vobject
from judging import judge


def expand(text: str, since: datetime, until: datetime) -> Iterator[tuple[date, date | None, str]]:
    events = vobject.readOne(text).contents.get("vevent", [])
    replaced = {(each.uid.value, each.recurrence_id.value) for each in events if hasattr(each, "recurrence_id")}
    for event in events:
        start = event.dtstart.value
        length = event.dtend.value - start if hasattr(event, "dtend") else None
        for moment in _starts(event, start, until):
            if hasattr(event, "recurrence_id") or (event.uid.value, moment) not in replaced:
                yield moment, None if length is None else moment + length, event.summary.value


def _starts(event: vobject.base.Component, start: date, until: datetime) -> Iterator[date]:
    if not hasattr(event, "rrule"):
        yield start
        return
    for moment in event.getrruleset(addRDate=True):
        day = moment.date() if not isinstance(start, datetime) else moment
        if moment.replace(tzinfo=None) > until.replace(tzinfo=None) + timedelta(days=1):
            return
        yield day


judge(expand)
