"""What an import cannot carry: each thing once, with the place where it was met first and how often."""

from __future__ import annotations

from calfeed.errors import Location, Problem

MOST = 1000
"""How many different things are told."""


class Lost:
    """Collects what is left out or changed, by what is said of it."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: dict[tuple[str, str], tuple[int | None, int]] = {}

    def add(self, what: str, why: str, line: int | None) -> None:
        """``what`` names a property or component, ``why`` says what became of it."""
        if len(self._found) >= MOST:  # a hostile file; an honest one has a dozen
            what, why = "more", "of what was left out no more is told"
        first, count = self._found.get((what, why), (line, 0))
        self._found[what, why] = (first, count + 1)

    def problems(self) -> tuple[Problem, ...]:
        """Warnings in the order of their lines."""
        found = [
            Problem(Location(self._file, line), why + _times(count), path=what, severity="warning")
            for (what, why), (line, count) in self._found.items()
        ]
        return tuple(sorted(found, key=lambda problem: (problem.location.line or 0, problem.path, problem.message)))


def _times(count: int) -> str:
    return f" ({count} times, here first)" if count > 1 else ""
