"""Collecting every problem of a run, each with its place, in file order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import ParamSpec, TypeVar

from calfeed.errors import Problem, Severity, SourceError
from calfeed.events.scan import Path
from calfeed.events.source import Document

T = TypeVar("T")
P = ParamSpec("P")

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Fault(Exception):
    """What is wrong with one value, and what to do about it; raised by conversions, caught by `Scope.take`.

    ``keys`` lead from the value that was converted to the faulty one inside it; a ``hint`` that takes a search is
    given as a function.
    """

    def __init__(self, message: str, hint: str | Callable[[], str] = "", keys: Path = ()) -> None:
        self.message, self.hint, self.keys = message, hint, keys
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class _Finding:
    document: int
    path: Path
    message: str
    hint: str
    severity: Severity


@dataclass(slots=True)
class Report:
    """All that was found so far. Places are looked up at the end: a source without problems is never scanned."""

    documents: Sequence[Document]
    found: dict[_Finding, None] = field(default_factory=dict)
    searches: int = 0

    def add(self, document: int, path: Path, message: str, hint: str = "", severity: Severity = "error") -> None:
        """Notes one problem; the same one twice counts once."""
        self.found[_Finding(document, path, message, hint, severity)] = None

    @property
    def complete(self) -> bool:
        """Whether every file could be read; else what seems to be missing may stand in one that could not."""
        return all(document.problem is None for document in self.documents)

    def scope(self, document: int, *path: str | int) -> Scope:
        """The table at ``path`` of a document."""
        return Scope(self, document, path)

    def warnings(self) -> tuple[Problem, ...]:
        """Every warning, in file order; raises SourceError with all problems when one of them is an error."""
        problems = tuple(self._placed())
        if any(problem.severity == "error" for problem in problems):
            raise SourceError(problems)
        return problems

    def found_hint(self, hint: str | Callable[[], str]) -> str:
        """The hint; of many that take a search only the first hundred are looked for."""
        if isinstance(hint, str):
            return hint
        self.searches += 1
        return hint() if self.searches <= 100 else ""

    def _placed(self) -> Iterable[Problem]:
        by_document: dict[int, list[_Finding]] = {}
        for each in self.found:
            by_document.setdefault(each.document, []).append(each)
        for number, document in enumerate(self.documents):
            if document.problem is not None:
                yield document.problem
            for each in sorted(by_document.get(number, ()), key=lambda each: document.offset(each.path)):
                place = document.locate(each.path)
                yield Problem(place, each.message, path=shown(each.path), hint=each.hint, severity=each.severity)


@dataclass(slots=True)
class Scope:
    """One table of the source, for problems with its keys."""

    report: Report
    document: int
    path: Path

    def error(self, keys: Path, message: str, hint: str = "") -> None:
        """A problem at ``keys`` below this table."""
        self.report.add(self.document, self.path + keys, message, hint)

    def warn(self, keys: Path, message: str, hint: str = "") -> None:
        """The same, but the source can be used."""
        self.report.add(self.document, self.path + keys, message, hint, "warning")

    def take(self, keys: Path, convert: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """What ``convert`` makes of a value, or None and a problem at ``keys``."""
        try:
            return convert(*args, **kwargs)
        except Fault as fault:
            self.error(keys + fault.keys, fault.message, self.report.found_hint(fault.hint))
            return None

    def below(self, *keys: str | int) -> Scope:
        """A table inside this one."""
        return Scope(self.report, self.document, self.path + keys)


def did_you_mean(word: str, known: Collection[str]) -> Callable[[], str]:
    """The hint for a word that is nearly a known one."""

    def search() -> str:
        near = get_close_matches(word, sorted(known), n=1)
        return f"did you mean {near[0]!r}?" if near else ""

    return search


def shown(path: Path) -> str:
    """A path as the user counts: ``events[3].overrides[0].end``, from zero."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{_key(part)}" for part in path).removeprefix(".")


def _key(name: str) -> str:
    """As TOML writes it; nothing that a terminal would obey."""
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=not name.isprintable())
