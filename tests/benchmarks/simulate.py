"""A day of a million pollers, scaled down, against the real server; then the arithmetic for the whole million.

Each simulated client polls at its family's pace and asks with the ETag it holds, as clients do; some edits happen
during the day. Requests go out as fast as they are answered, in the order of the simulated day. What is measured is the
server's own CPU time (from the kernel's accounts of its processes), so other work on the machine hardly counts.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import local

CALFEED = Path(sys.executable).with_name("calfeed")
POPULATION = 1_000_000
DAY = 86_400.0
THREADS = 4
EDITS = 10

FAMILIES: dict[str, tuple[float, float, bool]] = {
    "Google-Calendar-Importer": (0.55, 12 * 3600, True),
    "Microsoft Office/16.0 (Outlook)": (0.20, 6 * 3600, True),
    "iOS/17.5 dataaccessd/1.0": (0.20, 3600, True),
    "Mozilla/5.0 Thunderbird/128.0": (0.05, 1800, True),
}
"""By User-Agent: share of the subscribers, seconds between polls, whether it takes gzip."""


@dataclass
class Client:
    """One subscriber; ``held`` is the ETag of what it has."""

    agent: str
    every: float
    zipped: bool
    phase: float
    held: str = field(default="")


def population(count: int, chance: random.Random) -> list[Client]:
    """Clients by the families' shares, their first polls spread over their pace."""
    return [
        Client(agent, every, zipped, chance.uniform(0, every))
        for agent, (share, every, zipped) in FAMILIES.items()
        for _ in range(round(count * share))
    ]


def day(clients: list[Client]) -> list[tuple[float, Client]]:
    """Every poll of the day, in order."""
    return sorted(_polls(clients), key=lambda poll: poll[0])


def _polls(clients: list[Client]) -> Iterator[tuple[float, Client]]:
    for client in clients:
        at = client.phase
        while at < DAY:
            yield at, client
            at += client.every


class Asker:
    """Asks for the feed over a kept-alive connection a thread."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._mine = local()
        self.answers: Counter[int] = Counter()
        self.octets = 0

    def ask(self, client: Client) -> None:
        connection = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {"User-Agent": client.agent}
        if client.held:
            headers["If-None-Match"] = client.held
        if client.zipped:
            headers["Accept-Encoding"] = "gzip"
        connection.request("GET", "/feeds/all.ics", headers=headers)
        answer = connection.getresponse()
        self.octets += len(answer.read())
        self.answers[answer.status] += 1
        client.held = answer.headers["ETag"]


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its children, living ones included."""
    total = 0.0
    for one in (pid, *_children(pid)):
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def play(port: int, pid: int, polls: list[tuple[float, Client]], source: Path) -> tuple[Asker, float, float]:
    """(what was answered, CPU seconds of the server, wall seconds); edits fall evenly over the day."""
    asker = Asker(port)
    text = source.read_text(encoding="utf-8")
    size = len(polls) // (EDITS + 1) + 1
    before, started = cpu_seconds(pid), time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        for number in range(0, len(polls), size):
            if number:
                source.write_text(text.replace("Harbin", f"Harbin {number}"), encoding="utf-8")
                time.sleep(1)
            list(pool.map(lambda poll: asker.ask(poll[1]), polls[number : number + size]))
    return asker, cpu_seconds(pid) - before, time.perf_counter() - started


def serve(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A `calfeed serve` on a free port, once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen([CALFEED, "serve", "--port", str(port)], cwd=folder, stderr=subprocess.DEVNULL)
    for _ in range(200):
        time.sleep(0.1)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process, port
    raise SystemExit("calfeed serve did not answer within 20 s")


def report(scale: int, polls: int, asker: Asker, cpu: float, wall: float) -> None:
    """What was measured, and what it comes to for everybody."""
    each = cpu / polls
    whole = polls * scale
    average = whole / DAY
    print(f"played      {polls} polls of 1/{scale} of {POPULATION:,} subscribers in {wall:.0f} s; {EDITS} edits")
    print(f"answers     {dict(asker.answers)}, {asker.octets / 1e6:.1f} MB")
    print(f"server CPU  {cpu:.1f} s, {each * 1e6:.0f} µs a poll, edits included")
    print(f"the million {whole:,} polls a day, {average:.0f} a second on average")
    core = whole * each / DAY
    print(f"            {core:.3f} of one core on average; {10 * core:.2f} at a peak of ten times that")
    print(f"            {asker.octets * scale / 1e9:.1f} GB of bodies a day")
    print(f"one core    {1 / each:,.0f} polls a second; full at {DAY / each / (whole / POPULATION):,.0f} subscribers")


def main() -> None:
    """``--scale 500`` plays one client for each 500."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=250)
    scale = parser.parse_args().scale
    clients = population(POPULATION // scale, random.Random(1))
    polls = day(clients)
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "events.toml"
        source.write_text((Path(__file__).parents[2] / "events.toml").read_text(encoding="utf-8"), encoding="utf-8")
        process, port = serve(Path(name))
        try:
            asker, cpu, wall = play(port, process.pid, polls, source)
        finally:
            process.terminate()
            process.wait()
    report(scale, len(polls), asker, cpu, wall)


if __name__ == "__main__":
    main()
