"""What a feed says that an event list has no word for: told, not dropped in silence."""

from __future__ import annotations

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


def tell(calendar: Component, lost: Lost) -> None:
    """Everything of a calendar that has no place in an event list."""
    for child in calendar.children:
        if child.name in _COMPONENTS:
            lost.add(child.name, _COMPONENTS[child.name], child.number)
        elif child.name == "VEVENT":
            _tell_event(child, lost)


def _tell_event(event: Component, lost: Lost) -> None:
    for name, why in _PROPERTIES.items():
        for line in event.all(name):
            lost.add(name, why, line.number)
    for name in ("RRULE", "CONTACT"):
        for line in event.lines.get(name, [])[1:]:
            lost.add(name, f"a second {name} was left out", line.number)
    for child in event.children:
        if child.name in _WITHIN:
            lost.add(child.name, _WITHIN[child.name], child.number)
