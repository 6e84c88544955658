"""From the write of the file to the first answer that has it, starts, and pages: what waiting people notice."""

from __future__ import annotations

import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.benchmarks import sources
from tests.benchmarks.bench_serve import answer, cpu_seconds, running
from tests.benchmarks.measure import CALFEED, ROOT, ROUNDS, Row, free_port, run

EVENTS = 10_000
PAGES = ("/?view=agenda", "/?view=month", "/?view=timeline", "/?view=agenda&q=number+77")
REQUESTS = 10


def rows() -> list[Row]:
    """The edit, the starts, the pages; none has a peer."""
    return [*_start(), *_pages_and_edit()]


def _start() -> Iterator[Row]:
    check = median(run([CALFEED, "check", ROOT / "events.toml"]).cpu for _ in range(ROUNDS))
    yield Row("`calfeed check` of the project's own list, CPU", f"{check:.2f} s", "goal", "0.35 s", 0.35 / check)
    starts = [_until_ready() for _ in range(ROUNDS)]
    ready, spent = (median(each[place] for each in starts) for place in (0, 1))
    shown = f"{ready:.2f} s, of them {spent:.2f} s CPU"
    yield Row("`calfeed up` until it answers, new database", shown, "goal", "2 s", 2 / ready)


def _until_ready() -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as text:
        port, begin = free_port(), time.monotonic()
        command = [str(CALFEED), "--events", str(ROOT / "events.toml"), "up", "--port", str(port)]
        with running(command, f"http://127.0.0.1:{port}/feeds/all.ics", Path(text)) as process:
            return time.monotonic() - begin, cpu_seconds(process.pid)


def _pages_and_edit() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as text:
        folder, port = Path(text), free_port()
        source = sources.write(folder, EVENTS)
        base = f"http://127.0.0.1:{port}"
        command = [str(CALFEED), "--events", str(source), "serve", "--port", str(port)]
        with running(command, f"{base}/feeds/all.ics", folder) as server:
            for path in PAGES:
                spent = _page(server, base + path)
                yield Row(f"{path} of {EVENTS:,} events, CPU", f"{spent * 1e3:.0f} ms", "goal", "50 ms", 0.05 / spent)
            before = cpu_seconds(server.pid)
            waits = [_edit(source, f"{base}/feeds/all.ics", number) for number in range(ROUNDS)]
            spent = (cpu_seconds(server.pid) - before) / ROUNDS
            shown = f"{median(waits):.2f} s, of them {spent:.2f} s CPU"
            yield Row(f"an edit of one event in {EVENTS:,}, until served", shown, "goal", "1 s", 1 / median(waits))


def _page(server: subprocess.Popen[bytes], url: str) -> float:
    answer(url)  # what is made once a snapshot is made now
    before = cpu_seconds(server.pid)
    for _ in range(REQUESTS):
        answer(url)
    return (cpu_seconds(server.pid) - before) / REQUESTS


def _edit(source: Path, url: str, number: int) -> float:
    text = source.read_text().replace(f'"Event number {number},', f'"Edited event number {number},', 1)
    aside = source.with_suffix(".new")
    aside.write_text(text)
    tag = answer(url)[1]["ETag"]
    begin = time.monotonic()
    aside.replace(source)
    while time.monotonic() - begin < 30:
        if _changed(url, tag):
            return time.monotonic() - begin
        time.sleep(0.02)
    raise RuntimeError("the edit was never served")


def _changed(url: str, tag: str) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"If-None-Match": tag}), timeout=10):
            return True
    except urllib.error.HTTPError as fault:
        if fault.code != 304:
            raise
        return False


if __name__ == "__main__":
    for row in rows():
        print(*row.cells(), sep="  ", flush=True)
