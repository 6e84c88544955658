"""VTIMEZONEs: each TZID once and used, and in the form that Outlook reads (RFC 5545 §3.6.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from calfeed.feeds.lint import findings, recur
from calfeed.feeds.lint.content import Line, shown, unescape
from calfeed.feeds.lint.moments import iana, moment, read_moment, windows_names
from calfeed.feeds.lint.registry import OBSERVANCES
from calfeed.feeds.lint.report import Report
from calfeed.feeds.lint.structure import Component

_YEARLY = re.compile(r"[+-]?[1-5](?:MO|TU|WE|TH|FR|SA|SU)")


def check(calendar: Component, report: Report) -> None:
    """All zones of one calendar, and the TZIDs that its components name."""
    defined = _check_definitions(calendar, report)
    used = _used(calendar)
    for tzid, line in used.items():
        if tzid not in defined and not tzid.startswith("/"):
            report.add(findings.NO_TIMEZONE, f"TZID {shown(tzid)} has no VTIMEZONE", line=line.number, path=line.name)
    for tzid in {**used, **defined}:  # in the order of the file: of many only the first are listed
        _check_name(tzid, used.get(tzid), defined.get(tzid), report)
    if any(child.name != "VTIMEZONE" for child in calendar.children):
        for tzid, zone in defined.items():
            if tzid not in used and tzid != calendar.text("X-WR-TIMEZONE"):
                report.add(findings.UNUSED_TIMEZONE, f"nothing uses {shown(tzid)}", line=zone.number, path="VTIMEZONE")


def _used(calendar: Component) -> dict[str, Line]:
    """Every TZID named, and the first line that names it."""
    used: dict[str, Line] = {}
    for component in calendar.walk():
        for lines in component.lines.values():
            for line in lines:
                tzid = line.parameter("TZID") if line.parameters else None
                if tzid:
                    used.setdefault(tzid, line)
    return used


def _check_definitions(calendar: Component, report: Report) -> dict[str, Component]:
    defined: dict[str, Component] = {}
    for zone in calendar.children:
        if zone.name != "VTIMEZONE":
            continue
        tzid = unescape(zone.text("TZID"))
        first = defined.setdefault(tzid, zone)
        if first is not zone:
            message = f"VTIMEZONE {shown(tzid)} stands on line {first.number} already"
            report.add(findings.DUPLICATE_TIMEZONE, message, line=zone.number, path="VTIMEZONE")
        _check_zone(zone, report)
    return defined


def _check_name(tzid: str, line: Line | None, zone: Component | None, report: Report) -> None:
    if not tzid or iana(tzid) or tzid in windows_names():
        return
    number = zone.number if zone else line.number if line else None
    report.add(findings.TIMEZONE_NAME, f"{shown(tzid)} is no IANA time zone", line=number, path="TZID")


def _check_zone(zone: Component, report: Report) -> None:
    observances = [child for child in zone.children if child.name in OBSERVANCES]
    if not observances:
        report.add(findings.NO_OBSERVANCE, "neither STANDARD nor DAYLIGHT", line=zone.number, path="VTIMEZONE")
        return
    for observance in observances:
        _check_observance(observance, report)
    fault = next(_outlook_faults(observances), None)
    if fault:
        report.add(findings.TIMEZONE_FORM, fault, line=zone.number, path="VTIMEZONE")


def _check_observance(observance: Component, report: Report) -> None:
    start = observance.first("DTSTART")
    when = moment(start)
    if start is not None and when is not None and when.form != "floating":
        message = f"DTSTART is {when.words}"
        report.add(findings.OBSERVANCE_START, message, line=start.number, path=f"{observance.name}.DTSTART")
    for line in observance.all("RRULE"):
        until = read_moment(recur.split(line.value)[0].get("UNTIL", ""))
        if until is not None and until.form != "utc":
            message = f"UNTIL is {until.words}"
            report.add(findings.OBSERVANCE_UNTIL, message, line=line.number, path=f"{observance.name}.RRULE")
    rdate = observance.first("RDATE")
    if rdate is not None:
        report.add(findings.TIMEZONE_RDATE, "changes are listed", line=rdate.number, path=f"{observance.name}.RDATE")


def _outlook_faults(observances: list[Component]) -> Iterator[str]:
    names = [observance.name for observance in observances]
    if names.count("STANDARD") != 1 or names.count("DAYLIGHT") > 1:
        yield f"{names.count('STANDARD')} STANDARD and {names.count('DAYLIGHT')} DAYLIGHT"
    if len({observance.text("TZOFFSETTO") for observance in observances}) == 1:
        return  # nothing ever changes, as in Exchange's UTC
    for observance in observances:
        rule, _ = recur.split(observance.text("RRULE"))
        if len(observances) > 1 and not rule and "RDATE" not in observance.lines:
            yield f"{observance.name} has no RRULE"
        elif rule and not _is_yearly(rule):
            yield f"{observance.name} has RRULE {shown(observance.text('RRULE'))}"


def _is_yearly(rule: recur.Rule) -> bool:
    """One day of one month each year, as ``BYMONTH=3;BYDAY=-1SU``."""
    days = rule.get("BYDAY", "")
    return rule.get("FREQ") == "YEARLY" and "," not in rule.get("BYMONTH", ",") and bool(_YEARLY.fullmatch(days))
