"""What is legal and still misread by Google, Outlook, Apple or vdirsyncer (facts: the manual's page on clients)."""

from __future__ import annotations

import re

from calfeed.feeds.lint import findings
from calfeed.feeds.lint.content import shown, unescape
from calfeed.feeds.lint.moments import iana, moment
from calfeed.feeds.lint.registry import EVENT, NESTED
from calfeed.feeds.lint.report import Report
from calfeed.feeds.lint.structure import Component

MOST_OCTETS = 1_000_000
MOST_EVENTS = 1000

_HOST = re.compile(
    r"@(?:localhost|[^.@\s]+|\d{1,3}(?:\.\d{1,3}){3}|[^@\s]+\.(?:local|lan|internal|localdomain|home))", re.IGNORECASE
)
_BREAKS = re.compile(r"\\n|\^n|[\n,]\s*|\s+")


def check_size(octets: int, report: Report) -> None:
    """A whole file."""
    if octets > MOST_OCTETS:
        report.add(findings.TOO_BIG, f"the file has {octets} octets, more than {MOST_OCTETS}")


def check(calendar: Component, report: Report) -> None:
    """One calendar."""
    events = [child for child in calendar.children if child.name == EVENT]
    if len(events) > MOST_EVENTS:
        report.add(findings.TOO_MANY, f"the feed has {len(events)} events, more than {MOST_EVENTS}")
    if _is_feed(calendar, events):
        _check_feed(calendar, events, report)
    _check_calendar(calendar, report)
    _check_nested(events, report)
    people = _people(calendar)
    for event in events:
        _check_event(event, people, report)


def _is_feed(calendar: Component, events: list[Component]) -> bool:
    """A file with events of several UIDs is there to be subscribed to; one event is a download or a message."""
    method = calendar.text("METHOD").upper()
    return method in ("", "PUBLISH") and len({event.text("UID") for event in events}) > 1


def _check_feed(calendar: Component, events: list[Component], report: Report) -> None:
    for event in events:
        if not event.text("SUMMARY"):
            report.add(findings.NO_TITLE, "the event has no SUMMARY", line=event.number, path="VEVENT")
    if not {"NAME", "X-WR-CALNAME"} & calendar.lines.keys():
        report.add(findings.NO_NAME, "neither NAME nor X-WR-CALNAME", line=calendar.number, path="VCALENDAR")
    bare = [event for event in events if not {"SEQUENCE", "LAST-MODIFIED"} & event.lines.keys()]
    if bare:
        message = f"{len(bare)} of {len(events)} events have neither"
        report.add(findings.NO_REVISION, message, line=bare[0].number, path="VEVENT")


def _check_calendar(calendar: Component, report: Report) -> None:
    uid = calendar.first("UID")
    if uid is not None:
        report.add(findings.CALENDAR_UID, f"UID {shown(uid.value)}", line=uid.number, path="VCALENDAR.UID")
    zone = calendar.first("X-WR-TIMEZONE")
    if zone is not None and iana(zone.value) is None:
        message = f"{shown(zone.value)} is no IANA time zone"
        report.add(findings.CALENDAR_ZONE, message, line=zone.number, path="VCALENDAR.X-WR-TIMEZONE")


def _check_nested(events: list[Component], report: Report) -> None:
    """One warning for the file: whoever writes them writes them in every event."""
    nested = [child for event in events for child in event.children if child.name in NESTED]
    if nested:
        names = ", ".join(sorted({child.name for child in nested}))
        holding = len({id(child.parent) for child in nested})
        message = f"{holding} of {len(events)} events hold {names}"
        report.add(findings.NESTED_COMPONENT, message, line=nested[0].number, path=nested[0].name)


def _check_event(event: Component, people: frozenset[str], report: Report) -> None:
    start = event.first("DTSTART")
    when = moment(start)
    if start is not None and when is not None and when.form == "floating":
        report.add(findings.FLOATING, f"DTSTART:{start.value} has no zone", line=start.number, path="VEVENT.DTSTART")
    _check_uid(event, people, report)
    _check_location(event, report)


def _check_uid(event: Component, people: frozenset[str], report: Report) -> None:
    """A public domain in a UID names the product; a mailbox of the file or a machine's own name tells of somebody."""
    line = event.first("UID")
    if line is None or "@" not in line.value:
        return
    if line.value.lower() in people or _HOST.fullmatch(line.value, line.value.rindex("@")):
        report.add(findings.UID_HOST, f"UID {shown(line.value)}", line=line.number, path="VEVENT.UID")


def _people(calendar: Component) -> frozenset[str]:
    return frozenset(
        line.value.lower().removeprefix("mailto:")
        for event in calendar.children
        for line in event.all("ORGANIZER", "ATTENDEE")
    )


def _check_location(event: Component, report: Report) -> None:
    structured = event.first("X-APPLE-STRUCTURED-LOCATION")
    title = structured.parameter("X-TITLE") if structured else None
    if structured is None or not title:
        return
    place = _plain(unescape(event.text("LOCATION")))
    if not place.startswith(_plain(title)):
        message = f"LOCATION is {shown(event.text('LOCATION'))}, X-TITLE is {shown(title)}"
        report.add(findings.APPLE_LOCATION, message, line=structured.number, path="VEVENT.X-APPLE-STRUCTURED-LOCATION")


def _plain(text: str) -> str:
    """A place without the breaks and carets that vendors write in their own ways."""
    return _BREAKS.sub(" ", text.replace("^'", '"').replace("^^", "^")).casefold().strip()
