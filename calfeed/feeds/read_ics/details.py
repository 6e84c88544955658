"""Single properties of an event to keys of the event list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from calfeed.feeds.lint.content import Line, shown
from calfeed.feeds.lint.structure import Component
from calfeed.feeds.properties import one_line
from calfeed.feeds.read_ics import texts
from calfeed.feeds.read_ics.frame import Frame
from calfeed.feeds.read_ics.meetings import conference_table, conferences
from calfeed.feeds.read_ics.place import place
from calfeed.feeds.read_ics.reading import parameter
from calfeed.feeds.read_ics.words import tagged

_WEB = re.compile(r"https?://", re.IGNORECASE)


def details(component: Component, frame: Frame) -> Iterator[tuple[str, Any]]:
    """Every key that depends on no other."""
    for name, read in _SIMPLE.items():
        line = component.first(name)
        made = read(line, frame) if line else None
        if made is not None:
            yield made
    found = place(component, frame.language, frame.lost)
    if found is not None:
        yield "location", found
    categories = _categories(component, frame)
    if categories:
        yield "categories", categories
    conference = [conference_table(each) for each in conferences(component, frame)]
    if conference:
        yield "conference", conference
    yield from _links(component, frame)
    yield "transparency", _transparency(component)


def _categories(component: Component, frame: Frame) -> list[str]:
    found: list[str] = []
    for line in component.all("CATEGORIES"):
        for part in re.findall(r"(?:[^\\,]|\\.)+", line.value):
            name = texts.line(part)
            if "," in name:
                frame.lost.add("CATEGORIES", "a comma in a category became a space", line.number)
                name = " ".join(name.replace(",", " ").split())
            found += [name] if name else []
    return list(dict.fromkeys(found))


def _links(component: Component, frame: Frame) -> Iterator[tuple[str, Any]]:
    attached = []
    for line in component.all("ATTACH"):
        if _WEB.match(line.value):
            attached.append(line.value)
        else:
            frame.lost.add("ATTACH", "an attachment that is no web address was left out", line.number)
    if attached:
        yield "attach", list(dict.fromkeys(attached))
    for line in component.all("IMAGE"):
        if _WEB.match(line.value):
            yield "image", line.value
            return
        frame.lost.add("IMAGE", "an image that is no web address was left out", line.number)


def _transparency(component: Component) -> str:
    """OPAQUE is the RFC's default (§3.8.2.7), and not calfeed's; Outlook says FREE in a property of its own."""
    said = component.text("TRANSP").upper()
    free = component.text("X-MICROSOFT-CDO-BUSYSTATUS").upper() == "FREE" and not said
    return "transparent" if said == "TRANSPARENT" or free else "opaque"


def _status(line: Line, frame: Frame) -> tuple[str, Any] | None:
    status = line.value.strip().lower()
    if status in {"confirmed", "tentative", "cancelled"}:
        return "status", status
    frame.lost.add("STATUS", f"the status {shown(line.value)} was left out", line.number)
    return None


def _url(line: Line, frame: Frame) -> tuple[str, Any] | None:
    if _WEB.match(line.value):
        return "url", line.value
    if line.value:
        frame.lost.add("URL", "an address that is no web address was left out", line.number)
    return None


def _organizer(line: Line, frame: Frame) -> tuple[str, Any] | None:
    scheme, _, rest = line.value.partition(":")
    name = one_line(parameter(line, "CN") or "").strip()
    address = unquote(rest.partition("?")[0]).strip()  # behind it a subject and the like (RFC 6068 §2)
    email = address if scheme.lower() == "mailto" and "@" in address else None
    if not name and not email:
        frame.lost.add("ORGANIZER", "an organizer without name and mail address was left out", line.number)
        return None
    return "organizer", {"name": name or email, **({"email": email} if email else {})}


def _contact(line: Line, frame: Frame) -> tuple[str, Any] | None:
    text = texts.text(line.value)
    return ("contact", tagged(text, line, frame.language)) if text else None


def _priority(line: Line, _: Frame) -> tuple[str, Any] | None:
    text = line.value.strip()
    return ("priority", int(text)) if re.fullmatch("[0-9]", text, re.ASCII) else None


def _class(line: Line, _: Frame) -> tuple[str, Any] | None:
    return ("visibility", "private") if line.value.strip().upper() in {"PRIVATE", "CONFIDENTIAL"} else None


_SIMPLE: dict[str, Callable[[Line, Frame], tuple[str, Any] | None]] = {
    "STATUS": _status,
    "URL": _url,
    "ORGANIZER": _organizer,
    "CONTACT": _contact,
    "PRIORITY": _priority,
    "CLASS": _class,
}
