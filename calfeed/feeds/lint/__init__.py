"""The strict, offline check of any iCalendar file, from its octets to what clients make of it.

It reads a file once, in time and memory that grow with its size, and never raises for what the file holds.
Every finding stands in `calfeed.feeds.lint.findings` and in the manual's page on findings.
"""

from __future__ import annotations

from collections.abc import Iterator

from calfeed.errors import Problem
from calfeed.feeds.lint import alarms, clients, events, findings, identity, methods, properties, timezones
from calfeed.feeds.lint.content import Line, read_line
from calfeed.feeds.lint.octets import unfold
from calfeed.feeds.lint.registry import SCHEDULED
from calfeed.feeds.lint.report import Report
from calfeed.feeds.lint.structure import Component, build

HOPELESS = 1000
"""After so many lines that are no content lines the file is taken for something else and read no further."""


def lint(data: bytes, file: str) -> list[Problem]:
    """Every problem of an iCalendar file, in the order of its lines; ``file`` is its name in the problems."""
    report = Report(file)
    for calendar in build(_lines(data, report), report):
        if calendar.text("VERSION").strip() == "1.0":  # vCalendar, another format: one finding says it all
            report.add(findings.VERSION, "this is vCalendar 1.0", line=calendar.number, path="VCALENDAR.VERSION")
            continue
        _check(calendar, report)
    clients.check_size(len(data), report)
    return report.problems()


def _lines(data: bytes, report: Report) -> Iterator[Line]:
    for logical in unfold(data, report):
        line = read_line(logical, report)
        if line is not None:
            yield line
        elif report.count(findings.NOT_A_LINE) >= HOPELESS:
            return


def _check(calendar: Component, report: Report) -> None:
    for component in calendar.walk():
        properties.check(component, report)
        if component.name in SCHEDULED:
            events.check(component, report, scheduling="METHOD" in calendar.lines)
        elif component.name == "VALARM":
            alarms.check(component, report)
    identity.check(calendar, report)
    timezones.check(calendar, report)
    methods.check(calendar, report)
    clients.check(calendar, report)
