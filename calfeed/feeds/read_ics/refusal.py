"""Why a file cannot be imported: what it is instead of a calendar, or where its calendar is damaged."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable

from calfeed.errors import Location, Problem
from calfeed.feeds.lint.content import shown

_BEGIN = re.compile(rb"BEGIN[^\r\n]{0,9}VCALENDAR", re.IGNORECASE)
_FIRST = re.compile(rb"BEGIN:([^\r\n]*)", re.IGNORECASE)
_END = re.compile(rb"END:VCALENDAR", re.IGNORECASE)
_EXACT = re.compile(rb"BEGIN:[ \t]*VCALENDAR[ \t]*", re.IGNORECASE)
_LINE = re.compile(rb"\r\n|\n|\r")

Reason = tuple[int | None, str, str]
"""The line, what is wrong there, and what to do."""


def refusal(data: bytes, file: str) -> Problem:
    """The one problem of a file in which no VCALENDAR could be read."""
    data = data.removeprefix(BOM_UTF8)
    told = (reason for find in _REASONS if (reason := find(data)) is not None)
    line, message, hint = next(told, _nothing_like_it(data))
    return Problem(Location(file, line), message, hint=hint)


def _something_else(data: bytes) -> Reason | None:
    head = data[:4096].lstrip().lower()
    if not data.strip():
        return None, "the file is empty", "was it downloaded to its end?"
    if b"<html" in head or head.startswith(b"<!doctype html"):
        return None, "this is a web page, not an iCalendar file", "is the address right, and open without signing in?"
    for mark, what, then in _OTHERS:
        if head.startswith(mark):
            return None, f"this is {what}, not an iCalendar file", then
    return None


_OTHERS = (
    (b"\x1f", "a gzip archive", "unpack it first"),
    (b"pk\x03\x04", "a ZIP archive", "unpack it first: the export of Google Calendar holds one .ics for each calendar"),
    (b"begin:vcard", "a list of contacts", "export a calendar"),
    (b"<?xml", "XML", "ask for the same address as .ics"),
    (b"[", "JSON, such as jCal", "ask for the same address as .ics"),
    (b"{", "JSON", "ask for the same address as .ics"),
)


def _damaged_begin(data: bytes) -> Reason | None:
    found = _BEGIN.search(data)
    if found is None:
        return None
    number = len(_LINE.findall(data, 0, found.start())) + 1
    lines = _LINE.split(data)
    line, following = lines[number - 1], lines[number : number + 1]
    if line[:1] in (b" ", b"\t"):
        return (
            number,
            f"a line that begins with a space goes on with line {number - 1}",
            "BEGIN:VCALENDAR begins a line",
        )
    if not _EXACT.fullmatch(line):
        return number, f"BEGIN:VCALENDAR is damaged: {shown(_text(line))}", "it stands in a line of its own, alone"
    if following and following[0][:1] in (b" ", b"\t"):
        return number + 1, "a line that begins with a space goes on with BEGIN:VCALENDAR", "take the indentation away"
    return number, "BEGIN:VCALENDAR stands within another component", "VCALENDAR is the outermost one"


def _no_begin(data: bytes) -> Reason | None:
    first = _FIRST.search(data)
    if first is None and not _END.search(data):
        return None
    hint = "a calendar begins with the lines BEGIN:VCALENDAR, VERSION:2.0 and PRODID, and ends with END:VCALENDAR"
    return 1, f"BEGIN:VCALENDAR is missing: the file begins {shown(_first_line(data))}", hint


_REASONS: tuple[Callable[[bytes], Reason | None], ...] = (_something_else, _damaged_begin, _no_begin)


def _nothing_like_it(data: bytes) -> Reason:
    return (
        1,
        f"this is no iCalendar file: it begins {shown(_first_line(data))}",
        "an iCalendar file begins BEGIN:VCALENDAR",
    )


def _first_line(data: bytes) -> str:
    return _text(_LINE.split(data.lstrip(), 1)[0])


def _text(line: bytes) -> str:
    return line[:200].decode("utf-8", "replace")
