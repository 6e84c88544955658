"""Rounds in turn, medians, and what a process has cost."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PYTHON = ROOT / ".venv" / "bin" / "python"
CALFEED = ROOT / ".venv" / "bin" / "calfeed"
ROUNDS = 5


@dataclass
class Row:
    """One line of the table. ``ratio`` is how many times better ours is; ``goal`` the least it should be."""

    what: str
    ours: str
    peer: str
    theirs: str
    ratio: float | None = None
    goal: str = ""

    def cells(self) -> tuple[str, ...]:
        """As Markdown shows them."""
        shown = "" if self.ratio is None else f"{self.ratio:.2f}" if self.ratio < 10 else f"{self.ratio:.0f}"
        return self.what, self.ours, self.peer, self.theirs, shown, self.goal


@dataclass(frozen=True)
class Cost:
    """What a process took: CPU seconds, its peak of memory in MB, what it printed to stderr as JSON, if so."""

    cpu: float
    peak: float
    said: dict[str, float] = field(default_factory=dict)


def run(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Cost:
    """Runs a program to its end; raises where it fails."""
    wrapped = [str(PYTHON), "-I", "-S", str(HERE / "spawned.py"), *map(str, command)]
    ended = subprocess.run(
        wrapped,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        check=False,
    )
    told = ended.stderr.decode().strip()
    if ended.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {ended.returncode}: {told[-2000:]}")
    *before, last = told.splitlines()
    cost = json.loads(last)
    return Cost(cost["cpu"], cost["peak"], json.loads(before[-1]) if before and before[-1][:1] == "{" else {})


def in_turn(rounds: int, **runs: Callable[[], float]) -> dict[str, float]:
    """The median of each, run one after the other so that what disturbs the machine disturbs all."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, one in runs.items():
            found[name].append(one())
    return {name: median(values) for name, values in found.items()}


def costs(rounds: int, **runs: Callable[[], Cost]) -> dict[str, list[Cost]]:
    """The costs of each, run in turn."""
    found: dict[str, list[Cost]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, one in runs.items():
            found[name].append(one())
    return found


def cpu(found: Sequence[Cost]) -> float:
    """Their median CPU seconds."""
    return median(each.cpu for each in found)


def said(found: Sequence[Cost], key: str) -> float:
    """The median of what they told of themselves."""
    return median(each.said[key] for each in found)


def free_port() -> int:
    """A TCP port that nobody listens on."""
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
