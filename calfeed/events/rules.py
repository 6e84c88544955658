"""RFC 5545 §3.3.10 recurrence rules: parsed, checked, written in one form.

Stricter than the RFC where readers disagree: an unknown part, a part that this frequency does not take, or a
BYSETPOS below a day is an error, not something to be skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, tzinfo
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from calfeed.events.model import Moment

FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MAXIMUM = 10_000
"""The most occurrences that COUNT may ask for, and that any rule may give in its first year."""

_CLOCK = ("BYHOUR", "BYMINUTE", "BYSECOND")
_RANGES = {  # the lowest and highest number; a negative one counts from the end, and 0 is none then
    "BYMONTH": (1, 12),
    "BYWEEKNO": (-53, 53),
    "BYYEARDAY": (-366, 366),
    "BYMONTHDAY": (-31, 31),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYSECOND": (0, 59),  # the RFC's 60 is a leap second, which no clock here has
    "BYSETPOS": (-366, 366),
}
_PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST", *_RANGES)
_REFUSED = {  # RFC 5545 §3.3.10, "MUST NOT"
    "BYWEEKNO": frozenset(FREQUENCIES) - {"YEARLY"},
    "BYYEARDAY": frozenset({"DAILY", "WEEKLY", "MONTHLY"}),
    "BYMONTHDAY": frozenset({"WEEKLY"}),
}
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}")
_BYDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z)?)?")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's parts. ``until`` is inclusive: a date, a UTC instant, or as written a naive local time.

    ``byday`` holds (which, weekday): (0, 0) is every Monday, (-1, 6) the last Sunday of the month or year.
    """

    freq: str
    interval: int = 1
    count: int | None = None
    until: Moment | None = None
    bymonth: tuple[int, ...] = ()
    byweekno: tuple[int, ...] = ()
    byyearday: tuple[int, ...] = ()
    bymonthday: tuple[int, ...] = ()
    byday: tuple[tuple[int, int], ...] = ()
    byhour: tuple[int, ...] = ()
    byminute: tuple[int, ...] = ()
    bysecond: tuple[int, ...] = ()
    bysetpos: tuple[int, ...] = ()
    wkst: int = 0

    def __str__(self) -> str:
        parts = ((item.name, getattr(self, item.name), item.default) for item in fields(self))
        return ";".join(f"{name.upper()}={_written(name, value)}" for name, value, default in parts if value != default)

    @property
    def within_day(self) -> bool:
        """Whether the rule repeats more often than daily."""
        return FREQUENCIES.index(self.freq) > FREQUENCIES.index("DAILY")


@lru_cache(maxsize=4096)
def parse_rule(text: str) -> Rule:
    """The rule as written; raises ValueError that names the part and says what is expected."""
    given = _split(text.strip().upper().removeprefix("RRULE:"))
    if "FREQ" not in given:
        raise ValueError(f"FREQ is missing: one of {', '.join(FREQUENCIES)}")
    if given["FREQ"] not in FREQUENCIES:
        raise ValueError(f"FREQ={given['FREQ']}: expected one of {', '.join(FREQUENCIES)}")
    if {"COUNT", "UNTIL"} <= given.keys():
        raise ValueError("COUNT and UNTIL exclude each other (RFC 5545 §3.3.10)")
    _check_company(given)
    rule = Rule(given["FREQ"], **{name.lower(): _value(name, value) for name, value in given.items() if name != "FREQ"})
    _check_byday(rule)
    _check_bymonthday(rule)
    return rule


def rule_for(text: str, start: Moment) -> Rule:
    """The rule of an event that begins at ``start``, with what the RFC takes from DTSTART said outright.

    UNTIL takes DTSTART's kind: an instant in UTC (a local time is read in the zone of ``start``, a date means all of
    that local day), or a date.
    """
    return _rule_in(start.tzinfo if isinstance(start, datetime) else None, text, start)


@lru_cache(maxsize=4096)
def _rule_in(_zone: tzinfo | None, text: str, start: Moment) -> Rule:
    """The zone is part of the key: one instant in two zones is equal, yet may be of two days."""
    rule = parse_rule(text)
    return replace(rule, until=_until_for(rule.until, start), **_implied(rule, start))


def canonical_rule(text: str, start: Moment | None = None) -> str:
    """The one way to write a rule; with ``start``, its UNTIL in the form that the feed needs.

    Raises ValueError for a rule that RFC 5545 does not allow.
    """
    rule = parse_rule(text)
    if start is None:
        return str(rule)
    changes: dict[str, Any] = {"until": _until_for(rule.until, start)}
    if rule.byweekno:  # readers differ on the day of the week that is meant …
        changes["byday"] = rule_for(text, start).byday
    if (
        rule.freq == "YEARLY"
        and rule.bymonthday
        and not (rule.byweekno or rule.byyearday or rule.bymonth or rule.byday)
    ):
        changes["bymonth"] = tuple(range(1, 13))  # … and on the months
    return str(replace(rule, **changes))


