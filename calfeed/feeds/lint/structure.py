"""Content lines to a tree of components (RFC 5545 §3.4, §3.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from calfeed.feeds.lint import findings
from calfeed.feeds.lint.content import Line, shown
from calfeed.feeds.lint.registry import COMPONENTS
from calfeed.feeds.lint.report import Report

DEPTH = 16
"""How deep components are followed; the deepest registered nesting is four."""


@dataclass(slots=True)
class Component:
    """BEGIN to END: its own lines by property name, and the components within."""

    name: str
    number: int
    parent: Component | None = None
    lines: dict[str, list[Line]] = field(default_factory=dict)
    children: list[Component] = field(default_factory=list)

    def first(self, name: str) -> Line | None:
        """The first line of a property, or None."""
        found = self.lines.get(name)
        return found[0] if found else None

    def all(self, *names: str) -> Iterator[Line]:
        """Every line of the properties."""
        for name in names:
            yield from self.lines.get(name, ())

    def text(self, name: str) -> str:
        """A property's first value as written, or an empty text."""
        line = self.first(name)
        return line.value if line else ""

    def walk(self) -> Iterator[Component]:
        """The component and all within, in file order; the depth is bounded by the reader."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(slots=True)
class _Builder:
    report: Report
    calendars: list[Component] = field(default_factory=list)
    open: list[Component] = field(default_factory=list)
    skipped: int = 0  # BEGINs beyond DEPTH that wait for their END

    def take(self, line: Line) -> None:
        if line.name == "BEGIN":
            self._begin(line)
        elif line.name == "END":
            self._end(line)
        elif not self.open:
            self._outside(line, f"{line.name} stands outside of VCALENDAR")
        elif not self.skipped:
            self._property(line)

    def _begin(self, line: Line) -> None:
        name = line.value.strip().upper()
        if not self.open and name != "VCALENDAR":
            self._outside(line, f"{shown(name)} stands outside of VCALENDAR")
        if len(self.open) >= DEPTH:
            self.skipped += 1
            self.report.add(findings.TOO_DEEP, f"components are nested deeper than {DEPTH}", line=line.number)
            return
        parent = self.open[-1] if self.open else None
        component = Component(name, line.number, parent)
        (parent.children if parent else self.calendars).append(component)
        self.open.append(component)
        _check_place(component, self.report)

    def _end(self, line: Line) -> None:
        name = line.value.strip().upper()
        if self.skipped:
            self.skipped -= 1
        elif not self.open:
            self._outside(line, f"END:{name} closes nothing")
        elif self.open[-1].name == name:
            self.open.pop()
        else:
            inner = self.open[-1]
            message = f"END:{name} stands where END:{inner.name} (line {inner.number}) is due"
            self.report.add(findings.WRONG_END, message, line=line.number)
            self._close_to(name)

    def _close_to(self, name: str) -> None:
        """Close what is open down to the innermost component of that name; nothing when there is none."""
        if any(component.name == name for component in self.open):
            while self.open.pop().name != name:
                continue

    def _property(self, line: Line) -> None:
        component = self.open[-1]
        if component.children and component.name == "VCALENDAR":
            message = f"{line.name} stands after the first component"
            self.report.add(findings.LATE_PROPERTY, message, line=line.number, path=f"VCALENDAR.{line.name}")
        component.lines.setdefault(line.name, []).append(line)

    def _outside(self, line: Line, message: str) -> None:
        self.report.add(findings.OUTSIDE, message, line=line.number)

    def close(self) -> None:
        for component in self.open:
            message = f"BEGIN:{component.name} has no END:{component.name}"
            self.report.add(findings.UNCLOSED, message, line=component.number)


def build(lines: Iterable[Line], report: Report) -> list[Component]:
    """The VCALENDARs of a file; faults of nesting and naming are reported and passed over."""
    builder = _Builder(report)
    for line in lines:
        builder.take(line)
    builder.close()
    calendars = [component for component in builder.calendars if component.name == "VCALENDAR"]
    if not calendars:
        report.add(findings.NO_CALENDAR, "the file holds no VCALENDAR", line=1)
    for extra in calendars[1:]:
        report.add(findings.SEVERAL_CALENDARS, "another VCALENDAR begins", line=extra.number)
    for calendar in calendars:
        if not calendar.children:
            report.add(findings.EMPTY_CALENDAR, "VCALENDAR holds no component", line=calendar.number)
    return calendars


def _check_place(component: Component, report: Report) -> None:
    name, parent = component.name, component.parent
    if name.startswith("X-") or (parent is not None and parent.name not in COMPONENTS):
        return
    rule = COMPONENTS.get(name)
    if rule is None:
        meant = report.guess(findings.UNKNOWN_COMPONENT, name, COMPONENTS)
        report.add(findings.UNKNOWN_COMPONENT, f"{shown(name)} is no component{meant}", line=component.number)
    elif parent is not None and parent.name not in rule.parents:
        message = f"{name} cannot stand in {parent.name}"
        report.add(findings.MISPLACED_COMPONENT, message, line=component.number)
