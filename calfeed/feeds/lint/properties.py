"""Each property by itself: where it stands, how often, its parameters, its type and its value (RFC 5545 §3.2, §3.8)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from calfeed.events.colors import CSS3
from calfeed.feeds.lint import findings, recur
from calfeed.feeds.lint.content import Line, Parameter, shown
from calfeed.feeds.lint.registry import (
    BUSY,
    COMPONENTS,
    LIST_PARAMETERS,
    LISTED_TYPES,
    MISLEADING,
    NAMED,
    PARAMETER_WORDS,
    PARAMETERS,
    PROPERTIES,
    QUOTED_PARAMETERS,
    RANGES,
    STATUSES,
    UTC_ONLY,
    VALUE_REQUIRED,
    PropertyRule,
)
from calfeed.feeds.lint.report import Report
from calfeed.feeds.lint.structure import Component
from calfeed.feeds.lint.values import CHECKS, Fault, check_text, duration_seconds, read_date_time

_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8}", re.ASCII)
_MEDIA = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(?:;.*)?", re.ASCII)
_BETWEEN_TIMES = re.compile(r"[,/]")
_DOUBLE = re.compile(r"(?<=\w)\\\\\\[,;](?= )")


def check(component: Component, report: Report) -> None:
    """Cardinality, and every line of one component (not of those within)."""
    _check_cardinality(component, report)
    for name, lines in component.lines.items():
        rule = _rule(component, name, lines[0], report)
        for line in lines:
            path = f"{component.name}.{name}"
            for fault in _line_faults(component, line, rule):
                report.add(fault.finding, fault.message, line=line.number, path=path)


def _check_cardinality(component: Component, report: Report) -> None:
    rule = COMPONENTS.get(component.name)
    if rule is None:
        return
    for name in rule.required:
        if name not in component.lines:
            message = f"{component.name} has no {name}"
            report.add(findings.MISSING, message, line=component.number, path=component.name)
    for name, lines in component.lines.items():
        if len(lines) > 1 and name in rule.once:
            message = f"{name} stands {len(lines)} times (first on line {lines[0].number})"
            report.add(findings.REPEATED, message, line=lines[1].number, path=f"{component.name}.{name}")


def _rule(component: Component, name: str, line: Line, report: Report) -> PropertyRule | None:
    rule = PROPERTIES.get(name)
    path = f"{component.name}.{name}"
    if rule is None:
        if not name.startswith("X-") and component.name in COMPONENTS:
            meant = report.guess(findings.UNKNOWN_PROPERTY, name, PROPERTIES)
            message = f"{shown(name)} is not registered{meant}"
            report.add(findings.UNKNOWN_PROPERTY, message, line=line.number, path=path)
        return None
    known = component.name in _PLACED
    if known and rule.components and component.name not in rule.components:
        finding = findings.MISPLACED if name in MISLEADING else findings.ODD_PLACE
        report.add(finding, f"{component.name} cannot have {name}", line=line.number, path=path)
    return rule


_PLACED = frozenset().union(*(rule.components for rule in PROPERTIES.values()))


def _line_faults(component: Component, line: Line, rule: PropertyRule | None) -> Iterator[Fault]:
    yield from _parameter_faults(line)
    if rule is None:
        yield from _extension_faults(line)
        return
    type_, fault = _type(line, rule)
    if fault:
        yield fault
    elif type_:
        value_faults = list(_value_faults(component, line, rule, type_))
        if value_faults and ":" in line.value and line.parameters and _is_cut(component, line, rule, type_):
            name = line.parameters[-1].name
            yield Fault(findings.UNQUOTED, f"{name} holds a colon and is not quoted: the value begins too early")
        else:
            yield from value_faults


def _extension_faults(line: Line) -> Iterator[Fault]:
    """A vendor's property says itself what type it has, or nothing is known of it."""
    type_ = (line.parameter("VALUE") or "").upper()
    if type_ in CHECKS:
        yield from _first_fault(type_, line.value, many=type_ in LISTED_TYPES)


def _first_fault(type_: str, value: str, *, many: bool) -> Iterator[Fault]:
    """What is wrong with the first bad value of a list; of one that goes wrong the others often do too."""
    faults = map(CHECKS[type_], value.split(",") if many else (value,))
    yield from islice(filter(None, faults), 1)


def _is_cut(component: Component, line: Line, rule: PropertyRule, type_: str) -> bool:
    """Whether the value would be right if it began after its next colon: an unquoted parameter value held one."""
    if type_ == "TEXT" or line.parameters[-1].quoted[-1]:
        return False
    rest = line._replace(value=line.value.partition(":")[2])
    return not any(_value_faults(component, rest, rule, type_))


def _parameter_faults(line: Line) -> Iterator[Fault]:
    seen: set[str] = set()
    for parameter in line.parameters:
        name = parameter.name
        if name in seen:
            yield Fault(findings.REPEATED_PARAMETER, f"{name} stands twice")
        elif name in PARAMETERS:
            yield from _known_parameter_faults(parameter)
        elif not name.startswith("X-") and line.name in PROPERTIES and not line.name.startswith("X-"):
            yield Fault(findings.UNKNOWN_PARAMETER, f"{shown(name)} is not registered")
        seen.add(name)


