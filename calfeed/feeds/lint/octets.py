"""Octets to logical lines (RFC 5545 §3.1): line ends, folds, UTF-8, control characters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from calfeed.feeds.lint import findings
from calfeed.feeds.lint.report import Report

LINE_OCTETS = 75
"""The longest line, its line end not counted. RFC 5545 says SHOULD NOT; clients that drop a feed for it say MUST."""

_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"B\0E\0", b"\0B\0E")
_PIECE = re.compile(rb"([^\r\n]+)(\r\n|\n|\r|\Z)|((?:\r\n|\n|\r)+)")
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_FOLD_MARKS = (0x20, 0x09)


class Logical(NamedTuple):
    """One unfolded line and the number of the physical line that it begins on."""

    number: int
    text: str


@dataclass(slots=True)
class _Reader:
    report: Report
    number: int = 1
    ends: dict[bytes, list[int]] = field(default_factory=dict)

    def pieces(self, data: bytes, begin: int) -> Iterator[tuple[int, bytes]]:
        """Every physical line with its number; blank lines are reported and passed over."""
        for match in _PIECE.finditer(data, begin):
            body, end, blank = match.groups()
            if blank is None:
                yield self.number, body
                self._note_end(end)
                self.number += 1
                continue
            count = blank.count(b"\n") + blank.count(b"\r") - blank.count(b"\r\n")
            what = "the line is blank" if count == 1 else f"{count} lines are blank"
            self.report.add(findings.BLANK_LINE, what, line=self.number)
            self.number += count

    def _note_end(self, end: bytes) -> None:
        if end == b"\r\n":
            return
        seen = self.ends.setdefault(end, [self.number, 0])
        seen[1] += 1

    def close(self) -> None:
        """Report line ends once for each kind: a file that has the fault has it on every line."""
        for end, (first, count) in self.ends.items():
            if end:
                name = "LF" if end == b"\n" else "CR"
                total = self.number - 1
                self.report.add(findings.LINE_END, f"{count} of {total} lines end with {name} alone", line=first)
            else:
                self.report.add(findings.NO_FINAL_CRLF, "the last line has no line end", line=first)


def unfold(data: bytes, report: Report) -> Iterator[Logical]:
    """The logical lines of a file, as text; what is not UTF-8 is replaced by U+FFFD."""
    if data.startswith(_WIDE):
        report.add(findings.NOT_UTF8, "the file is in UTF-16", line=1)
        return
    begin = 0
    if data.startswith(_BOM):
        report.add(findings.BOM, "the file begins with a byte order mark", line=1, column=1)
        begin = len(_BOM)
    reader = _Reader(report)
    for first, parts in _with_continuations(reader.pieces(data, begin), report):
        yield _logical(first, parts, report)
    reader.close()


def _with_continuations(pieces: Iterable[tuple[int, bytes]], report: Report) -> Iterator[tuple[int, list[bytes]]]:
    """The physical lines of each logical one, without the marks of their folds, and the number of the first."""
    first, parts = 1, list[bytes]()
    for number, body in pieces:
        _check_octets(number, body, report)
        folded = body[0] in _FOLD_MARKS
        if folded and parts:
            parts.append(body[1:])
            continue
        if folded:  # the rest is read as if it were a line
            report.add(findings.FIRST_FOLD, "the first line begins with a space or tab", line=number)
        if parts:
            yield first, parts
        first, parts = number, [body.lstrip(b" \t") if folded else body]
    if parts:
        yield first, parts


def _check_octets(number: int, body: bytes, report: Report) -> None:
    if len(body) > LINE_OCTETS:
        message = f"the line has {len(body)} octets, more than {LINE_OCTETS}"
        report.add(
            findings.LONG_LINE, message, line=number, column=len(body[:LINE_OCTETS].decode("utf-8", "ignore")) + 1
        )
    control = _CONTROL.search(body)
    if control:
        column = len(body[: control.start()].decode("utf-8", "replace")) + 1
        report.add(findings.CONTROL, f"control character U+{control[0][0]:04X}", line=number, column=column)


def _logical(first: int, parts: list[bytes], report: Report) -> Logical:
    if len(parts) > 1:
        _check_folds(first, parts, report)
    whole = parts[0] if len(parts) == 1 else b"".join(parts)
    try:
        return Logical(first, whole.decode())
    except UnicodeDecodeError as error:
        message = f"octet 0x{whole[error.start]:02X} begins no UTF-8 character"
        report.add(findings.NOT_UTF8, message, line=first + _part_of(parts, error.start))
        return Logical(first, whole.decode(errors="replace"))


def _check_folds(first: int, parts: list[bytes], report: Report) -> None:
    for index, part in enumerate(parts[:-1]):
        if not part:
            continue
        after = parts[index + 1][:1]
        if part[-1] == 0x5C and _odd_backslashes(part):
            report.add(findings.SPLIT_ESCAPE, "the fold parts a backslash from its character", line=first + index)
        elif part[-1] >= 0x80 and b"\x80" <= after < b"\xc0":
            report.add(findings.SPLIT_CHARACTER, "the fold parts a UTF-8 character", line=first + index)


def _odd_backslashes(part: bytes) -> bool:
    return (len(part) - len(part.rstrip(b"\\"))) % 2 == 1


def _part_of(parts: list[bytes], offset: int) -> int:
    """Which physical line of a logical one holds an offset of the whole."""
    for index, part in enumerate(parts):
        if offset < len(part):
            return index
        offset -= len(part)
    return len(parts) - 1
