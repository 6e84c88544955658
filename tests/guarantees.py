"""`make guarantees`: runs every test that the guarantees name, and prints what was tried, lost and repeated."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "calfeed" / "help" / "guarantees.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
COUNTED = re.compile(r"(\d+) [\w ]+, lost (\d+), repeated (\d+)")


@dataclass
class Outcome:
    """What the cases of one test came to."""

    tried: int = 0
    lost: int = 0
    repeated: int = 0
    failed: list[str] = field(default_factory=list)

    def add(self, case: ET.Element) -> None:
        """A case counts what it says it tried; one that says nothing tried one thing."""
        said = COUNTED.findall(case.findtext("system-out") or "") or [("1", "0", "0")]
        self.tried += sum(int(tried) for tried, _, _ in said)
        self.lost += sum(int(lost) for _, lost, _ in said)
        self.repeated += sum(int(repeated) for _, _, repeated in said)
        if any(case.find(kind) is not None for kind in ("failure", "error", "skipped")):
            self.failed.append(case.get("name", ""))


def promises() -> list[tuple[str, list[str]]]:
    """(the sentence, its tests) of every row of the page."""
    rows = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if "`tests/" in line]
    return [(row[1].strip(), [f"{file}::{name}" for file, name in TEST.findall(row[2])]) for row in rows]


def run(tests: list[str]) -> dict[str, Outcome]:
    """The outcome of each test; pytest's own words go to stderr."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = [
            "-m",
            "slow or not slow",
            "-q",
            "--no-header",
            *("-n", "3", "--dist", "loadgroup"),  # most of them wait most of their time
            "-o",
            "junit_logging=system-out",
            f"--junitxml={report}",
        ]
        subprocess.run([sys.executable, "-m", "pytest", *options, *tests], cwd=ROOT, stdout=sys.stderr, check=False)
        found: dict[str, Outcome] = defaultdict(Outcome)
        for case in ET.parse(report).iter("testcase"):  # noqa: S314  # pytest's own
            file = case.get("classname", "").replace(".", "/")
            found[f"{file}.py::{case.get('name', '').partition('[')[0]}"].add(case)
    return found


def main() -> int:
    """Exit 1 when a promise was broken, or its test is missing."""
    rows = promises()
    found = run(sorted({test for _, tests in rows for test in tests}))
    print(f"{'tried':>7} {'lost':>5} {'repeated':>9}  promise")
    broken, totals = 0, [0, 0, 0]
    for promise, tests in rows:
        outcomes = [found[test] for test in tests]
        failed = [name for one in outcomes for name in one.failed] + [test for test in tests if not found[test].tried]
        tried, lost, repeated = (sum(getattr(one, key) for one in outcomes) for key in ("tried", "lost", "repeated"))
        print(f"{tried:>7} {lost:>5} {repeated:>9}  {promise}{'  BROKEN: ' + ', '.join(failed) if failed else ''}")
        broken += bool(failed or lost)
        totals = [total + count for total, count in zip(totals, (tried, lost, repeated), strict=True)]
    print(f"{totals[0]:>7} {totals[1]:>5} {totals[2]:>9}  in all: {len(rows)} promises, {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
