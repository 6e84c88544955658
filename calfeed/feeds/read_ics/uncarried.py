"""What a feed says that an event list has no word for: told, not dropped in silence."""

from __future__ import annotations

from collections.abc import Mapping

from calfeed.feeds.lint.structure import Component
from calfeed.feeds.read_ics.lost import Lost

_COMPONENTS = {
    "VTODO": "to-dos are not events and were left out",
    "VJOURNAL": "journal entries are not events and were left out",
    "VFREEBUSY": "free-busy times are not events and were left out",
    "VAVAILABILITY": "availability is no event and was left out",
    "VPOLL": "polls are not events and were left out",
}
_WITHIN = {
    "VALARM": "alarms are the reader's own and were left out; see `remind`",
    "PARTICIPANT": "participants were left out",
    "VLOCATION": "further locations were left out",
    "VRESOURCE": "resources were left out",
}
_PROPERTIES = {
    "ATTENDEE": "guests were left out",
    "COMMENT": "comments were left out",
    "RESOURCES": "resources were left out",
    "EXRULE": "a rule of exceptions was left out: write its dates as `exdate`",
    "COLOR": "the colour of an event was left out",
    "REQUEST-STATUS": "the state of a request was left out",
}


_RICH = {
    "CONCEPT": "concepts were left out",
    "LINK": "links to further documents were left out",
    "REFID": "groups of events were left out",
    "STRUCTURED-DATA": "data for machines was left out",
    "STYLED-DESCRIPTION": "a styled description was left out; the plain one was kept",
}
"""RFC 9073 and 9253. In a feed of ours they repeat what other properties say."""
_OF_CALENDAR = {
    "CATEGORIES": "categories of the calendar were left out: `[[feeds]]` choose by those of events",
    "IMAGE": "the image of the calendar was left out",
}


def tell(calendar: Component, lost: Lost, *, ours: bool) -> None:
    """Everything of a calendar that has no place in an event list; ``ours``: calfeed wrote it."""
    _tell_lines(calendar, _OF_CALENDAR, lost)
    for child in calendar.children:
        if child.name in _COMPONENTS:
            lost.add(child.name, _COMPONENTS[child.name], child.number)
        elif child.name == "VEVENT":
            _tell_event(child, lost)
            if not ours:
                _tell_lines(child, _RICH, lost)


def _tell_event(event: Component, lost: Lost) -> None:
    _tell_lines(event, _PROPERTIES, lost)
    for name in ("RRULE", "CONTACT"):
        for line in event.lines.get(name, [])[1:]:
            lost.add(name, f"a second {name} was left out", line.number)
    for line in event.all("RELATED-TO"):
        if (line.parameter("RELTYPE") or "PARENT").upper() != "PARENT":
            lost.add("RELATED-TO", "a relation other than to a parent was left out", line.number)
    for child in event.children:
        if child.name in _WITHIN:
            lost.add(child.name, _WITHIN[child.name], child.number)


def _tell_lines(component: Component, told: Mapping[str, str], lost: Lost) -> None:
    for name, why in told.items():
        for line in component.all(name):
            lost.add(name, why, line.number)
