"""What lies between calfeed and PostgreSQL: cut in the middle of a claim or of a settlement, and silent. Counted.

A proxy of this test's own stands between `calfeed` and a real server. It cuts with a reset, or goes on taking what
comes and answers nothing, as a firewall that has forgotten the connection: neither end hears of it.
"""

from __future__ import annotations

import re
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from calfeed.deliver.deliverer import ROOM
from calfeed.events.parse import load
from calfeed.ledger import Ledger, State

pytestmark = pytest.mark.slow

SOURCE = (Path(__file__).parent / "desk.toml").read_text(encoding="utf-8")
EVENT = '\n[[events]]\nid = "event-{}"\nsummary = "Event {}"\nstart = {}\nduration = "1h"\n'
COUNT = 300
CLAIM, SETTLE = rb"UPDATE delivery SET .*attempt=\(delivery\.attempt", rb"INSERT INTO attempt"
RESET = struct.pack("ii", 1, 0)


class Pair(threading.Thread):
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, client: socket.socket) -> None:
        super().__init__(daemon=True)
        self.proxy = proxy
        self.client = client
        self.server = socket.socket(socket.AF_UNIX)
        self.server.connect(proxy.path)
        self.silent = proxy.silent
        self.seen = b""  # of this transaction
        self.wanted = ""  # where to act, once its transaction is the one
        self.cutting = threading.Event()

    def run(self) -> None:
        with self.client, self.server, suppress(OSError):
            while not self.cutting.is_set():
                for end in select.select([self.client, self.server], [], [], 0.02)[0]:
                    data = end.recv(65536)
                    if not data:
                        self.cutting.set()
                    elif not self.silent:
                        (self._up if end is self.client else self._down)(data)
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    def _up(self, data: bytes) -> None:
        self.seen += data
        ends = b"COMMIT" in data
        if self.proxy.wanted and re.search(self.proxy.wanted[0][0], self.seen, re.DOTALL):
            place = self.proxy.wanted[0][1]
            if place == "statement" or (place == "commit" and ends):
                self.proxy.acts()
                return
            self.wanted = "answer" if ends else ""
        if ends:
            self.seen = b""
        self.server.sendall(data)

    def _down(self, data: bytes) -> None:
        if self.wanted:
            self.wanted = ""
            self.proxy.acts()
        else:
            self.client.sendall(data)


