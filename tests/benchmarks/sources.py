"""Event lists of any size, all of it ahead, so that no feed leaves out a past."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

HEAD = '[calendar]\nid = "bench"\nname = "Bench"\ntimezone = "Europe/Paris"\n'

EVENT = """
[[events]]
id = "event-{number}"
summary = "Event number {number}, a talk with a title"
description = "What is told about event {number}: a few words, two lines; and more."
start = {day}T{hour:02}:00:00
duration = "1h"
location = "Hall {hall}"
categories = ["track-{track}", "talk"]
"""


def events_toml(count: int, first: date | None = None, a_day: int = 3, extra: str = "") -> str:
    """``count`` talks, ``a_day`` of them each day from ``first`` on (next year's 2 January)."""
    start = first or date(datetime.now(UTC).year + 1, 1, 2)
    entries = (
        EVENT.format(
            number=number,
            day=start + timedelta(days=number // a_day),
            hour=8 + number % a_day % 12,
            hall=number % 40,
            track=number % 7,
        )
        for number in range(count)
    )
    return "".join((HEAD, extra, *entries))


def write(folder: Path, count: int, **how: object) -> Path:
    """The list as a file of its own."""
    path = folder / f"events-{count}.toml"
    path.write_text(events_toml(count, **how))  # type: ignore[arg-type]  # as above
    return path
