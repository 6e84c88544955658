"""Components and properties as iCalendar octets (RFC 5545), the same ones whenever the same things are said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from calfeed.feeds.properties import Component, Params, Property
from calfeed.feeds.text import LINE_OCTETS, escape, fold, parameter

PRODID = "-//calfeed//calfeed//EN"
MEDIA_TYPE = "text/calendar; charset=utf-8"


def calendar(header: Sequence[Property], zones: Iterable[bytes], events: Iterable[bytes]) -> bytes:
    """A whole iCalendar object from what is written already; ``zones`` and ``events`` may not both be empty."""
    head = "\r\n".join(("BEGIN:VCALENDAR", *content(header), "")).encode()
    return b"".join((head, *zones, *events, b"END:VCALENDAR\r\n"))


def octets(components: Iterable[Component]) -> bytes:
    """Components one after the other."""
    lines: list[str] = []
    for component in components:
        _write(component, lines)
    lines.append("")
    return "\r\n".join(lines).encode()


def _write(component: Component, lines: list[str]) -> None:
    lines.append(f"BEGIN:{component.name}")
    lines += content(component.properties)
    for child in component.components:
        _write(child, lines)
    lines.append(f"END:{component.name}")


def content(properties: Iterable[Property]) -> list[str]:
    """Content lines, folded, without their last breaks."""
    return [_line(each) if each[0] in _UNLIKE else _KNOWN.get(each) or _learned(each) for each in properties]


_UNLIKE = frozenset({"UID", "DTSTART", "DTEND", "RECURRENCE-ID", "SUMMARY", "DESCRIPTION", "URL"})
"""Lines that an event shares with few others; the rest are written once and then known."""


def _line(each: Property) -> str:
    name, value, kind, params = each
    if isinstance(value, str):
        text = escape(value) if kind == "text" and not value.isalpha() else value
    else:
        text = ",".join(map(escape, value))
    line = f"{name}{_written(params)}:{text}" if params else f"{name}:{text}"
    return line if len(line) <= LINE_OCTETS and line.isascii() else fold(line)


_KNOWN: dict[Property, str] = {}
"""A plain dictionary: an ``lru_cache`` takes twice as long to look a line up, and a feed has ten of them an event."""
_MOST_KNOWN = 8192


def _learned(each: Property) -> str:
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    line = _KNOWN[each] = _line(each)
    return line


@lru_cache(maxsize=4096)
def _written(params: Params) -> str:
    return "".join(f";{name}={_value(value)}" for name, value in params)


def _value(value: str | tuple[str, ...]) -> str:
    return parameter(value) if isinstance(value, str) else ",".join(map(parameter, value))
