"""Where each key and array item of a TOML text stands.

A scanner, not a parser: it is run only over text that tomli has accepted, and only when a place is asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import tomli

Path = tuple[str | int, ...]

DEPTH = 16
"""Deeper places are not kept: no key of ours lies there, and a hostile file would make them quadratic."""

_BLANK = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_SPACE = re.compile(r"[ \t]*+")
_KEY = re.compile(r"""([A-Za-z0-9_-]++)|("(?:[^"\\]|\\.)*+")|'([^']*+)'""")
_STRING = re.compile(
    r'''"""(?:[^"\\]|\\.|"{1,2}(?!"))*+"{3,5}'''
    r"""|'''(?:[^']|'{1,2}(?!'))*+'{3,5}"""
    r'''|"(?:[^"\\]|\\.)*+"'''
    r"""|'[^']*+'""",
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}#\r\n]++")


@dataclass(slots=True)
class _Container:
    """An array or inline table that is being read; ``count`` is the index of its next item."""

    path: Path
    closing: str
    count: int = 0


@dataclass(slots=True)
class _Scanner:
    text: str
    position: int = 0
    places: dict[Path, int] = field(default_factory=dict)
    last_item: dict[Path, int] = field(default_factory=dict)

    def run(self) -> None:
        table: Path = ()
        self._skip(_BLANK)
        while self.position < len(self.text):
            if self.text[self.position] == "[":
                table = self._header()
            else:
                self._value(self._key(table))
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.position)
        self.position = match.end() if match else self.position

    def _header(self) -> Path:
        """``[a.b]`` or ``[[a.b]]``; an index is put in after every name that is an array of tables."""
        start = self.position
        is_array = self.text.startswith("[[", start)
        self.position += 2 if is_array else 1
        path: Path = ()
        for name, _ in self._names():
            path = self._within(path)
            path = self._mark((*path, name), start)
        self.position = self.text.index("]", self.position) + (2 if is_array else 1)
        if not is_array:
            return self._within(path)
        self.last_item[path] = self.last_item.get(path, -1) + 1
        return self._mark(self._within(path), start)

    def _within(self, path: Path) -> Path:
        return (*path, self.last_item[path]) if path in self.last_item else path

    def _key(self, table: Path) -> Path:
        for name, place in self._names():
            table = self._mark((*table, name), place)
        self.position = self.text.index("=", self.position) + 1
        return table

    def _names(self) -> list[tuple[str, int]]:
        names = []
        while True:
            self._skip(_SPACE)
            match = _KEY.match(self.text, self.position)
            if match is None:  # only in text that tomli would refuse
                raise ValueError(f"no key at {self.position}")
            names.append((_name(match), self.position))
            self.position = match.end()
            self._skip(_SPACE)
            if not self.text.startswith(".", self.position):
                return names
            self.position += 1

    def _value(self, path: Path) -> None:
        """Reads one value; arrays and inline tables by a stack of our own, as deep as the text goes."""
        open_containers = [] if (opened := self._simple_value(path)) is None else [opened]
        while open_containers:
            container = open_containers[-1]
            self._skip(_BLANK)
            if self.text.startswith(",", self.position):
                self.position += 1
            elif self.text.startswith(container.closing, self.position):
                self.position += 1
                open_containers.pop()
            elif (opened := self._simple_value(self._item(container))) is not None:
                open_containers.append(opened)

    def _item(self, container: _Container) -> Path:
        if container.closing == "}":
            return self._key(container.path)
        container.count += 1
        return self._mark((*container.path, container.count - 1), self.position)

    def _simple_value(self, path: Path) -> _Container | None:
        """Passes a scalar, or enters the container that opens here."""
        self._skip(_SPACE)
        first = self.text[self.position]
        if first in "[{":
            self.position += 1
            return _Container(path, "]" if first == "[" else "}")
        self._skip(_STRING if first in "\"'" else _BARE)
        return None

    def _mark(self, path: Path, place: int) -> Path:
        if len(path) > DEPTH:
            return path[:DEPTH]
        self.places.setdefault(path, place)
        return path


def names(key: str) -> list[str]:
    """The names of a dotted key; none where it only looks like one."""
    if not {'"', "'", " ", "\t"}.intersection(key):
        return key.split(".")
    try:
        return [_name(match) for match in _KEY.finditer(key)]
    except tomli.TOMLDecodeError:  # an escape that is none: this stands inside a literal text
        return []


def _name(match: re.Match[str]) -> str:
    bare, basic, literal = match.groups()
    if basic is not None:
        return str(next(iter(tomli.loads(f"{basic}=0"))))
    return str(bare if bare is not None else literal)


def places(text: str) -> dict[Path, int]:
    """Offset of every key and every array item of ``text``, which tomli has accepted."""
    scanner = _Scanner(text)
    scanner.run()
    return scanner.places