class Proxy:
    """Before a server's socket; acts in each transaction and at each place that are ``wanted``, one after the other.

    A statement is known by its words, so it must be new to its connection: later it goes by a name.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.silent = False
        self.wanted: list[tuple[bytes, str]] = []
        self.acted = 0
        self.act: Callable[[], None] = self.cut
        self.pairs: list[Pair] = []
        self.closing = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = ""
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self) -> None:
        while not self.closing:
            if select.select([self.listener], [], [], 0.1)[0]:
                self.pairs.append(Pair(self, self.listener.accept()[0]))
                self.pairs[-1].start()

    def acts(self) -> None:
        self.wanted.pop(0)
        self.act()
        self.acted += 1

    def cut(self) -> None:
        """Resets every connection."""
        for pair in list(self.pairs):
            pair.cutting.set()

    def swallow(self) -> None:
        """Takes everything from now on, of new connections too, and passes nothing on."""
        self.silent = True
        for pair in list(self.pairs):
            pair.silent = True

    def restore(self) -> None:
        """New connections are served again; the old ones stay as they are, for ever."""
        self.silent = False

    def close(self) -> None:
        self.closing = True
        self.cut()
        for one in (self.thread, *self.pairs):
            one.join(timeout=10)
        self.listener.close()


@pytest.fixture
def proxy(postgresql_url: str) -> Iterator[Proxy]:
    """A statement may take two seconds, so that whoever hears nothing for seven gives up."""
    parts = urlsplit(postgresql_url)
    made = Proxy(f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432")
    patience = "connect_timeout=2&options=-c%20statement_timeout%3D2000"
    made.url = f"postgresql://postgres@127.0.0.1:{made.port}{parts.path}?{patience}"
    yield made
    made.close()


@pytest.fixture
def programs(program: Callable[..., Any], proxy: Proxy, receiver: Any) -> tuple[Any, Any]:
    """(web, reminders) behind the proxy; the receiver takes a tenth of a second for each message."""
    receiver.answer = slowly
    env = {"HOOK_URL": receiver.url, "CALFEED_DATABASE_URL": proxy.url}
    return program("serve", **env), program("remind", **env)


@pytest.fixture
def ledger(tmp_path: Path, postgresql_url: str) -> Iterator[Ledger]:
    """The same database by another way, with `COUNT` reminders that fell due ten seconds ago."""
    now = datetime.now(UTC).replace(microsecond=0)
    start = (now + timedelta(hours=1) - timedelta(seconds=10)).isoformat()
    (tmp_path / "events.toml").write_text(SOURCE + "".join(EVENT.format(n, n, start) for n in range(COUNT)))
    with Ledger(postgresql_url) as made:
        made.upgrade()
        made.publish(load([("events.toml", (tmp_path / "events.toml").read_bytes())]), now - timedelta(hours=1))
        made.plan(["hook"], now - timedelta(hours=1))
        yield made


def all_sent(ledger: Ledger) -> bool:
    return ledger.stats(datetime.now(UTC)).count(State.SENT) == COUNT


def check(ledger: Ledger, receiver: Any, at_most: int, told: str) -> None:
    """None lost; what came twice came under one id; the audit agrees."""
    ids: dict[str, set[str]] = {}
    for taken in receiver.taken:
        ids.setdefault(taken.json["data"]["event"]["id"], set()).add(taken.headers["webhook-id"])
    lost, repeated = COUNT - len(ids), len(receiver.taken) - len(ids)
    print(f"{told}: {COUNT} reminders, lost {lost}, repeated {repeated} of at most {at_most}")
    assert (lost, {len(found) for found in ids.values()}) == (0, {1})
    assert repeated <= at_most
    audit = ledger.audit(datetime.now(UTC))
    assert (audit.findings, audit.outcomes) == ((), {"sent": COUNT})


def slowly(_: Any) -> tuple[int, bytes]:
    time.sleep(0.1)
    return 200, b"ok"


def test_a_line_that_is_cut_in_the_middle_of_a_claim_or_a_settlement(
    programs: tuple[Any, Any], proxy: Proxy, ledger: Ledger, receiver: Any, until: Callable[..., Any]
) -> None:
    """At the statement, before the commit, and after the commit but before its answer: nothing is repeated."""
    proxy.wanted += product((CLAIM, SETTLE), ("statement", "commit", "answer"))
    remind = programs[1].start()
    until(lambda: proxy.acted == 6, 60, lambda: remind.log)
    until(lambda: all_sent(ledger), 120, lambda: remind.log)
    assert remind.process.poll() is None
    check(ledger, receiver, 0, f"the line cut, {proxy.acted} times")


def test_a_line_that_goes_silent(
    programs: tuple[Any, Any], proxy: Proxy, ledger: Ledger, receiver: Any, until: Callable[..., Any]
) -> None:
    """In the middle of a settlement and a claim. Who waits gives up; feeds are served all the while.

    The operator's monitoring asks eight at a time for what the database alone knows, and does not use up the threads.
    """
    proxy.act = proxy.swallow
    web, remind = programs
    web.start().ready()
    proxy.wanted.append((SETTLE + b".*" + CLAIM, "answer"))
    remind.start()
    until(lambda: proxy.acted, 60, lambda: remind.log)
    noticed = len(remind.log)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(requests.get, f"{web.url}/readyz", timeout=60) for _ in range(8)]
        until(lambda: "trying again" in remind.log[noticed:], 60, lambda: remind.log)
        found = [web.get("/feeds/all.ics").status_code for _ in range(20)]
        assert (found, {one.result().status_code for one in asked}) == ([200] * 20, {503})
    proxy.restore()
    until(lambda: all_sent(ledger), 120, lambda: remind.log)
    until(lambda: web.get("/readyz").status_code == 200, 60, lambda: web.log)
    check(ledger, receiver, ROOM, "the line silent")
