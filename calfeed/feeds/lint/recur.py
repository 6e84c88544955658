"""Recurrence rules: grammar, ranges and what excludes what (RFC 5545 §3.3.10, RFC 7529)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from calfeed.feeds.lint import findings
from calfeed.feeds.lint.content import shown
from calfeed.feeds.lint.values import Fault, read_date, read_date_time

FREQUENCIES = ("SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

_NUMBER = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_BYDAY = re.compile(r"(?:([+-]?)(\d{1,2}))?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_RANGES = {
    "BYSECOND": (0, 60, False),
    "BYMINUTE": (0, 59, False),
    "BYHOUR": (0, 23, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYMONTH": (1, 12, False),
    "BYSETPOS": (1, 366, True),
}
_OTHER_CALENDARS = {
    "BYMONTHDAY": (1, 32, True),
    "BYYEARDAY": (1, 385, True),
    "BYWEEKNO": (1, 55, True),
    "BYMONTH": (1, 13, False),
    "BYSETPOS": (1, 385, True),
}
"""The longest months (Hindu) and years (Hebrew, with a leap month) that RSCALE may count in (RFC 7529)."""
_FORBIDDEN = {
    "BYMONTHDAY": ("WEEKLY",),
    "BYYEARDAY": ("DAILY", "WEEKLY", "MONTHLY"),
    "BYWEEKNO": ("SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY"),
}
_SKIPS = ("OMIT", "BACKWARD", "FORWARD")
_OTHERS = ("FREQ", "UNTIL", "COUNT", "INTERVAL", "BYDAY", "WKST", "RSCALE", "SKIP")

Rule = dict[str, str]
"""Part name to value, both in capitals, in the order of the text."""


def split(text: str) -> tuple[Rule, list[Fault]]:
    """The parts of a rule, and what keeps the rest from being parts."""
    rule: Rule = {}
    faults: list[Fault] = []
    for part in text.upper().split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            faults.append(Fault(findings.BAD_RULE, f"{shown(part)} is no NAME=VALUE"))
        elif name not in _RANGES and name not in _OTHERS:
            faults.append(Fault(findings.BAD_RULE, f"{shown(name)} is no part of a rule"))
        elif name in rule:
            faults.append(Fault(findings.BAD_RULE, f"{name} stands twice"))
        else:
            rule[name] = value
        if len(faults) > len(_RANGES):  # a hostile rule: enough is said
            break
    return rule, faults


def check(text: str) -> Iterator[Fault]:
    """Everything that can be said of a rule by itself."""
    rule, faults = split(text)
    yield from faults
    yield from _check_frequency(rule)
    yield from _check_numbers(rule)
    yield from _check_days(rule)
    yield from _check_combinations(rule)


def _check_frequency(rule: Rule) -> Iterator[Fault]:
    frequency = rule.get("FREQ")
    if frequency is None:
        yield Fault(findings.BAD_RULE, "FREQ is missing")
    elif frequency not in FREQUENCIES:
        yield Fault(findings.BAD_RULE, f"FREQ={shown(frequency)} is none of {', '.join(FREQUENCIES)}")
    elif next(iter(rule)) not in ("FREQ", "RSCALE"):
        yield Fault(findings.FREQ_NOT_FIRST, f"the rule begins with {next(iter(rule))}")


def _check_numbers(rule: Rule) -> Iterator[Fault]:
    for name in ("COUNT", "INTERVAL"):
        value = rule.get(name, "1")
        if not re.fullmatch(r"\d{1,9}", value, re.ASCII) or int(value) < 1:
            yield Fault(findings.BAD_RULE, f"{name}={shown(value)} is no number from 1")
    until = rule.get("UNTIL")
    if until is not None and read_date(until) is None and read_date_time(until) is None:
        yield Fault(findings.BAD_RULE, f"UNTIL={shown(until)} is no date or date-time")
    for name, (low, high, signed) in (_RANGES | (_OTHER_CALENDARS if "RSCALE" in rule else {})).items():
        values = rule[name].split(",") if name in rule else []
        if name == "BYMONTH" and "RSCALE" in rule:
            values = [value.removesuffix("L") for value in values]  # RFC 7529 §4.2: a leap month
        bad = next((value for value in values if not _in_range(value, low, high, signed=signed)), None)
        if bad is not None:
            yield Fault(findings.BAD_RULE, f"{name}={shown(bad)} is not in {'±' if signed else ''}{low}..{high}")


def _in_range(value: str, low: int, high: int, *, signed: bool) -> bool:
    if not _NUMBER.fullmatch(value) or (not signed and value[0] in "+-"):
        return False
    return low <= abs(int(value)) <= high


def _check_days(rule: Rule) -> Iterator[Fault]:
    wkst = rule.get("WKST", "MO")
    if wkst not in WEEKDAYS:
        yield Fault(findings.BAD_RULE, f"WKST={shown(wkst)} is no weekday")
    for day in rule["BYDAY"].split(",") if "BYDAY" in rule else ():
        match = _BYDAY.fullmatch(day)
        if match is None or (match[2] is not None and not 1 <= int(match[2]) <= 53):
            yield Fault(findings.BAD_RULE, f"BYDAY={shown(day)} is no weekday such as MO, 2TU or -1SU")
            return
        if match[2] is not None and (rule.get("FREQ") not in ("MONTHLY", "YEARLY") or "BYWEEKNO" in rule):
            yield Fault(findings.RULE_COMBINATION, f"BYDAY={day} counts weeks, which only MONTHLY and YEARLY can")
            return


def _check_combinations(rule: Rule) -> Iterator[Fault]:
    if "COUNT" in rule and "UNTIL" in rule:
        yield Fault(findings.COUNT_AND_UNTIL, "the rule has COUNT and UNTIL")
    for name, frequencies in _FORBIDDEN.items():
        if name in rule and rule.get("FREQ") in frequencies:
            yield Fault(findings.RULE_COMBINATION, f"{name} cannot stand with FREQ={rule['FREQ']}")
    if "BYSETPOS" in rule and not any(name.startswith("BY") and name != "BYSETPOS" for name in rule):
        yield Fault(findings.RULE_COMBINATION, "BYSETPOS needs another BY part")
    if "SKIP" in rule and "RSCALE" not in rule:
        yield Fault(findings.RULE_COMBINATION, "SKIP needs RSCALE (RFC 7529)")
    if rule.get("SKIP", "OMIT") not in _SKIPS:
        yield Fault(findings.BAD_RULE, f"SKIP={shown(rule['SKIP'])} is none of {', '.join(_SKIPS)}")
