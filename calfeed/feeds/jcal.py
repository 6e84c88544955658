"""The same components and properties as jCal (RFC 7265)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from calfeed.feeds.properties import Component, Property
from calfeed.feeds.text import escape

MEDIA_TYPE = "application/calendar+json; charset=utf-8"

JSON = list[Any]


def calendar(header: Sequence[Property], zones: Iterable[bytes], components: Iterable[Component]) -> bytes:
    """A whole jCal object; ``zones`` are VTIMEZONEs as iCalendar octets."""
    children = [*map(_zone, zones), *map(jcal, components)]
    data = ["vcalendar", [_property(each) for each in header], children]
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def jcal(component: Component) -> JSON:
    """One component: name, properties, components within."""
    children = [jcal(child) for child in component.components]
    return [component.name.lower(), [_property(each) for each in component.properties], children]


def _property(each: Property) -> JSON:
    name, value, kind, params = each
    named = {key.lower(): _single(given) for key, given in params if key != "VALUE"}
    if not isinstance(value, str):
        return [name.lower(), named, "text", *value]
    if name.startswith("X-") and not any(key == "VALUE" for key, _ in params):
        return [name.lower(), named, "unknown", escape(value) if kind == "text" else value]
    if name == "GEO":
        return [name.lower(), named, kind, [float(angle) for angle in value.split(";")]]
    return [name.lower(), named, kind, _value(value, kind)]


def _single(given: str | tuple[str, ...]) -> str | list[str]:
    return given if isinstance(given, str) else given[0] if len(given) == 1 else list(given)


def _value(value: str, kind: str) -> Any:
    match kind:
        case "date" | "date-time":
            return moment(value)
        case "integer":
            return int(value)
        case "recur":
            return recur(value)
        case "utc-offset":
            return f"{value[:3]}:{value[3:5]}"
        case _:
            return value


def moment(value: str) -> str:
    """``20240517T100000Z`` as ``2024-05-17T10:00:00Z`` (RFC 7265 §3.6.5), a date likewise."""
    day = f"{value[:4]}-{value[4:6]}-{value[6:8]}"
    return f"{day}T{value[9:11]}:{value[11:13]}:{value[13:]}" if "T" in value else day


def recur(value: str) -> dict[str, Any]:
    """A recurrence rule as an object (RFC 7265 §3.6.10)."""
    parts = (part.split("=", 1) for part in value.split(";"))
    return {name.lower(): _part(name, text) for name, text in parts}


def _part(name: str, text: str) -> Any:
    if name == "UNTIL":
        return moment(text)
    if name in {"FREQ", "WKST"}:
        return text
    items = [int(item) if item.lstrip("+-").isdigit() else item for item in text.split(",")]
    return items[0] if len(items) == 1 else items


_KINDS = {"DTSTART": "date-time", "TZOFFSETFROM": "utc-offset", "TZOFFSETTO": "utc-offset", "RRULE": "recur"}


def _zone(octets: bytes) -> JSON:
    """A VTIMEZONE of ours: unfolded lines without parameters."""
    root: JSON = ["", [], []]
    stack = [root]
    for line in octets.decode().splitlines():
        name, _, value = line.partition(":")
        if name == "BEGIN":
            stack.append([value.lower(), [], []])
            stack[-2][2].append(stack[-1])
        elif name == "END":
            stack.pop()
        else:
            kind = _KINDS.get(name, "text")
            stack[-1][1].append([name.lower(), {}, kind, _value(value, kind)])
    found: JSON = root[2][0]
    return found
