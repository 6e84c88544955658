"""Which components belong together: UIDs, overrides and their masters (RFC 5545 §3.8.4.4, §3.8.4.7)."""

from __future__ import annotations

from datetime import datetime

from calfeed.feeds.lint import findings
from calfeed.feeds.lint.content import shown
from calfeed.feeds.lint.moments import When, instant, moment
from calfeed.feeds.lint.registry import ENTRIES
from calfeed.feeds.lint.report import Report
from calfeed.feeds.lint.structure import Component

_Key = tuple[str, str | datetime]


def check(calendar: Component, report: Report) -> None:
    """UIDs of all entries of one calendar, and the RECURRENCE-IDs of those that have one."""
    masters: dict[str, Component] = {}
    overrides: list[Component] = []
    for entry in calendar.children:
        uid = entry.text("UID")
        if entry.name not in ENTRIES or not uid:
            continue
        if "RECURRENCE-ID" in entry.lines:
            overrides.append(entry)
        elif uid in masters:
            message = f"UID {shown(uid)} stands on line {_line(masters[uid], 'UID')} already"
            report.add(findings.DUPLICATE_UID, message, line=_line(entry, "UID"), path=f"{entry.name}.UID")
        else:
            masters[uid] = entry
    _check_overrides(overrides, masters, report, scheduling="METHOD" in calendar.lines)


def _check_overrides(
    overrides: list[Component], masters: dict[str, Component], report: Report, *, scheduling: bool
) -> None:
    seen: dict[_Key, Component] = {}
    for entry in overrides:
        uid, when = entry.text("UID"), moment(entry.first("RECURRENCE-ID"))
        if when is None:
            continue
        first = seen.setdefault((uid, _key(when)), entry)
        if first is not entry:
            message = f"the occurrence is overridden on line {_line(first, 'RECURRENCE-ID')} already"
            _add(findings.DUPLICATE_RECURRENCE_ID, message, entry, report)
        master = masters.get(uid)
        if master is not None:
            _check_form(entry, when, moment(master.first("DTSTART")), report)
        if not scheduling and (master is None or not {"RRULE", "RDATE"} & master.lines.keys()):
            what = "does not recur" if master else "is not in the file"
            _add(findings.NO_MASTER, f"the event with UID {shown(uid)} {what}", entry, report)


def _check_form(entry: Component, when: When, start: When | None, report: Report) -> None:
    if start is None:
        return
    if when.is_date != start.is_date or (when.form == "floating") != (start.form == "floating"):
        message = f"RECURRENCE-ID is {when.words}, DTSTART of the event is {start.words}"
        _add(findings.RECURRENCE_ID_FORM, message, entry, report)
    elif (when.form, when.tzid) != (start.form, start.tzid):
        message = f"RECURRENCE-ID is {when.words}, DTSTART of the event is {start.words}"
        _add(findings.OTHER_ZONE, message, entry, report)


def _key(when: When) -> str | datetime:
    return instant(when) or f"{when.clock} {when.tzid}"


def _add(finding: findings.Finding, message: str, entry: Component, report: Report) -> None:
    report.add(finding, message, line=_line(entry, "RECURRENCE-ID"), path=f"{entry.name}.RECURRENCE-ID")


def _line(entry: Component, name: str) -> int:
    line = entry.first(name)
    return line.number if line else entry.number
