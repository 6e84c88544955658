"""Value types (RFC 5545 §3.3): each check gives what is wrong with a value, or None."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import NamedTuple

from calfeed.feeds.lint import findings
from calfeed.feeds.lint.content import shown
from calfeed.feeds.lint.findings import Finding


class Fault(NamedTuple):
    """What is wrong with one value."""

    finding: Finding
    message: str


_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_DATE_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(Z?)", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3])[0-5]\d([0-5]\d|60)Z?", re.ASCII)
_CLOCK = r"T(?:\d{1,9}H(?:\d{1,9}M(?:\d{1,9}S)?)?|\d{1,9}M(?:\d{1,9}S)?|\d{1,9}S)"
_DURATION = re.compile(rf"[+-]?P(?:\d{{1,9}}W|\d{{1,9}}D(?:{_CLOCK})?|{_CLOCK})", re.ASCII)
_PARTS = re.compile(r"(\d+)([WDHMS])", re.ASCII)
_OFFSET = re.compile(r"([+-])([01]\d|2[0-3])([0-5]\d)([0-5]\d)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,10}", re.ASCII)
_FLOAT = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,30})?", re.ASCII)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
_NO_URI_CHARACTER = re.compile(r'[^\x21-\x7e]|[<>"{}|\\^`]')
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}", re.ASCII)
_TEXT = re.compile(r"[^\\,;]*(?:\\[\\;,nN][^\\,;]*)*")
_TEXTS = re.compile(r"[^\\;]*(?:\\[\\;,nN][^\\;]*)*")
_STATUS = re.compile(r"\d+(?:\.\d+){1,2};[^;]*", re.ASCII)
_SECONDS = {"W": 604800, "D": 86400, "H": 3600, "M": 60, "S": 1}


def read_date(text: str) -> date | None:
    """``20240517``, or None."""
    match = _DATE.fullmatch(text)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def read_date_time(text: str) -> datetime | None:
    """``20240517T090000`` with or without ``Z``, as a naive datetime (a leap second counts as :59), or None."""
    match = _DATE_TIME.fullmatch(text)
    if not match:
        return None
    *parts, second, _utc = match.groups()
    year, month, day, hour, minute = map(int, parts)
    try:
        return datetime(year, month, day, hour, minute, 59 if second == "60" else int(second))  # noqa: DTZ001  # a wall clock
    except ValueError:
        return None


def duration_seconds(text: str) -> int | None:
    """The signed length of a duration, a day counting 24 hours, or None where it is malformed."""
    if not _DURATION.fullmatch(text):
        return None
    length = sum(int(number) * _SECONDS[unit] for number, unit in _PARTS.findall(text))
    return -length if text.startswith("-") else length


def _date(text: str) -> Fault | None:
    return None if read_date(text) else Fault(findings.BAD_DATE, f"{shown(text)} is no date (YYYYMMDD)")


def _date_time(text: str) -> Fault | None:
    if read_date_time(text):
        return None
    if _DATE.fullmatch(text):
        return Fault(findings.DATE_WITHOUT_VALUE, f"{shown(text)} is a date, a date-time is due")
    return Fault(findings.BAD_DATE, f"{shown(text)} is no date-time (YYYYMMDDTHHMMSS)")


def _time(text: str) -> Fault | None:
    return None if _TIME.fullmatch(text) else Fault(findings.BAD_DATE, f"{shown(text)} is no time (HHMMSS)")


def _duration(text: str) -> Fault | None:
    if duration_seconds(text) is not None:
        return None
    return Fault(findings.BAD_DURATION, f"{shown(text)} is no duration")


def _period(text: str) -> Fault | None:
    start, slash, end = text.partition("/")
    begin, finish = read_date_time(start), read_date_time(end)
    length = duration_seconds(end)
    if not slash or begin is None or (finish is None and (length is None or length <= 0)):
        return Fault(findings.BAD_PERIOD, f"{shown(text)} is no period")
    if finish is not None and finish <= begin:
        return Fault(findings.BAD_PERIOD, f"{shown(text)} ends before it begins")
    return None


def _utc_offset(text: str) -> Fault | None:
    match = _OFFSET.fullmatch(text)
    if match is None or (match[1] == "-" and not text.strip("-0")):
        return Fault(findings.BAD_OFFSET, f"{shown(text)} is no UTC offset")
    return None


def _integer(text: str) -> Fault | None:
    return None if _INTEGER.fullmatch(text) else Fault(findings.BAD_NUMBER, f"{shown(text)} is no integer")


def _float(text: str) -> Fault | None:
    return None if _FLOAT.fullmatch(text) else Fault(findings.BAD_NUMBER, f"{shown(text)} is no number")


def _geo(text: str) -> Fault | None:
    latitude, semicolon, longitude = text.partition(";")
    if not semicolon or not _FLOAT.fullmatch(latitude) or not _FLOAT.fullmatch(longitude):
        return Fault(findings.BAD_GEO, f"{shown(text)} is no LATITUDE;LONGITUDE")
    if abs(float(latitude)) > 90 or abs(float(longitude)) > 180:
        return Fault(findings.BAD_GEO, f"{shown(text)} is out of range (±90;±180)")
    return None


def _uri(text: str) -> Fault | None:
    scheme = _SCHEME.match(text)
    if scheme is None or len(text) == scheme.end() or any(character in text for character in " \t"):
        return Fault(findings.BAD_URI, f"{shown(text)} is no absolute URI")
    odd = _NO_URI_CHARACTER.search(text)
    return Fault(findings.URI_CHARACTER, f"{shown(text)} holds {odd[0]!r}") if odd else None


def _address(text: str) -> Fault | None:
    if _SCHEME.match(text) is None:
        return Fault(findings.BAD_ADDRESS, f"{shown(text)} has no scheme such as mailto:")
    if text[:7].lower() == "mailto:" and not text[7:].partition("@")[1]:
        return Fault(findings.BAD_ADDRESS, f"{shown(text)} holds no address")
    return _uri(text)


def _binary(text: str) -> Fault | None:
    good = len(text) % 4 == 0 and _BASE64.fullmatch(text)
    return None if good else Fault(findings.BAD_BINARY, "the value is not BASE64")


def _boolean(text: str) -> Fault | None:
    good = text.upper() in ("TRUE", "FALSE")
    return None if good else Fault(findings.BAD_BOOLEAN, f"{shown(text)} is neither TRUE nor FALSE")


def _status(text: str) -> Fault | None:
    good = _STATUS.match(text)
    return None if good else Fault(findings.BAD_WORD, f"{shown(text)} is no CODE;DESCRIPTION")


def check_text(text: str, *, many: bool = False) -> Fault | None:
    """Escapes of a TEXT, or of a comma-separated list of them."""
    pattern = _TEXTS if many else _TEXT
    match = pattern.match(text)
    at = match.end() if match else 0
    if at == len(text):
        return None
    if text[at] == "\\":
        return Fault(findings.BAD_ESCAPE, f"{shown(text[at : at + 2])} in {shown(text)} escapes nothing")
    return Fault(findings.UNESCAPED, f"unescaped {text[at]!r} at {shown(text[max(0, at - 20) : at + 20])}")


CHECKS: dict[str, Callable[[str], Fault | None]] = {
    "BINARY": _binary,
    "BOOLEAN": _boolean,
    "CAL-ADDRESS": _address,
    "DATE": _date,
    "DATE-TIME": _date_time,
    "DURATION": _duration,
    "FLOAT": _float,
    "GEO": _geo,
    "INTEGER": _integer,
    "PERIOD": _period,
    "STATUS": _status,
    "TIME": _time,
    "URI": _uri,
    "UTC-OFFSET": _utc_offset,
}
"""The check of each type that is not a text; RECUR is read by its own module."""
