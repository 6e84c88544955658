"""What every Python driver shares: calendars come in as JSON on stdin, their occurrences go out as JSON on stdout.

In: ``{"since": "2024-01-01", "until": "2026-01-01", "calendars": ["BEGIN:VCALENDAR…", …]}``.
Out: for each calendar a sorted list of ``[start, end, title]``, or ``{"error": "…"}``. A day is ``2024-06-08``, its
end exclusive; an instant is ``2024-06-03T08:00:00Z``; what has no end ends as it begins. Only what begins in the span
counts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

Found = Iterable[tuple[date, "date | None", str]]


def judge(expand: Callable[[str, datetime, datetime], Found]) -> None:
    """Run ``expand(text, since, until)`` over all calendars; aware datetimes or dates come back."""
    asked = json.load(sys.stdin)
    since, until = (datetime.fromisoformat(asked[key]).replace(tzinfo=UTC) for key in ("since", "until"))
    json.dump([_one(expand, text, since, until) for text in asked["calendars"]], sys.stdout)


def _one(expand: Callable[[str, datetime, datetime], Found], text: str, since: datetime, until: datetime) -> object:
    try:
        found = [(_said(start), _said(_end(start, end)), title) for start, end, title in expand(text, since, until)]
    except Exception as fault:  # noqa: BLE001  # whatever it is, it is the judge's answer
        return {"error": f"{type(fault).__name__}: {fault}"[:300]}
    begin, end = since.date().isoformat(), until.date().isoformat()
    return sorted(list(each) for each in set(found) if begin <= each[0][:10] < end)


def _end(start: date, end: date | None) -> date:
    if isinstance(start, datetime) or end is None or end > start:
        return start if end is None else end
    return start + timedelta(days=1)


def _said(moment: date) -> str:
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return moment.isoformat()
