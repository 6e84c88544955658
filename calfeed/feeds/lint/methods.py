"""What METHOD obliges components to have (RFC 5546 §3)."""

from __future__ import annotations

from typing import NamedTuple

from calfeed.feeds.lint import findings
from calfeed.feeds.lint.content import Line, shown
from calfeed.feeds.lint.registry import ENTRIES, EVENT, JOURNAL, SCHEDULED, TODO
from calfeed.feeds.lint.report import Report
from calfeed.feeds.lint.structure import Component


class _Rule(NamedTuple):
    needs: tuple[str, ...]
    forbids: tuple[str, ...] = ()


_IDENTITY = ("UID", "DTSTAMP", "ORGANIZER")
_CONTENT = ("DTSTART", "SUMMARY")
_BARE = ("DTSTART", "DTEND", "DURATION", "LOCATION", "PRIORITY", "STATUS", "TRANSP", "RRULE", "RDATE", "EXDATE")
_RULES = {
    "REQUEST": _Rule((*_IDENTITY, "ATTENDEE", *_CONTENT), ("REQUEST-STATUS",)),
    "REPLY": _Rule((*_IDENTITY, "ATTENDEE")),
    "ADD": _Rule((*_IDENTITY, "SEQUENCE", *_CONTENT), ("RECURRENCE-ID", "REQUEST-STATUS")),
    "CANCEL": _Rule((*_IDENTITY, "SEQUENCE"), ("REQUEST-STATUS",)),
    "REFRESH": _Rule((*_IDENTITY, "ATTENDEE"), _BARE),
    "COUNTER": _Rule((*_IDENTITY, "SEQUENCE", *_CONTENT)),
    "DECLINECOUNTER": _Rule(_IDENTITY),
}
_NO_ALARM = frozenset({"REPLY", "CANCEL", "REFRESH", "DECLINECOUNTER"})
METHODS = frozenset({"PUBLISH", *_RULES})


def check(calendar: Component, report: Report) -> None:
    """The components of a calendar that has a METHOD."""
    line = calendar.first("METHOD")
    if line is None:
        return
    method = line.value.strip().upper()
    if method not in METHODS:
        report.add(findings.UNKNOWN_METHOD, f"METHOD {shown(method)}", line=line.number, path="VCALENDAR.METHOD")
    elif method == "PUBLISH":
        _check_published(calendar, line, report)
    else:
        message = f"METHOD:{method} is for messages between organizer and attendees"
        report.add(findings.SCHEDULING, message, line=line.number, path="VCALENDAR.METHOD")
        for entry in calendar.children:
            if entry.name in ENTRIES:
                _check_entry(entry, method, report)


def _check_published(calendar: Component, line: Line, report: Report) -> None:
    """One warning for the file: every large product publishes so, and no client minds."""
    entries = [entry for entry in calendar.children if entry.name in SCHEDULED]
    orphans = sum("ORGANIZER" not in entry.lines for entry in entries)
    guests = sum("ATTENDEE" in entry.lines for entry in entries)
    parts = [f"{orphans} of {len(entries)} have no ORGANIZER"] if orphans else []
    if guests:
        parts.append(f"{guests} of {len(entries)} have ATTENDEE")
    if parts:
        report.add(findings.PUBLISH_RULES, " and ".join(parts), line=line.number, path="VCALENDAR.METHOD")
    for entry in entries:
        if entry.name == EVENT and "DTSTART" not in entry.lines:
            report.add(findings.METHOD_NEEDS, "METHOD:PUBLISH needs DTSTART", line=entry.number, path=EVENT)


def _check_entry(entry: Component, method: str, report: Report) -> None:
    rule = _RULES[method]
    needs = [name for name in rule.needs if not (name in _CONTENT and entry.name in (TODO, JOURNAL))]
    for name in needs:
        if name not in entry.lines and name not in ("UID", "DTSTAMP"):  # those are always required
            message = f"METHOD:{method} needs {name}"
            report.add(findings.METHOD_NEEDS, message, line=entry.number, path=entry.name)
    for name in rule.forbids:
        if name in entry.lines:
            message = f"METHOD:{method} forbids {name}"
            report.add(findings.METHOD_FORBIDS, message, line=entry.lines[name][0].number, path=f"{entry.name}.{name}")
    attendees = entry.lines.get("ATTENDEE", [])
    if method in ("REPLY", "REFRESH") and len(attendees) > 1:
        message = f"METHOD:{method} takes one ATTENDEE, there are {len(attendees)}"
        report.add(findings.METHOD_FORBIDS, message, line=attendees[1].number, path=f"{entry.name}.ATTENDEE")
    alarm = next((child for child in entry.children if child.name == "VALARM"), None)
    if alarm is not None and method in _NO_ALARM:
        report.add(findings.METHOD_FORBIDS, f"METHOD:{method} forbids VALARM", line=alarm.number, path="VALARM")
