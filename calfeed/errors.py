"""Where a fault is, what it is, and every exception calfeed raises.

    CalfeedError
    ├── SourceError      the event list has faults; carries every Problem of the run
    ├── SettingsError    the environment has faults; carries every Problem of the run
    ├── QueryError       a query key has a value that cannot be used (HTTP 400)
    ├── NotFound         no such feed, event, channel or delivery (HTTP 404)
    ├── TooMany          a quota is used up (HTTP 429)
    ├── LedgerError      the database cannot be used
    │   ├── LedgerBusy       it is locked, full or away; trying again may help
    │   └── LedgerVersion    it is older or newer than this program
    └── UsageError       the command's words are off (exit status 2)

A message says what is wrong and, where that helps, what to do next. No message holds a secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a source file; lines and columns count from 1, columns in characters."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault, with its place: ``events.toml:12:1: error: events[3].end: 2024-05-15 is before start 2024-05-16``."""

    location: Location
    message: str
    path: str = ""
    hint: str = ""
    severity: Severity = "error"
    code: str = ""

    def __str__(self) -> str:
        what = f"{self.path}: {self.message}" if self.path else self.message
        hint = f" ({self.hint})" if self.hint else ""
        code = f" [{self.code}]" if self.code else ""
        return f"{self.location}: {self.severity}: {what}{hint}{code}"


class CalfeedError(Exception):
    """The root of all errors that calfeed raises for its user."""


class _Problems(CalfeedError):
    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SourceError(_Problems):
    """The event list cannot be used; ``problems`` holds every fault, in file order."""


class SettingsError(_Problems):
    """The environment cannot be used; ``problems`` holds every fault, by variable name."""


class QueryError(CalfeedError):
    """A query key has a value that cannot be used; ``key`` names it."""

    def __init__(self, key: str, reason: str) -> None:
        self.key = key
        self.reason = reason
        super().__init__(f"{key}: {reason}")


class NotFound(CalfeedError):
    """What was asked for does not exist here, or must look so."""


class TooMany(CalfeedError):
    """A quota is used up; ``seconds`` from now it may be asked again."""

    def __init__(self, reason: str, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(reason)


class LedgerError(CalfeedError):
    """The database cannot be used."""


class LedgerBusy(LedgerError):
    """The database is locked, full or away; the same call may succeed later."""


class LedgerVersion(LedgerError):
    """The database's schema is not the one this program knows."""


class UsageError(CalfeedError):
    """The words of a command are off."""
