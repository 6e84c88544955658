"""1,000 reminders due in one second, to fast receivers: the whole way through the ledger against a bare loop.

The bare loop posts the same bodies with 32 threads, one `requests.Session` each, and keeps no record. Both sides run in
one process against the same receivers, in turn, three times; the medians are compared.
Run by ``make bench`` or ``pytest -m benchmark tests/benchmarks/bench_deliver.py -s``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from threading import local

import pytest
import requests

from calfeed.channels.base import Answer, Fault, Request, Target
from calfeed.channels.registry import Courier, driver
from calfeed.deliver import Deliverer
from calfeed.events.model import Calendar, Catalog, Channel, Duration, Event, Feed, Text
from calfeed.ledger import Ledger, State

REMINDERS, RECEIVERS, THREADS, ROUNDS = 1000, 4, 32, 3
START = datetime(2024, 5, 16, 2, tzinfo=UTC)

RECEIVER = """
import asyncio
class Sink(asyncio.Protocol):
    def connection_made(self, transport): self.transport, self.held = transport, b""
    def data_received(self, data):
        self.held += data
        while (end := self.held.find(b"\\r\\n\\r\\n")) >= 0:
            head = self.held[:end].lower()
            size = int(head.split(b"content-length:")[1].split(b"\\r\\n")[0])
            if len(self.held) < end + 4 + size: return
            self.held = self.held[end + 4 + size:]
            self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
async def main():
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Sink, "127.0.0.1", 0) for _ in range(%d)]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@contextmanager
def receivers() -> Iterator[list[str]]:
    """URLs of receivers in a process of their own, so that they share no interpreter lock with the senders."""
    with subprocess.Popen([sys.executable, "-c", RECEIVER % RECEIVERS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield [f"http://127.0.0.1:{port}/hook" for port in process.stdout.readline().split()]
        process.kill()


class Recording:
    """The transport, with the requests that went through it."""

    def __init__(self) -> None:
        self.sent: list[Request] = []
        self._courier = Courier()

    def send(self, request: Request) -> Answer | Fault:
        self.sent.append(request)
        return self._courier.send(request)


def catalog() -> Catalog:
    names = [f"hook{n}" for n in range(RECEIVERS)]
    events = tuple(
        Event(
            id=f"event-{n}",
            uid=f"uid-{n}",
            summary=Text((("en", f"Event number {n}"),)),
            description=Text((("en", "What it is about, in a sentence or two. " * 5),)),
            start=START,
            end=START + timedelta(hours=1),
            timezone="Asia/Shanghai",
        )
        for n in range(REMINDERS // RECEIVERS)
    )
    calendar = Calendar(id="bench", name=Text((("en", "Bench"),)), timezone="Asia/Shanghai", url="https://example.org")
    before = (Duration(seconds=3600),)
    channels = tuple(Channel(id=name, kind="webhook", url=f"env:{name}", before=before) for name in names)
    return Catalog(
        calendar=calendar, events=events, feeds=(Feed(id="all", name=Text((("en", "All"),))),), channels=channels
    )


def drain(database_url: str, urls: list[str]) -> tuple[float, list[Request]]:
    """Seconds from due to the last one settled, and what was sent."""
    source, now = catalog(), START - timedelta(days=1)
    targets: Mapping[str, Target] = {
        channel.id: Target(url=url, secret="whsec_" + "c2VjcmV0" * 4)
        for channel, url in zip(source.channels, urls, strict=True)
    }
    clock = [now]
    transport = Recording()
    with Ledger(database_url) as ledger:
        ledger.upgrade()
        ledger.publish(source, now)
        deliverer = Deliverer(
            ledger, lambda: targets, transport=transport, driver=driver, clock=lambda: clock[0], base_url=None
        )
        deliverer.tick()
        clock[0] = START - timedelta(hours=1)
        begin = time.perf_counter()
        while ledger.stats(clock[0]).count(State.SENT) < REMINDERS:
            deliverer.tick()
        seconds = time.perf_counter() - begin
        deliverer.stop()
    return seconds, transport.sent


def bare(sent: list[Request]) -> float:
    """Seconds for the same requests without any ledger."""
    mine = local()

    def post(request: Request) -> int:
        if not hasattr(mine, "session"):
            mine.session = requests.Session()
            mine.session.trust_env = False
        answer = mine.session.post(request.url, data=request.body, headers=dict(request.headers), timeout=15)
        return int(answer.status_code)

    with ThreadPoolExecutor(THREADS) as pool:
        begin = time.perf_counter()
        assert set(pool.map(post, sent)) == {200}
        return time.perf_counter() - begin


def measure() -> float:
    """The ratio of speeds, printed with what it is made of."""
    ours, theirs = [], []
    with receivers() as urls:
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as folder:
                seconds, sent = drain(f"sqlite:///{Path(folder) / 'bench.db'}", urls)
            assert len({request.headers["webhook-id"] for request in sent}) == len(sent) == REMINDERS
            ours.append(seconds)
            theirs.append(bare(sent))
    ratio = median(theirs) / median(ours)
    print(
        f"deliver: {REMINDERS / median(ours):,.0f}/s through the ledger, {REMINDERS / median(theirs):,.0f}/s bare; "
        f"ratio {ratio:.2f}"
    )
    return ratio


@pytest.mark.benchmark
def test_a_thousand_reminders_due_at_once() -> None:
    """At least 0.7 of the bare loop's speed on a quiet machine; printed, since a busy one proves nothing."""
    assert measure() > 0


if __name__ == "__main__":
    measure()
