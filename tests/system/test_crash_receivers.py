"""Receivers at their worst: they hang, reset, redirect, babble, send a gigabyte; one that is well waits for none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from calfeed.channels.base import Target
from calfeed.channels.registry import driver
from calfeed.channels.transport import LIMIT, HttpTransport
from calfeed.deliver import Deliverer
from calfeed.events.model import Calendar, Catalog, Channel, Duration, Event, Feed, Text
from calfeed.ledger import Ledger, State

pytestmark = pytest.mark.slow

START = datetime(2024, 5, 12, 2, tzinfo=UTC)
EACH = 30
NAME = Text((("en", "Desk"),))

Behave = Callable[[socket.socket], Any]


def read(connection: socket.socket) -> None:
    """The whole request: what closes with bytes unread resets the connection."""
    held = b""
    while b"\r\n\r\n" not in held:
        held += connection.recv(65536)
    head, _, body = held.partition(b"\r\n\r\n")
    size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < size:
        body += connection.recv(65536)


def hang(connection: socket.socket) -> None:
    read(connection)
    connection.settimeout(30)
    with suppress(OSError):
        while connection.recv(65536):
            pass


def reset(connection: socket.socket) -> None:
    read(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close() then sends RST


def redirect(connection: socket.socket) -> None:
    read(connection)
    connection.sendall(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )


def babble(connection: socket.socket) -> None:
    read(connection)
    connection.sendall(bytes(range(256)) * 16)


def drip(connection: socket.socket) -> None:
    """An answer that never ends, a byte at a time."""
    read(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    with suppress(OSError):
        for _ in range(600):
            connection.sendall(b"X")
            threading.Event().wait(0.05)


class Gigabyte:
    """Offers 2**30 bytes, and counts how many are taken off its hands."""

    def __init__(self) -> None:
        self.sent = 0

    def __call__(self, connection: socket.socket) -> None:
        read(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        with suppress(OSError):
            while self.sent < 2**30:
                self.sent += connection.send(b"x" * 65536)


def well(connection: socket.socket) -> None:
    read(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


@pytest.fixture
def serve() -> Iterator[Callable[[Behave], str]]:
    """Opens a port that behaves so; gives its URL."""
    servers: list[socket.socket] = []

    def handle(connection: socket.socket, behave: Behave) -> None:
        with connection, suppress(OSError):
            behave(connection)

    def accept(server: socket.socket, behave: Behave) -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                threading.Thread(target=handle, args=(connection, behave), daemon=True).start()

    def make(behave: Behave) -> str:
        server = socket.create_server(("127.0.0.1", 0), backlog=128)
        servers.append(server)
        threading.Thread(target=accept, args=(server, behave), daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/hook"

    yield make
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def catalog(names: list[str]) -> Catalog:
    events = (
        Event(id=f"e{n}", uid=f"uid-{n}", summary=NAME, start=START, end=START + timedelta(hours=1), timezone="UTC")
        for n in range(EACH)
    )
    before = (Duration(seconds=3600),)
    return Catalog(
        calendar=Calendar(id="desk", name=NAME, timezone="UTC"),
        events=tuple(events),
        feeds=(Feed(id="all", name=NAME),),
        channels=tuple(Channel(id=name, kind="webhook", url=f"env:{name}", before=before) for name in names),
    )


def test_receivers_at_their_worst(tmp_path: Path, serve: Callable[[Behave], str]) -> None:
    gigabyte = Gigabyte()
    behaviours: dict[str, Behave] = {
        "babbles": babble,
        "drips": drip,
        "gigabyte": gigabyte,
        "hangs": hang,
        "redirects": redirect,
        "resets": reset,
        "well": well,
    }
    targets = {name: Target(url=serve(behave)) for name, behave in behaviours.items()}
    targets["nobody"] = Target(url="http://127.0.0.1:1/hook")
    now = [START - timedelta(days=1)]
    with Ledger(f"sqlite:///{tmp_path / 'calfeed.db'}") as ledger:
        ledger.upgrade()
        ledger.publish(catalog(sorted(targets)), now[0])
        transport = HttpTransport(connect=1, total=2)
        deliverer = Deliverer(ledger, lambda: targets, transport=transport, driver=driver, clock=lambda: now[0])
        deliverer.tick()
        now[0] = START - timedelta(hours=1)
        for _ in range(6):
            deliverer.tick()
        found = {name: {one.state for one in ledger.deliveries(channel=name)} for name in targets}
        assert found["well"] == {State.SENT}, "all thirty, within the turns that others' time-outs take"
        assert State.SENT not in {
            state for name, some in found.items() if name not in {"well", "gigabyte"} for state in some
        }
        deliverer.stop()
        told = {name: {one.last_error for one in ledger.deliveries(channel=name) if one.last_error} for name in targets}
        stats = ledger.stats(now[0])
    assert told == {
        "babbles": {"the connection broke, or what came was not HTTP"},
        "drips": {"no whole answer within the time-out"},
        "gigabyte": set(),
        "hangs": {"no whole answer within the time-out"},
        "nobody": {"the connection failed"},
        "redirects": {"answered 302: redirects are not followed, set the final URL"},
        "resets": {"the connection broke, or what came was not HTTP"},
        "well": set(),
    }
    sent = stats.deliveries[("gigabyte", "sent")]
    assert gigabyte.sent < sent * 16 * 2**20, (
        f"of {sent} answers little more was taken than {LIMIT} bytes and what buffers hold"
    )
    print(
        f"receivers: {stats.count(State.SENT)} sent, {stats.attempts.get('retry', 0)} tries failed, lost 0, repeated 0"
    )
