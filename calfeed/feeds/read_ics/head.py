"""The properties of a VCALENDAR to the table [calendar]."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from calfeed.events import bounds
from calfeed.events.colors import CSS3
from calfeed.feeds.lint.moments import moment
from calfeed.feeds.lint.structure import Component
from calfeed.feeds.read_ics import ours, texts
from calfeed.feeds.read_ics.frame import Frame
from calfeed.feeds.read_ics.lost import Lost
from calfeed.feeds.read_ics.times import Zones, definitions, length
from calfeed.feeds.read_ics.words import by_language
from calfeed.feeds.read_ics.zone_names import zone

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_HEX = re.compile(r"#([0-9A-Fa-f]{6})(?:[0-9A-Fa-f]{2})?")


def frame(calendar: Component, lost: Lost) -> Frame:
    """What the events of a calendar share."""
    is_ours = calendar.text("PRODID").startswith(ours.PRODID)
    url = calendar.text("URL").rstrip("/") if is_ours else ""
    zones = Zones(_zone(calendar), is_ours, definitions(calendar), lost)
    return Frame(zones, _language(calendar, is_ours=is_ours), url or None, lost)


def _zone(calendar: Component) -> str:
    """The zone that the calendar names, else the one that most of its events are in, else UTC."""
    named = zone(calendar.text("X-WR-TIMEZONE"), None, None, 2000)
    if named:
        return named
    found = definitions(calendar)
    starts = [when for event in calendar.children if (when := moment(event.first("DTSTART"))) and when.tzid]
    years = {when.tzid: when.clock.year for when in starts}
    counted = Counter(when.tzid for when in starts).most_common(5)
    names = (zone(tzid, found.get(tzid), None, _within(years[tzid])) for tzid, _ in counted if tzid)
    return next(filter(None, names), "UTC")


def _within(year: int) -> int:
    return min(max(year, bounds.YEARS[0]), bounds.YEARS[1])


def _language(calendar: Component, *, is_ours: bool) -> str:
    """The language that most titles name. In a feed of ours those without one are in the calendar's own."""
    summaries = [line for event in calendar.children for line in event.all("SUMMARY")]
    untagged = [event for event in calendar.children if _is_untagged(event)]
    if is_ours and untagged:
        return ours.language(
            (texts.line(each.text("SUMMARY")), texts.text(each.text("DESCRIPTION"))) for each in untagged
        )
    tags = Counter(tag for line in [*calendar.all("NAME"), *summaries] if (tag := line.parameter("LANGUAGE")))
    return next((tag for tag, _ in tags.most_common() if _LANGUAGE.fullmatch(tag)), "en")


def _is_untagged(event: Component) -> bool:
    line = event.first("SUMMARY")
    return line is not None and line.parameter("LANGUAGE") is None


def calendar_table(calendars: Sequence[Component], shared: Frame, calendar_id: str | None) -> dict[str, Any]:
    """``[calendar]`` of the first VCALENDAR."""
    calendar = calendars[0]
    named = calendar.lines.get("NAME") or calendar.lines.get("X-WR-CALNAME", [])
    name = by_language(named, shared, texts.line, bounds.TITLE) or "Imported calendar"
    table: dict[str, Any] = {"id": calendar_id or _id(name), "name": name}
    told = calendar.lines.get("DESCRIPTION") or calendar.lines.get("X-WR-CALDESC", [])
    description = by_language(told, shared, _our_description if shared.is_ours else _description, bounds.PROSE)
    if description:
        table["description"] = description
    table["timezone"] = shared.zones.own
    if shared.language != "en":
        table["language"] = shared.language
    url = shared.base_url or calendar.text("URL")
    if re.match(r"https?://", url, re.IGNORECASE):
        table["url"] = url
    color = _color(calendar, shared.lost)
    if color:
        table["color"] = color
    refresh = length(calendar.text("REFRESH-INTERVAL") or calendar.text("X-PUBLISHED-TTL"))
    if refresh and str(refresh) != "1h":
        table["refresh"] = str(refresh)
    return table


def _description(value: str) -> str:
    return texts.commonmark(texts.tidied(texts.from_html(texts.text(value))))


def _our_description(value: str) -> str:
    text = ours.without_dropped(texts.cleaned(value))
    return texts.commonmark(text) if text else ""


def _id(name: str | Mapping[str, str]) -> str:
    text = name if isinstance(name, str) else next(iter(name.values()))
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower().encode("ascii", "ignore").decode()).strip("-")
    return plain[:60].rstrip("-") or "imported"


def _color(calendar: Component, lost: Lost) -> str | None:
    """A CSS3 name as it is; Apple's hexadecimal colour as the nearest name."""
    name = calendar.text("COLOR").strip().lower()
    if name in CSS3:
        return name
    line = calendar.first("X-APPLE-CALENDAR-COLOR")
    match = _HEX.fullmatch(line.value.strip()) if line else None
    if line is None or match is None:
        return None
    wanted = int(match[1], 16)
    nearest = min(CSS3, key=lambda each: _distance(int(CSS3[each][1:], 16), wanted))
    if CSS3[nearest].upper() != f"#{match[1].upper()}":
        lost.add("X-APPLE-CALENDAR-COLOR", f"the colour {match[0]} became {nearest}, the nearest name", line.number)
    return nearest


def _distance(first: int, second: int) -> int:
    return sum(((first >> shift & 255) - (second >> shift & 255)) ** 2 for shift in (0, 8, 16))
