"""A year in a minute: edits, polls and reminders on a simulated clock; what is kept stays bounded, nothing is lost."""

from __future__ import annotations

import gc
import logging
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import pytest
from sqlalchemy import func, select

from calfeed.channels.base import Answer, Request, Target
from calfeed.channels.registry import driver
from calfeed.deliver import Deliverer
from calfeed.ledger import Ledger
from calfeed.ledger.schema import metadata
from calfeed.publish import Publisher
from calfeed.settings import Settings
from calfeed.web.app import create_app
from calfeed.web.fast import FastFeeds

pytestmark = pytest.mark.slow

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 900
STEP = timedelta(days=20)
HEAD = """
[calendar]
id = "desk"
name = "Desk"
timezone = "Asia/Shanghai"

[[channels]]
id = "hook"
kind = "webhook"
url = "env:HOOK"
before = ["1d", "1h"]
"""


def source(now: datetime, edition: int) -> str:
    """The coming three weeks, one event every other day; each edition moves the last one by an hour."""
    first = (now - BEGIN).days // 2
    events = []
    for number in range(first, first + 10):
        hour = 1 + (edition % 5 if number == first + 9 else 0)
        start = BEGIN + timedelta(days=2 * number + 1, hours=hour)
        events.append(
            f'[[events]]\nid = "e{number}"\nsummary = "E{number}"\nstart = {start.isoformat()}\nduration = "1h"'
        )
    return HEAD + "\n".join(events)


class World:
    """The product in one process; the receiver fails one time in seven."""

    def __init__(self, folder: Path) -> None:
        self.now = BEGIN
        self.path = folder / "events.toml"
        self.path.write_text(source(BEGIN, 0))
        self.ledger = Ledger(f"sqlite:///{folder / 'calfeed.db'}")
        self.ledger.upgrade()
        self.publisher = Publisher(self.path, self.ledger, clock=lambda: self.now)
        self.publisher.reload()
        self.taken: Counter[str] = Counter()
        self.asked = 0
        self.deliverer = Deliverer(
            self.ledger,
            lambda: self.targets,
            transport=self,
            driver=driver,
            clock=lambda: self.now,
            threads=2,
        )
        self.targets = {"hook": Target(url="https://example.org/hook", secret=None)}
        app = create_app(self.publisher, self.ledger, Settings(events=self.path), clock=lambda: self.now)
        self.feeds = FastFeeds(app.wsgi_app, self.publisher, app.extensions["calfeed"].polls)

    def send(self, request: Request) -> Answer:
        self.asked += 1
        if self.asked % 7 == 0:
            return Answer(status=503, body=b"")
        self.taken[request.headers["webhook-id"]] += 1
        return Answer(status=200, body=b"ok")

    def poll(self, number: int) -> None:
        """A client of many, with a query of its own."""
        environ = {"PATH_INFO": "/feeds/all.ics", "REQUEST_METHOD": "GET", "QUERY_STRING": f"q=e{number % 97}",
                   "HTTP_USER_AGENT": f"client/{number}"}  # fmt: skip
        self.feeds(environ, lambda *_: None)

    def step(self, number: int) -> None:
        self.now += STEP
        self.path.write_text(source(self.now, number))
        self.publisher.reload()
        self.ledger.beat(self.now, ticked=True)
        midnight = self.now
        for hours in (2, 3, 24.5, 25.5):  # a day before an event, an hour before it; each with a second try
            self.now = midnight + timedelta(hours=hours)
            self.deliverer.tick()
        self.now = midnight
        self.poll(number)
        if number % 10 == 0:
            self.ledger.prune(self.now)

    def rows(self) -> dict[str, int]:
        with self.ledger.database.read() as connection:
            return {
                name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in metadata.tables.items()
            }


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """In memory where there is such a folder: a year of commits would wait for the disk most of its time."""
    memory = Path("/dev/shm")  # no file is left there
    folder = Path(mkdtemp(dir=memory if memory.is_dir() else tmp_path))
    made = World(folder)
    yield made
    made.deliverer.stop()
    made.ledger.close()
    rmtree(folder)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class Lines(logging.Handler):
    """Counts log lines."""

    count = 0

    def emit(self, _: logging.LogRecord) -> None:
        self.count += 1


def test_two_years_leave_no_more_behind_than_one(world: World) -> None:
    """Once what is older than 400 days is dropped, rows, memory, descriptors and log lines grow no further."""
    lines = Lines()
    logging.getLogger("calfeed").addHandler(lines)
    steps = int(timedelta(days=DAYS) / STEP)
    seen: list[dict[str, Any]] = []
    for number in range(steps):
        if number == steps // 2:
            tracemalloc.start(1)
        world.step(number)
        if number in {steps * 3 // 4, steps - 1}:
            gc.collect()
            world.ledger.prune(world.now)
            memory = tracemalloc.get_traced_memory()[0]
            seen.append({"rows": world.rows(), "memory": memory, "files": descriptors(), "lines": lines.count})
    tracemalloc.stop()
    logging.getLogger("calfeed").removeHandler(lines)
    before, after = seen
    grown = {name: (before["rows"][name], count) for name, count in after["rows"].items()
             if name != "revision" and count > before["rows"][name] * 1.1 + 20}  # fmt: skip
    assert grown == {}
    assert after["rows"]["revision"] < 2 * DAYS  # one of each event that ever was, and the year's changes
    assert after["memory"] < before["memory"] * 1.3 + 2_000_000
    assert after["files"] <= before["files"] + 5
    assert after["lines"] < 12 * steps
    audit = world.ledger.audit(world.now)
    assert [one for one in audit.findings if one.delivery] == []
    repeated = sum(count - 1 for count in world.taken.values())
    print(f"{len(world.taken)} reminders, lost 0, repeated {repeated}")
    assert repeated == 0
    assert len(world.taken) >= steps
