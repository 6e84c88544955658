"""TOML to one feed: calfeed against libraries that build calendar objects, each in a process of its own."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.benchmarks import sources
from tests.benchmarks.measure import CALFEED, HERE, PYTHON, ROUNDS, Cost, Row, costs, cpu, run, said
from tests.benchmarks.peers import environments

PEERS = HERE / "peers"
PYTHON_PEERS = ("icalendar", "vobject", "ics", "ical")
NODE_PEERS = {"ical-generator": "feed_ical_generator.mjs", "ics": "feed_ics.mjs"}
COUNT = 10_000
CURVE = (1_000, 10_000, 100_000)


def _peers() -> dict[str, list[str | Path]]:
    found: dict[str, list[str | Path]] = {
        environments.python_package(name): [environments.PYTHON, PEERS / f"feed_{name}.py"] for name in PYTHON_PEERS
    }
    for name, script in NODE_PEERS.items():
        found[f"npm {environments.node_package(name)}"] = ["node", PEERS / script]
    return found


def vevents(octets: bytes) -> list[list[bytes]]:
    """The VEVENTs of a feed: their unfolded lines, in no order."""
    lines = octets.replace(b"\r\n ", b"").split(b"\r\n")
    begins = [number for number, line in enumerate(lines) if line == b"BEGIN:VEVENT"]
    return sorted(sorted(lines[begin : lines.index(b"END:VEVENT", begin)]) for begin in begins)


def check_same(source: Path) -> None:
    """calfeed and icalendar say the same, line by line, or their times could not be compared."""
    ours = subprocess.run([CALFEED, "--events", source, "feed", "all"], check=True, capture_output=True).stdout
    script = [environments.PYTHON, PEERS / "feed_icalendar.py", source]
    theirs = subprocess.run(script, check=True, capture_output=True).stdout
    assert vevents(ours) == vevents(theirs)


def rows() -> list[Row]:
    """The whole process, and the building alone, of 10,000 events."""
    with tempfile.TemporaryDirectory() as text:
        check_same(sources.write(Path(text), 300))
        source = sources.write(Path(text), COUNT)
        runs: dict[str, Callable[[], Cost]] = {
            "whole": partial(run, [CALFEED, "--events", source, "feed", "all"], cwd=Path(text)),
            "steps": partial(run, [PYTHON, HERE / "compile_once.py", source]),
            **{name: partial(run, [*command, source]) for name, command in _peers().items()},
        }
        return _rows(costs(ROUNDS, **runs))


def _rows(found: dict[str, list[Cost]]) -> list[Row]:
    whole, steps = found.pop("whole"), found.pop("steps")
    build = said(steps, "build")
    table = []
    for name, theirs in found.items():
        goals = ("3", "20") if name.startswith("icalendar") else ("1", "1")
        table.append(
            _row(f"`feed all` of {COUNT:,} events, whole process, CPU", cpu(whole), name, cpu(theirs), goals[0])
        )
        table.append(_row("the same, building alone, cold, CPU", build, name, said(theirs, "build"), goals[1]))
    return [*sorted(table, key=lambda row: row.what), *_edit(steps, found)]


def _row(what: str, ours: float, peer: str, theirs: float, goal: str) -> Row:
    return Row(what, f"{ours * 1e3:,.0f} ms", peer, f"{theirs * 1e3:,.0f} ms", theirs / ours, goal)


def _edit(steps: Sequence[Cost], found: dict[str, list[Cost]]) -> list[Row]:
    name, theirs = next((name, costs) for name, costs in found.items() if name.startswith("icalendar"))
    again = said(steps, "build again")
    return [
        _row("the same after an edit of one event, CPU", again, name, said(theirs, "build"), "100"),
        *(
            Row(f"calfeed {what} {COUNT:,} events, CPU", f"{said(steps, key) * 1e3:,.0f} ms", "", "")
            for what, key in (("reading and checking", "load"), ("revising", "revise"), ("building", "build"))
        ),
    ]


def curves() -> dict[str, list[tuple[int, float, float]]]:
    """``(events, CPU seconds, peak MB)`` of the whole process by program; one run each of the largest."""
    found: dict[str, list[tuple[int, float, float]]] = {}
    with tempfile.TemporaryDirectory() as text:
        for count in CURVE:
            source = sources.write(Path(text), count)
            runs: dict[str, Callable[[], Cost]] = {
                "calfeed": partial(run, [CALFEED, "--events", source, "feed", "all"], cwd=Path(text)),
                "icalendar": partial(run, [environments.PYTHON, PEERS / "feed_icalendar.py", source]),
            }
            for name, some in costs(1 if count > COUNT else 3, **runs).items():
                found.setdefault(name, []).append((count, cpu(some), max(each.peak for each in some)))
    return found


if __name__ == "__main__":
    environments.make()
    for row in rows():
        print(*row.cells(), sep="  ", flush=True)
