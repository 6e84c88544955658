"""Reminders: planning them, and sending many that fall due in one second, against a bare loop and another engine."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from threading import local

import requests

from calfeed.channels.base import Answer, Fault, Request
from calfeed.events.parse import load
from calfeed.reminders.plan import due_reminders
from tests.benchmarks import bench_deliver, sources
from tests.benchmarks.measure import HERE, ROUNDS, Row, run
from tests.benchmarks.peers import environments

CHANNELS = 5
DAYS = 14
EVENTS = 10_000
DUE = {1_000: ROUNDS, 10_000: 1}
"""Reminders due together, and how often each is measured."""

Sent = tuple[float, float]
"""Seconds for all of them, and the 99th percentile of how long one waited after the first."""


class Timed(bench_deliver.Recording):
    """The transport, with the moments at which answers came."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0.0
        self.done: list[float] = []
        last.append(self)

    def send(self, request: Request) -> Answer | Fault:
        self.begun = self.begun or time.perf_counter()
        answer = super().send(request)
        self.done.append(time.perf_counter())
        return answer


last: list[Timed] = []


def rows() -> list[Row]:
    """Planning, then sending."""
    return [_planning(), *(row for count, rounds in DUE.items() for row in _sending(count, rounds))]


def _planning() -> Row:
    channels = "".join(
        f'[[channels]]\nid = "c{n}"\nkind = "webhook"\nurl = "env:C{n}"\nbefore = ["1d", "1h"]\n'
        for n in range(CHANNELS)
    )
    first = datetime.now(UTC).date() + timedelta(days=2)
    catalog = load([("events.toml", sources.events_toml(EVENTS, first, a_day=EVENTS // (DAYS - 3), extra=channels))])
    now = datetime.now(UTC)
    spent, found = [], 0
    for _ in range(ROUNDS):
        begin = time.process_time()
        found = len(due_reminders(catalog, now, now + timedelta(days=DAYS)))
        spent.append(time.process_time() - begin)
    what = f"planning {DAYS} days of {EVENTS:,} events × {CHANNELS} channels ({found:,} reminders), CPU"
    return Row(what, f"{median(spent):.2f} s", "goal", "5 s", 5 / median(spent))


def _sending(count: int, rounds: int) -> list[Row]:
    found: dict[str, list[Sent]] = {"ours": [], "bare": [], "huey": []}
    bench_deliver.REMINDERS = count
    bench_deliver.Recording = Timed  # type: ignore[misc]  # drain makes one
    with bench_deliver.receivers() as urls, tempfile.TemporaryDirectory() as text:
        for number in range(rounds):
            database = Path(text) / f"{number}.db"
            seconds, sent = bench_deliver.drain(f"sqlite:///{database}", urls)
            found["ours"].append((seconds, late(last[-1].begun, last[-1].done)))
            found["bare"].append(bare(sent))
            size = sum(len(each.body) for each in sent) // len(sent)
            told = run([environments.PYTHON, HERE / "peers" / "huey_reminders.py", database, count, size, *urls])
            found["huey"].append((told.said["seconds"], told.said["p99"]))
    ours = _medians(found["ours"])
    peers = {"bare `requests` loop, 32 threads, no record": found["bare"]}
    peers[f"{environments.python_package('huey')} on SQLite"] = found["huey"]
    return [row for name, some in peers.items() for row in _compared(count, ours, name, _medians(some))]


def _compared(count: int, ours: Sent, name: str, theirs: Sent) -> list[Row]:
    goal = "0.7" if name.startswith("bare") else "1"
    return [
        Row(
            f"{count:,} reminders due together: sent and settled",
            f"{count / ours[0]:,.0f}/s",
            name,
            f"{count / theirs[0]:,.0f}/s",
            theirs[0] / ours[0],
            goal,
        ),
        Row(
            f"{count:,} reminders due together: 99 of 100 within",
            f"{ours[1]:.2f} s",
            name,
            f"{theirs[1]:.2f} s",
            theirs[1] / ours[1],
            goal,
        ),
    ]


def _medians(some: list[Sent]) -> Sent:
    return median(each[0] for each in some), median(each[1] for each in some)


def late(begun: float, done: list[float]) -> float:
    """The 99th percentile of the waits after ``begun``."""
    return quantiles([each - begun for each in done], n=100)[98]


def bare(sent: list[Request]) -> Sent:
    """The same requests without any ledger."""
    mine, done = local(), []

    def post(request: Request) -> int:
        if not hasattr(mine, "session"):
            mine.session = requests.Session()
            mine.session.trust_env = False
        answer = mine.session.post(request.url, data=request.body, headers=dict(request.headers), timeout=15)
        done.append(time.perf_counter())
        return int(answer.status_code)

    with ThreadPoolExecutor(bench_deliver.THREADS) as pool:
        begin = time.perf_counter()
        assert set(pool.map(post, sent)) == {200}
        return time.perf_counter() - begin, late(begin, done)


if __name__ == "__main__":
    environments.make()
    for row in rows():
        print(*row.cells(), sep="  ", flush=True)
