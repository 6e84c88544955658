"""TOML text to tables that know their lines (the only user of tomli, beside ``scan``).

The language is TOML 1.1, as tomli reads it since 2.4: all of TOML 1.0, and moments without seconds
(``2024-05-17T10:00``), inline tables over several lines and trailing commas in them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import tomli

from calfeed.errors import Location, Problem
from calfeed.events import bounds, scan
from calfeed.events.scan import Path

_NAME = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_HEADER = re.compile(rf"^[ \t]*+(\[\[?+)[ \t]*+({_NAME}(?:[ \t]*+\.[ \t]*+{_NAME})*+)[ \t]*+\]", re.MULTILINE)
_OURS = "events|feeds|channels|calendar|overrides"
_KEY_LINE = re.compile(rf"""^[ \t]*+({_OURS}|(?=["']){_NAME})[ \t]*+[.=]""", re.MULTILINE)
_ENCODINGS = {
    b"\xff\xfe": "the file is UTF-16, not UTF-8",
    b"\xfe\xff": "the file is UTF-16, not UTF-8",
    b"\xef\xbb\xbf": "the file begins with a byte order mark",
}
_HINTS = {
    "Invalid value": 'texts stand in quotes: key = "text"',
    "Invalid statement": "a line is [table], [[table]], key = value or # comment",
    "Illegal character '\\n'": "close the text with a quote; texts of several lines stand in three quotes",
    "Unterminated string": "close the text with a quote",
    "Expected newline or end of document after a statement": "one key = value a line; dates are written 2024-05-17, "
    'date-times 2024-05-17T10:00:00, and a quote inside a text \\"',
    "Unescaped '\\' in a string": "write \\\\ for a backslash, or put the text in single quotes",
    "Cannot overwrite a value": "the key stands twice in its table",
}

_LISTS = "lists of tables are written [[events]], [[feeds]], [[channels]], [[events.overrides]]"
_DEEP = re.compile(r"(?:[\[{]\s*+){99}|(?:[\w-]++[ \t]*+\.[ \t]*+){99}")


class _Unreadable(Exception):
    """A file that is not TOML: its text so far, the offset of the fault, and what is wrong."""

    def __init__(self, text: str, offset: int, message: str, hint: str = "") -> None:
        self.text, self.offset, self.message, self.hint = text, offset, message, hint
        super().__init__(message)


@dataclass(frozen=True)
class Document:
    """One TOML file: its name as the user gave it, its text (line ends as ``\\n``) and its tree."""

    name: str
    text: str
    data: dict[str, Any]
    problem: Problem | None = None
    """Why it cannot be read; ``data`` is empty then."""

    def locate(self, path: Path) -> Location:
        """Line and column of a key or array item; of the nearest table around it where it does not stand itself."""
        return self.at(self.offset(path))

    def offset(self, path: Path) -> int:
        """Where ``path`` stands in the text; see `locate`. Of a long list only the entry in question is scanned."""
        headers = self.entries(str(path[0])) if len(path) > 1 else None
        if not headers:
            return _nearest(self._places, path)
        index = int(path[1])
        begin, end = headers[index], headers[index + 1] if index + 1 < len(headers) else len(self.text)
        if begin not in self._scanned:
            self._scanned[begin] = scan.places(self.text[begin:end])
        return begin + _nearest(self._scanned[begin], (path[0], 0, *path[2:]))

    def at(self, offset: int) -> Location:
        """Line and column of an offset."""
        line = bisect_right(self._line_starts, offset)
        return Location(self.name, line, offset - self._line_starts[line - 1] + 1)

    def table(self, name: str) -> Location:
        """Where ``[name]`` begins."""
        headers = self._headers.get(("[", name), ())
        return self.at(headers[0]) if len(headers) == 1 and name not in self._keys else self.locate((name,))

    def items(self, array: str) -> list[Location]:
        """Where each ``[[array]]`` begins."""
        headers = self.entries(array)
        if headers is None:
            return [self.locate((array, index)) for index in range(len(_list(self.data.get(array))))]
        return list(self._in_order(headers))

    def entries(self, array: str) -> list[int] | None:
        """Offsets of the headers ``[[array]]``, found by one search of the text; None where the scanner must look.

        What looks like a header may stand inside a long text. But when the list is not written inline, and there are
        as many headers as entries, none of them is false.
        """
        headers = self._headers.get(("[[", array), [])
        is_sure = len(headers) == len(_list(self.data.get(array))) and array not in self._keys
        return headers if is_sure else None

    @cached_property
    def overrides(self) -> dict[int, list[Location]]:
        """Where each ``[[events.overrides]]`` begins, by index of its event."""
        events = enumerate(_list(self.data.get("events")))
        counts = {index: len(_list(event.get("overrides"))) for index, event in events if isinstance(event, dict)}
        headers = self._headers.get(("[[", "events", "overrides"), ())
        if len(headers) != sum(counts.values()) or {"events", "overrides"} & self._keys:
            return {
                index: [self.locate(("events", index, "overrides", number)) for number in range(count)]
                for index, count in counts.items()
            }
        places = self._in_order(headers)
        return {index: list(islice(places, count)) for index, count in counts.items()}

    def _in_order(self, offsets: Iterable[int]) -> Iterator[Location]:
        line, seen = 1, 0
        for offset in offsets:
            line += self.text.count("\n", seen, offset)
            seen = offset
            yield Location(self.name, line, offset - self.text.rfind("\n", 0, offset))

    @cached_property
    def _headers(self) -> dict[tuple[str, ...], list[int]]:
        """Offsets of what looks like a header, in order, by its bracket and names."""
        found: dict[tuple[str, ...], list[int]] = {}
        for match in _HEADER.finditer(self.text):
            found.setdefault((match[1], *scan.names(match[2])), []).append(match.start(1))
        return found

    @cached_property
    def _keys(self) -> set[str]:
        """Which of our tables may be written as a key of a line, not under a header."""
        return {name for match in _KEY_LINE.finditer(self.text) for name in scan.names(match[1])[:1]}

    @cached_property
    def _scanned(self) -> dict[int, dict[Path, int]]:
        return {}

    @cached_property
    def _places(self) -> dict[Path, int]:
        return scan.places(self.text)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]


@dataclass(frozen=True)
class Tables:
    """All files of one source, in order."""

    documents: tuple[Document, ...]


def read(files: Iterable[tuple[str, str | bytes]]) -> Tables:
    """The tables of ``(name, content)`` files. Never raises for content: what cannot be read carries its problem."""
    named = list(files)
    if sum(len(content) for _, content in named) > bounds.SOURCE_BYTES:
        message = f"the source is larger than {bounds.SOURCE_BYTES // 2**20} MiB"
        return Tables((Document(named[0][0], "", {}, Problem(Location(named[0][0]), message)),))
    return Tables(tuple(_document(name, content) for name, content in named))


def excerpt(name: str, text: str, line: int) -> Document | None:
    """Entries of ``[[events]]`` that begin at a ``line`` of a file, by themselves; None when it is anything else."""
    header = _HEADER.match(text)
    if text and (header is None or (header[1], *scan.names(header[2])) != ("[[", "events")):
        return None
    try:
        data = _loaded(text)
    except _Unreadable:
        return None
    return Document(name, "\n" * (line - 1) + text, data) if data.keys() <= {"events"} else None


def text_of(content: str | bytes) -> str | None:
    """A file's text, its line ends as ``\\n``; None when it is not UTF-8."""
    try:
        return _decoded(content)
    except _Unreadable:
        return None


def _document(name: str, content: str | bytes) -> Document:
    try:
        text = _decoded(content)
        return Document(name, text, _loaded(text))
    except _Unreadable as fault:
        rest = Document(name, fault.text, {})
        return replace(rest, problem=Problem(rest.at(fault.offset), fault.message, hint=fault.hint))


def _decoded(content: str | bytes) -> str:
    return (content if isinstance(content, str) else _utf8(content)).replace("\r\n", "\n")


def _utf8(content: bytes) -> str:
    for mark, message in _ENCODINGS.items():
        if content.startswith(mark):
            raise _Unreadable("", 0, message, "save it as UTF-8 without a byte order mark")
    try:
        return content.decode()
    except UnicodeDecodeError as fault:
        before = content[: fault.start].decode()
        message = f"byte 0x{content[fault.start]:02x} is not UTF-8"
        raise _Unreadable(before, len(before), message, "save the file as UTF-8") from None


def _loaded(text: str) -> dict[str, Any]:
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as fault:
        raise _syntax(text, fault) from None
    except RecursionError:
        deep = _DEEP.search(text)
        raise _Unreadable(text, deep.start() if deep else 0, "nested too deep", "nothing here nests so deep") from None
    except ValueError:  # CPython refuses integers of more than 4300 digits
        long = re.search(r"[0-9_]{4300}", text)
        raise _Unreadable(text, long.start() if long else 0, "the number has too many digits") from None


def _syntax(text: str, fault: tomli.TOMLDecodeError) -> _Unreadable:
    """The fault where the user made it, not where tomli noticed."""
    offset = min(fault.pos, len(text))
    line = text.rfind("\n", 0, offset) + 1
    hint = _HINTS.get(fault.msg, "")
    if fault.msg.startswith("Cannot "):  # noticed after the value or header
        offset = line
        hint = _LISTS if text.startswith("[", offset) else hint
    if fault.msg == "Unterminated string":  # noticed at the end of the text
        in_one_line = re.search("[\"']", text[line:])
        offset = line if in_one_line else max(text.rfind('"""'), text.rfind("'''"))
    return _Unreadable(text, offset, f"not TOML: {fault.msg[0].lower()}{fault.msg[1:]}", hint)


def _nearest(places: Mapping[Path, int], path: Path) -> int:
    """The place of ``path``, or of what is nearest around it; places count from the beginning of their text."""
    return next((places[path[:size]] for size in range(len(path), 0, -1) if path[:size] in places), 0)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
