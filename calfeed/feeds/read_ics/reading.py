"""Octets to components, as tolerant as the linter is strict: whatever can be understood is kept."""

from __future__ import annotations

import re

from calfeed.errors import Location, Problem, SourceError
from calfeed.feeds.lint.content import Line, read_line
from calfeed.feeds.lint.octets import unfold
from calfeed.feeds.lint.report import Report
from calfeed.feeds.lint.structure import Component, build
from calfeed.feeds.read_ics.lost import Lost

_CARET = re.compile(r"\^([nN'^])")
_CARETS = {"n": "\n", "N": "\n", "'": '"', "^": "^"}

MOST_OCTETS = 64 * 2**20
"""A file as large as the largest event list; what is larger is refused."""


def calendars(data: bytes, file: str, lost: Lost) -> list[Component]:
    """Every VCALENDAR of the file; raises SourceError where there is none."""
    if len(data) > MOST_OCTETS:
        raise _refused(file, f"the file is larger than {MOST_OCTETS // 2**20} MiB", "import it in parts")
    report = Report(file)  # what is wrong with the form is `calfeed check`'s to say
    logical = unfold(_as_utf8(data, lost), report)
    found = build((line for each in logical if (line := read_line(each, report)) is not None), report)
    if not found:
        hint = (
            "is the address right? A web page came" if b"<html" in data[:4096].lower() else "it begins BEGIN:VCALENDAR"
        )
        raise _refused(file, "this is no iCalendar file", hint)
    return found


def parameter(line: Line, name: str) -> str | None:
    """A parameter's value without its RFC 6868 carets, or None."""
    value = line.parameter(name)
    return None if value is None else _CARET.sub(lambda match: _CARETS[match[1]], value)


def lines(component: Component) -> dict[str, int]:
    """The first line of each property."""
    return {name: found[0].number for name, found in component.lines.items()}


def _as_utf8(data: bytes, lost: Lost) -> bytes:
    try:
        data.decode()
    except UnicodeDecodeError as fault:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16", "replace").encode()
        number = data.count(b"\n", 0, fault.start) + 1
        lost.add("encoding", "the file is not UTF-8 and was read as Windows-1252", number)
        return data.decode("cp1252", "replace").encode()
    return data


def _refused(file: str, message: str, hint: str) -> SourceError:
    return SourceError([Problem(Location(file), message, hint=hint)])