def _split(text: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for part in text.removesuffix(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise ValueError(f"expected NAME=VALUE parts joined by ';', got {part!r}")
        if name in given:
            raise ValueError(f"{name} is given twice")
        if name not in _PARTS:
            close = get_close_matches(name, _PARTS, n=1)
            raise ValueError(f"unknown part {name}" + (f" (did you mean {close[0]}?)" if close else ""))
        given[name] = value
    return given


def _check_company(given: Mapping[str, str]) -> None:
    for name in given:
        if given["FREQ"] in _REFUSED.get(name, ()):
            raise ValueError(f"{name} cannot stand with FREQ={given['FREQ']} (RFC 5545 §3.3.10)")
    if "BYSETPOS" not in given:
        return
    if given["FREQ"] in {"HOURLY", "MINUTELY", "SECONDLY"}:
        raise ValueError("BYSETPOS below a day is read by no client: use BYHOUR, BYMINUTE or BYSECOND")
    if not any(name.startswith("BY") for name in given if name != "BYSETPOS"):
        raise ValueError("BYSETPOS needs another BY… part to choose from (RFC 5545 §3.3.10)")


def _value(name: str, text: str) -> Any:
    if name in {"INTERVAL", "COUNT"}:
        return _positive(name, text)
    if name == "UNTIL":
        return _until(text)
    if name == "WKST":
        if text not in WEEKDAYS:
            raise ValueError(f"WKST={text}: expected one of {', '.join(WEEKDAYS)}")
        return WEEKDAYS.index(text)
    if name == "BYDAY":
        return tuple(sorted({_weekday(item) for item in text.split(",")}))
    return tuple(sorted({_number(name, item) for item in text.split(",")}))


def _positive(name: str, text: str) -> int:
    number = int(text) if _NUMBER.fullmatch(text) else 0
    if number < 1:
        raise ValueError(f"{name}={text}: expected a whole number above 0")
    if name == "COUNT" and number > MAXIMUM:
        raise ValueError(f"COUNT={text}: at most {MAXIMUM} occurrences; leave COUNT out for a rule without end")
    return number


def _number(name: str, text: str) -> int:
    low, high = _RANGES[name]
    number = int(text) if _NUMBER.fullmatch(text) else None
    if number is None or not low <= number <= high or (low < 0 and number == 0):
        expected = f"{low} to {high}" if low >= 0 else f"1 to {high} or -1 to {low}"
        raise ValueError(f"{name}={text}: expected {expected}")
    return number


def _weekday(text: str) -> tuple[int, int]:
    match = _BYDAY.fullmatch(text)
    which = int(match[1] or 0) if match else 0
    if match is None or (match[1] and which == 0) or abs(which) > 53:
        raise ValueError(f"BYDAY={text}: expected a day such as MO, 2TU or -1SU")
    return which, WEEKDAYS.index(match[2])


def _until(text: str) -> Moment:
    match = _UNTIL.fullmatch(text)
    try:
        if match and not match[2]:
            return date.fromisoformat(text)
        if match:
            moment = datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S")  # noqa: DTZ007 # its zone is DTSTART's
            return moment.replace(tzinfo=UTC) if match[3] else moment
    except ValueError:
        pass  # the right form, but no such day or hour
    raise ValueError(f"UNTIL={text}: expected a date such as 20240630 or an instant such as 20240630T160000Z")


def _check_bymonthday(rule: Rule) -> None:
    if rule.bymonthday and rule.bymonthday[0] < 0 and FREQUENCIES.index(rule.freq) > FREQUENCIES.index("WEEKLY"):
        # ical.js, and Thunderbird with it, may never come back from such a rule; libical skips the days
        raise ValueError(f"a negative BYMONTHDAY cannot stand with FREQ={rule.freq}: use FREQ=MONTHLY")


def _check_byday(rule: Rule) -> None:
    counted = [which for which, _ in rule.byday if which]
    if not counted:
        return
    if rule.freq not in {"YEARLY", "MONTHLY"} or rule.byweekno:
        raise ValueError("a numbered BYDAY needs FREQ=MONTHLY, or YEARLY without BYWEEKNO (RFC 5545 §3.3.10)")
    if (rule.freq == "MONTHLY" or rule.bymonth) and max(map(abs, counted)) > 5:
        raise ValueError("BYDAY: no month has more than five of a weekday")


def _until_for(until: Moment | None, start: Moment) -> Moment | None:
    if until is None or not isinstance(start, datetime):
        return until.date() if isinstance(until, datetime) else until
    if not isinstance(until, datetime):
        until = datetime.combine(until, time(23, 59, 59))
    return (until if until.tzinfo else until.replace(tzinfo=start.tzinfo)).astimezone(UTC)


def _implied(rule: Rule, start: Moment) -> dict[str, Any]:
    days = rule.byweekno or rule.byyearday or rule.bymonthday or rule.byday
    if rule.freq == "YEARLY" and not days:
        return {"bymonth": rule.bymonth or (start.month,), "bymonthday": (start.day,)}
    if rule.freq == "MONTHLY" and not days:
        return {"bymonthday": (start.day,)}
    if (rule.freq == "WEEKLY" or rule.byweekno) and not rule.byday:
        return {"byday": ((0, start.weekday()),)}
    return {}


def _written(name: str, value: Any) -> str:
    if name == "until":
        clock = "T%H%M%S" if isinstance(value, datetime) else ""
        return f"{value:%Y%m%d{clock}}" + ("Z" if clock and value.tzinfo else "")
    if name == "wkst":
        return WEEKDAYS[value]
    if name == "byday":
        return ",".join(f"{which or ''}{WEEKDAYS[day]}" for which, day in value)
    return ",".join(map(str, value)) if isinstance(value, Iterable) and not isinstance(value, str) else str(value)
