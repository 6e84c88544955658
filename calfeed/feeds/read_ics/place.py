"""LOCATION, GEO and Apple's structured location to a place."""

from __future__ import annotations

import re
from typing import Any

from calfeed.events import bounds
from calfeed.feeds.lint.content import Line
from calfeed.feeds.lint.structure import Component
from calfeed.feeds.properties import one_line
from calfeed.feeds.read_ics import texts
from calfeed.feeds.read_ics.lost import Lost
from calfeed.feeds.read_ics.reading import parameter

_DEGREES = re.compile(r"(?:geo:)?([+-]?\d{1,3}(?:\.\d{1,12})?)[;,]([+-]?\d{1,3}(?:\.\d{1,12})?)(?:[;?].*)?", re.ASCII)


def place(component: Component, language: str, lost: Lost) -> Any:
    """A text, or a table where more than a name is known; None where nothing is."""
    line, structured = component.first("LOCATION"), component.first("X-APPLE-STRUCTURED-LOCATION")
    name, address = _words(line, structured)
    geo = _degrees(component.first("GEO") or structured, lost)
    if not name:
        if geo is None:
            return None
        name = f"{geo[0]:g}, {geo[1]:g}"
    if len(name) > bounds.TITLE:
        name = name[: bounds.TITLE].rstrip()
        lost.add("LOCATION", f"a place was cut after {bounds.TITLE} characters", line.number if line else None)
    tag = (line.parameter("LANGUAGE") if line else None) or language
    plain = tag.lower() == language.lower()
    table: dict[str, Any] = {"name": name if plain else {tag: name}}
    if address:
        table["address"] = address if plain else {tag: address}
    if geo is not None:
        table["geo"] = list(geo)
    page = line.parameter("ALTREP") if line else None
    if page and re.match(r"https?://", page, re.IGNORECASE):
        table["url"] = page
    return table["name"] if len(table) == 1 else table


def _words(line: Line | None, structured: Line | None) -> tuple[str, str]:
    if line is not None and (text := texts.text(line.value)):
        name, _, rest = text.partition("\n")
        return one_line(name).strip(), ", ".join(filter(None, (one_line(each).strip() for each in rest.split("\n"))))
    if structured is None:
        return "", ""
    title, address = (parameter(structured, name) or "" for name in ("X-TITLE", "X-ADDRESS"))
    return one_line(title.replace("\\n", "\n")).strip(), one_line(address.replace("\\n", "\n")).strip()


def _degrees(line: Line | None, lost: Lost) -> tuple[float, float] | None:
    if line is None:
        return None
    match = _DEGREES.fullmatch(line.value.strip())
    latitude, longitude = map(float, match.groups()) if match else (999.0, 999.0)
    if abs(latitude) > 90 or abs(longitude) > 180:
        lost.add(line.name, "coordinates that are no latitude and longitude were left out", line.number)
        return None
    return latitude, longitude
