"""A second opinion on an .ics file: what the `icalendar` library, a parser by others, makes of it.

The linter knows the rules; this knows whether a widely used program can live with the file. It only warns: a parser has
faults of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from icalendar import Calendar, Component

from calfeed.errors import Location, Problem

MOST_OCTETS = 4_000_000
"""A larger file is not read twice: the library takes a third of a millisecond an event."""

MOST_TOLD = 20


def second_reading(data: bytes, file: str) -> list[Problem]:
    """A warning for each property that the library could not read, or one that it could read nothing."""
    if len(data) > MOST_OCTETS:
        return []
    try:
        calendars = Calendar.from_ical(data, multiple=True)
    except Exception as fault:  # noqa: BLE001  # whatever it raises, it is the library's word on this file
        return [_warning(file, f"the icalendar library cannot read it: {_line(fault)}")]
    told = [text for calendar in calendars for text in _faults(calendar)]
    return [_warning(file, text) for text in told[:MOST_TOLD]]


def _faults(calendar: Component) -> Iterator[str]:
    for component in calendar.walk():
        for name, fault in component.errors:
            where = f"{component.name} {component.get('UID', '')}".strip()
            yield f"the icalendar library leaves out {name or 'a line'} of {where}: {_line(fault)}"


def _warning(file: str, text: str) -> Problem:
    hint = "a program built on it would not see this; the linter found nothing wrong"
    return Problem(Location(file), text, severity="warning", hint=hint)


def _line(fault: object) -> str:
    words = "".join(char if char.isprintable() else " " for char in str(fault))
    return words if len(words) <= 160 else f"{words[:159]}…"
