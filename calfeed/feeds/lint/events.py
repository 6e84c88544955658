"""What the properties of an event, to-do, journal entry or busy time say together (RFC 5545 §3.6, §3.8.2, §3.8.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from calfeed.feeds.lint import findings, recur
from calfeed.feeds.lint.content import Line, shown
from calfeed.feeds.lint.moments import When, exists, instant, moment, moments, read_moment
from calfeed.feeds.lint.registry import EVENT, TIMED, TODO
from calfeed.feeds.lint.report import Report
from calfeed.feeds.lint.structure import Component
from calfeed.feeds.lint.values import duration_seconds

_PLAIN = re.compile(rf"\+?\d+|{'|'.join(recur.WEEKDAYS)}", re.ASCII)


def check(entry: Component, report: Report, *, scheduling: bool) -> None:
    """One VEVENT, VTODO, VJOURNAL or VFREEBUSY; ``scheduling`` says that the calendar has a METHOD."""
    start = moment(entry.first("DTSTART"))
    if entry.name == EVENT and not scheduling and "DTSTART" not in entry.lines:
        report.add(findings.MISSING, "VEVENT has no DTSTART", line=entry.number, path="VEVENT")
    _check_end(entry, start, report)
    _check_duration(entry, start, report)
    for line in entry.all("RRULE"):
        _check_rule(entry, line, start, report)
    if start is not None:
        _check_forms(entry, start, report)
    _check_gaps(entry, report)
    _check_oddities(entry, report)


def _check_end(entry: Component, start: When | None, report: Report) -> None:
    line = entry.first("DTEND") or entry.first("DUE")
    if line is None:
        return
    if "DURATION" in entry.lines:
        number = entry.lines["DURATION"][0].number
        path = f"{entry.name}.{line.name}"
        report.add(findings.END_AND_DURATION, f"{line.name} and DURATION", line=number, path=path)
    end = moment(line)
    if start is None or end is None:
        return
    if start.is_date != end.is_date or (start.form == "floating") != (end.form == "floating"):
        message = f"{line.name} is {end.words}, DTSTART is {start.words}"
        _add(findings.END_TYPE, message, entry, line, report)
    elif not _later(end, start):
        message = f"{line.name} {_clock(end)} is not after DTSTART {_clock(start)}"
        finding = findings.END_NOT_AFTER_START if end != start or end.is_date else findings.ZERO_LENGTH
        _add(finding, message, entry, line, report)


def _later(end: When, start: When) -> bool:
    """Whether the end is later, or cannot be told to be not."""
    if (end.form, end.tzid) == (start.form, start.tzid):
        return end.clock > start.clock
    first, last = instant(start), instant(end)
    return first is None or last is None or last > first


def _check_duration(entry: Component, start: When | None, report: Report) -> None:
    line = entry.first("DURATION")
    if line is None:
        return
    if entry.name == TODO and "DTSTART" not in entry.lines:
        _add(findings.TODO_DURATION, "DURATION without DTSTART", entry, line, report)
    length = duration_seconds(line.value)
    if length is not None and (length < 0 or (start is not None and start.is_date and "T" in line.value)):
        what = "is negative" if length < 0 else "counts hours, DTSTART is a date"
        _add(findings.BAD_EVENT_DURATION, f"{shown(line.value)} {what}", entry, line, report)


def _check_rule(entry: Component, line: Line, start: When | None, report: Report) -> None:
    rule, _ = recur.split(line.value)
    if start is None:
        if "DTSTART" not in entry.lines:
            _add(findings.MISSING, "RRULE needs DTSTART", entry, line, report)
        return
    clocks = [name for name in ("BYHOUR", "BYMINUTE", "BYSECOND") if name in rule]
    if start.is_date and (clocks or rule.get("FREQ") in recur.FREQUENCIES[:3]):
        what = clocks[0] if clocks else f"FREQ={rule['FREQ']}"
        _add(findings.RULE_COMBINATION, f"{what} with a DTSTART that is a date", entry, line, report)
    _check_until(entry, line, rule, start, report)
    missed = _missed_part(rule, start)
    if missed:
        message = f"DTSTART {_clock(start)} is none of {missed}={shown(rule[missed])}"
        _add(findings.RULE_OFF_START, message, entry, line, report)


def _check_until(entry: Component, line: Line, rule: recur.Rule, start: When, report: Report) -> None:
    until = read_moment(rule.get("UNTIL", ""))
    if until is None:
        return
    text = f"UNTIL={rule['UNTIL']}"
    if until.is_date != start.is_date or (start.form == "floating" and until.form == "utc"):
        _add(findings.UNTIL_TYPE, f"{text}, DTSTART is {start.words}", entry, line, report)
    elif start.form in ("zoned", "utc") and until.form != "utc":
        _add(findings.UNTIL_NOT_UTC, f"{text}, DTSTART is {start.words}", entry, line, report)
    elif _before(until, start):
        _add(findings.UNTIL_BEFORE_START, f"{text} is before DTSTART {_clock(start)}", entry, line, report)


def _before(until: When, start: When) -> bool:
    if until.form == start.form:
        return until.clock < start.clock
    first = instant(start)
    last = instant(until)
    return first is not None and last is not None and last < first


def _missed_part(rule: recur.Rule, start: When) -> str | None:
    """The part of the rule that DTSTART does not fulfil, of those that can be told at a glance."""
    if "BYSETPOS" in rule or "RSCALE" in rule:
        return None
    clock = start.clock
    own = {"BYDAY": recur.WEEKDAYS[clock.weekday()], "BYMONTH": str(clock.month), "BYMONTHDAY": str(clock.day)}
    return next((name for name, value in own.items() if name in rule and _leaves_out(rule[name], value)), None)


def _leaves_out(listed: str, value: str) -> bool:
    """Whether a list holds plain weekdays or numbers alone, and not this one."""
    values = listed.split(",")
    return all(map(_PLAIN.fullmatch, values)) and value not in (each.lstrip("+0") for each in values)


def _check_forms(entry: Component, start: When, report: Report) -> None:
    for line in entry.all("EXDATE"):
        _check_form(entry, line, start, findings.EXDATE_FORM, report)
    for line in entry.all("RDATE"):
        if (line.parameter("VALUE") or "").upper() == "PERIOD":
            _add(findings.RDATE_PERIOD, "RDATE holds a period", entry, line, report)
        else:
            _check_form(entry, line, start, findings.RDATE_FORM, report)


def _check_form(entry: Component, line: Line, start: When, finding: findings.Finding, report: Report) -> None:
    for when in moments(line):
        if when.is_date != start.is_date or (when.form == "floating") != (start.form == "floating"):
            message = f"{line.name} is {when.words}, DTSTART is {start.words}"
            _add(finding, message, entry, line, report)
            return
        if line.name == "EXDATE" and (when.form, when.tzid) != (start.form, start.tzid):
            message = f"EXDATE is {when.words}, DTSTART is {start.words}"
            _add(findings.OTHER_ZONE, message, entry, line, report)
            return


def _check_gaps(entry: Component, report: Report) -> None:
    for line in entry.all(*sorted(TIMED)):
        for when in moments(line):
            if when.form == "zoned" and not exists(when):
                message = f"{_clock(when)} was skipped in {when.tzid}"
                _add(findings.NO_SUCH_TIME, message, entry, line, report)


def _check_oddities(entry: Component, report: Report) -> None:
    for line in list(entry.all("RRULE"))[1:]:
        _add(findings.SEVERAL_RULES, "another RRULE", entry, line, report)
    for line in entry.all("EXRULE"):
        _add(findings.EXRULE, "EXRULE", entry, line, report)
    for line in entry.all("RELATED-TO"):
        if line.value == entry.text("UID"):
            _add(findings.RELATED_ITSELF, "RELATED-TO is its own UID", entry, line, report)
    for line in _rules(entry) if "RECURRENCE-ID" in entry.lines else ():
        _add(findings.OVERRIDE_RULE, f"an override has {line.name}", entry, line, report)
    rdate = entry.first("RDATE")
    if rdate is not None and "RRULE" not in entry.lines:
        _add(findings.RDATE_ALONE, "RDATE without RRULE", entry, rdate, report)


def _rules(entry: Component) -> Iterator[Line]:
    return entry.all("RRULE", "RDATE", "EXDATE")


def _clock(when: When) -> str:
    return when.clock.strftime("%Y%m%d" if when.is_date else "%Y%m%dT%H%M%S")


def _add(finding: findings.Finding, message: str, entry: Component, line: Line, report: Report) -> None:
    report.add(finding, message, line=line.number, path=f"{entry.name}.{line.name}")
