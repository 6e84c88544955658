"""What the linter found so far: bounded, and in file order at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches

from calfeed.errors import Location, Problem
from calfeed.feeds.lint.findings import Finding

PER_FINDING = 100
"""How many places of one finding are listed; a hostile file must not fill the memory."""


class Report:
    """Collects problems of one file."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._problems: list[Problem] = []
        self._count: Counter[Finding] = Counter()

    def add(
        self, finding: Finding, message: str, *, line: int | None = None, column: int | None = None, path: str = ""
    ) -> None:
        """Record one place of ``finding``."""
        self._count[finding] += 1
        if self._count[finding] <= PER_FINDING:
            where = Location(self._file, line, column)
            self._problems.append(Problem(where, message, path, finding.hint, finding.severity, finding.code))

    def count(self, finding: Finding) -> int:
        """How often ``finding`` was recorded."""
        return self._count[finding]

    def guess(self, finding: Finding, name: str, known: Iterable[str]) -> str:
        """`` (did you mean X?)`` for a misspelt name; empty where nothing is near, or enough has been said."""
        listed = self._count[finding] < PER_FINDING
        near = get_close_matches(name[:40], known, 1, 0.75) if listed else []
        return f" (did you mean {near[0]}?)" if near else ""

    def problems(self) -> list[Problem]:
        """All problems by line and code; what was cut off is counted in a last line for each finding."""
        cut = [
            Problem(Location(self._file), f"{n - PER_FINDING} more of these", "", f.hint, f.severity, f.code)
            for f, n in sorted(self._count.items(), key=lambda item: item[0].code)
            if n > PER_FINDING
        ]
        return sorted(self._problems, key=_order) + cut


def _order(problem: Problem) -> tuple[int, int, str, str]:
    place = problem.location
    return (place.line or 0, place.column or 0, problem.code, problem.message)