def _known_parameter_faults(parameter: Parameter) -> Iterator[Fault]:
    name, value = parameter.name, parameter.value
    if name in QUOTED_PARAMETERS and not all(parameter.quoted):
        yield Fault(findings.UNQUOTED, f"{name} is a URI and is not quoted")
    elif len(parameter.values) > 1 and name not in LIST_PARAMETERS:
        yield Fault(findings.UNQUOTED, f"{name} holds a comma and is not quoted: {shown(value)}")
    elif name in PARAMETER_WORDS and value.upper() not in PARAMETER_WORDS[name]:
        words = ", ".join(sorted(PARAMETER_WORDS[name]))
        yield Fault(findings.BAD_PARAMETER_VALUE, f"{name}={shown(value)} is none of {words}")
    elif name == "LANGUAGE" and not _LANGUAGE.fullmatch(value):
        yield Fault(findings.BAD_PARAMETER_VALUE, f"LANGUAGE={shown(value)} is no language tag (BCP 47)")
    elif name == "FMTTYPE" and not _MEDIA.fullmatch(value):
        yield Fault(findings.BAD_PARAMETER_VALUE, f"FMTTYPE={shown(value)} is no media type")
    elif name == "TZID" and not value:
        yield Fault(findings.BAD_PARAMETER_VALUE, "TZID is empty")


def _type(line: Line, rule: PropertyRule) -> tuple[str, Fault | None]:
    """The type of a line's value; empty where nothing is known of it."""
    named = line.parameter("VALUE")
    wanted = VALUE_REQUIRED.get(line.name)
    if wanted and named is None:
        return "", Fault(findings.NEEDS_VALUE, f"{line.name} needs ;VALUE={' or ;VALUE='.join(wanted)}")
    if named is None:
        return rule.types[0], None
    if named.upper() == "UNKNOWN" or named.upper().startswith("X-"):
        return "", None
    types = {NAMED.get(type_, type_): type_ for type_ in rule.types}
    if named.upper() not in types:
        return "", Fault(findings.WRONG_TYPE, f"VALUE={shown(named)}, but {line.name} is {', '.join(types)}")
    return types[named.upper()], None


def _value_faults(component: Component, line: Line, rule: PropertyRule, type_: str) -> Iterator[Fault]:
    name, value = line.name, line.value
    if type_ == "TEXT":
        yield from _text_faults(component, line, rule)
    elif type_ == "RECUR":
        yield from recur.check(value)
    elif type_ in ("DATE", "DATE-TIME", "PERIOD"):
        yield from _time_faults(component, line, rule, type_)
    elif type_ == "BINARY":
        yield from _binary_faults(line)
    elif type_ in CHECKS:
        fault = CHECKS[type_](value)
        if fault:
            yield fault
        elif name in RANGES:
            yield from _range_faults(name, value)
        elif name == "REFRESH-INTERVAL" and (duration_seconds(value) or 0) <= 0:
            yield Fault(findings.BAD_REFRESH, f"{shown(value)} is not positive")


def _range_faults(name: str, value: str) -> Iterator[Fault]:
    low, high = RANGES[name]
    if not low <= int(value) <= high:
        yield Fault(findings.BAD_NUMBER, f"{value} is not in {low}..{high}")


def _binary_faults(line: Line) -> Iterator[Fault]:
    if (line.parameter("ENCODING") or "").upper() != "BASE64":
        yield Fault(findings.BAD_BINARY, "VALUE=BINARY needs ENCODING=BASE64")
        return
    fault = CHECKS["BINARY"](line.value)
    if fault:
        yield fault


def _text_faults(component: Component, line: Line, rule: PropertyRule) -> Iterator[Fault]:
    name, value = line.name, line.value
    fault = check_text(value, many=rule.many)
    if fault:
        yield fault
    elif value.count(",") + value.count(";") == len(_DOUBLE.findall(value)) > 1:
        yield Fault(findings.DOUBLE_ESCAPE, f"{shown(value)} seems to be escaped twice")
    words = STATUSES.get(component.name, rule.words) if name == "STATUS" else rule.words
    if words and value.upper() not in words:
        yield Fault(findings.BAD_WORD, f"{shown(value)} is none of {', '.join(sorted(words))}")
    if name == "COLOR" and value.lower() not in CSS3:
        yield Fault(findings.BAD_COLOR, f"{shown(value)} is no CSS3 colour name")
    if name == "VERSION" and value != "2.0":
        yield Fault(findings.VERSION, f"VERSION is {shown(value)}")
    if name == "CALSCALE" and value.upper() != "GREGORIAN":
        yield Fault(findings.CALSCALE, f"CALSCALE is {shown(value)}")


def _time_faults(component: Component, line: Line, rule: PropertyRule, type_: str) -> Iterator[Fault]:
    faults = list(_first_fault(type_, line.value, many=rule.many))
    yield from faults or _zone_faults(component, line, type_)


def _zone_faults(component: Component, line: Line, type_: str) -> Iterator[Fault]:
    tzid = line.parameter("TZID")
    if type_ == "DATE":
        if tzid:
            yield Fault(findings.TZID_ON_DATE, f"the date {line.value[:8]} has TZID={shown(tzid)}")
        return
    times = [part for part in _BETWEEN_TIMES.split(line.value) if read_date_time(part)]
    if tzid and any(time.endswith("Z") for time in times):
        yield Fault(findings.TZID_ON_UTC, f"{shown(line.value)} has TZID={shown(tzid)}")
    elif _in_utc_only(component, line) and not all(time.endswith("Z") for time in times):
        yield Fault(findings.NOT_UTC, f"{shown(line.value)} does not end in Z")


def _in_utc_only(component: Component, line: Line) -> bool:
    """Whether the times of a line must be in UTC; those of free and busy time all are (RFC 5545 §3.6.4, §3.8.2.4)."""
    return line.name in UTC_ONLY or component.name == BUSY
