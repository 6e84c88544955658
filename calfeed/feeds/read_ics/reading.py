"""Octets to components, as tolerant as the linter is strict: whatever can be understood is kept."""

from __future__ import annotations

import re

from calfeed.errors import Location, Problem, SourceError
from calfeed.events import bounds
from calfeed.feeds.lint import findings
from calfeed.feeds.lint.content import Line, read_line
from calfeed.feeds.lint.octets import unfold
from calfeed.feeds.lint.report import Report
from calfeed.feeds.lint.structure import Component, build
from calfeed.feeds.read_ics.lost import Lost
from calfeed.feeds.read_ics.refusal import refusal

_CARET = re.compile(r"\^([nN'^])")
_CARETS = {"n": "\n", "N": "\n", "'": '"', "^": "^"}

MOST_OCTETS = bounds.SOURCE_BYTES
"""A file as large as the largest event list; what is larger is refused."""


def calendars(data: bytes, file: str, lost: Lost) -> list[Component]:
    """Every VCALENDAR of the file; raises SourceError where there is none."""
    if len(data) > MOST_OCTETS:
        message = f"the file is larger than {MOST_OCTETS // 2**20} MiB"
        raise SourceError([Problem(Location(file), message, hint="import it in parts")])
    report = Report(file)  # what is wrong with the form is `calfeed check`'s to say
    octets = _as_utf8(data, lost)
    logical = unfold(octets, report)
    found = build((line for each in logical if (line := read_line(each, report)) is not None), report)
    if not found:
        raise SourceError([refusal(octets, file)])
    if report.count(findings.UNCLOSED):
        last = octets.count(b"\n") + (not octets.endswith(b"\n"))
        lost.add("VCALENDAR", "the file ends before its calendar does: it may have been cut short", last)
    return found


def parameter(line: Line, name: str) -> str | None:
    """A parameter's value without its RFC 6868 carets, or None."""
    value = line.parameter(name)
    return None if value is None else _CARET.sub(lambda match: _CARETS[match[1]], value)


def lines(component: Component) -> dict[str, int]:
    """The first line of each property."""
    return {name: found[0].number for name, found in component.lines.items()}


_WIDE = {
    b"\xff\xfe\0\0": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"B\0E\0": "utf-16-le",
    b"\0B\0E": "utf-16-be",
}
"""How a file of wide characters begins, with and without its mark."""


def _as_utf8(data: bytes, lost: Lost) -> bytes:
    wide = next((name for mark, name in _WIDE.items() if data.startswith(mark)), None)
    if wide is not None:
        return data.decode(wide, "replace").encode()
    try:
        data.decode()
    except UnicodeDecodeError as fault:
        number = data.count(b"\n", 0, fault.start) + 1
        lost.add("encoding", "the file is not UTF-8 and was read as Windows-1252", number)
        return data.decode("cp1252", "replace").encode()
    return data
