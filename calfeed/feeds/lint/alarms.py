"""VALARMs: what each ACTION needs, and when they go off (RFC 5545 §3.6.6, §3.8.6, RFC 9074)."""

from __future__ import annotations

from calfeed.feeds.lint import findings
from calfeed.feeds.lint.moments import moment
from calfeed.feeds.lint.report import Report
from calfeed.feeds.lint.structure import Component

_NEEDS = {"DISPLAY": ("DESCRIPTION",), "EMAIL": ("DESCRIPTION", "SUMMARY", "ATTENDEE"), "PROCEDURE": ("ATTACH",)}
_ATTACHMENTS = {"AUDIO": 1, "DISPLAY": 0}


def check(alarm: Component, report: Report) -> None:
    """One VALARM."""
    action = alarm.text("ACTION").upper()
    for name in _NEEDS.get(action, ()):
        if name not in alarm.lines:
            message = f"ACTION:{action} needs {name}"
            report.add(findings.ALARM_NEEDS, message, line=alarm.number, path="VALARM")
    if ("REPEAT" in alarm.lines) != ("DURATION" in alarm.lines):
        there = "REPEAT" if "REPEAT" in alarm.lines else "DURATION"
        missing = "DURATION" if there == "REPEAT" else "REPEAT"
        line = alarm.lines[there][0].number
        report.add(findings.REPEAT_PAIR, f"{there} without {missing}", line=line, path=f"VALARM.{there}")
    attachments = alarm.lines.get("ATTACH", [])
    most = _ATTACHMENTS.get(action)
    if most is not None and len(attachments) > most:
        message = f"{len(attachments)} attachments with ACTION:{action}"
        report.add(findings.ALARM_ATTACH, message, line=attachments[-1].number, path="VALARM.ATTACH")
    _check_trigger(alarm, report)


def _check_trigger(alarm: Component, report: Report) -> None:
    line = alarm.first("TRIGGER")
    if line is None:
        return
    when = moment(line)
    if (line.parameter("VALUE") or "").upper() == "DATE-TIME" and when is not None and when.form != "utc":
        message = f"TRIGGER is {when.words}"
        report.add(findings.TRIGGER_NOT_UTC, message, line=line.number, path="VALARM.TRIGGER")
    owner = alarm.parent
    if (line.parameter("RELATED") or "").upper() == "END" and owner is not None and owner.name in ("VEVENT", "VTODO"):
        all_day = owner.name == "VEVENT" and (start := moment(owner.first("DTSTART"))) is not None and start.is_date
        if not all_day and not {"DTEND", "DUE", "DURATION"} & owner.lines.keys():
            message = f"RELATED=END, but {owner.name} has no end"
            report.add(findings.TRIGGER_ANCHOR, message, line=line.number, path="VALARM.TRIGGER")
