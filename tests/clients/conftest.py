"""A real `calfeed up`, and before it a relay that writes down what a desktop client asks and hears."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests

CALFEED = Path(sys.executable).with_name("calfeed")
UNTIL_READY = 20

HEAD = '[calendar]\nid = "desk"\nname = "Desk"\ntimezone = "Europe/Paris"\n'
STAYS = '[[events]]\nid = "stays"\nsummary = "Stays"\nstart = 2031-07-01T09:00:00\nduration = "1h"\n'
MOVES = '[[events]]\nid = "moves"\nsummary = "Moves"\nstart = 2031-07-02T{}:00:00\nduration = "1h"\n'
CANCELLED = '[[events]]\nid = "cancelled"\nsummary = "Is cancelled"\nstart = 2031-07-03\n'
REMOVED = '[[events]]\nid = "removed"\nsummary = "Is removed"\nstart = 2031-07-04T09:00:00\nduration = "1h"\n'
FIRST = HEAD + STAYS + MOVES.format(10) + CANCELLED + REMOVED
EDITED = HEAD + STAYS + MOVES.format(15) + CANCELLED + 'status = "cancelled"\n'


@dataclass(frozen=True)
class Poll:
    """One request for the feed, and the answer to it."""

    if_none_match: str | None
    if_modified_since: str | None
    agent: str
    status: int
    etag: str


class Relay(ThreadingHTTPServer):
    """Passes a client's requests on to ``target`` with their headers, and the answers back as they came."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        self.target = target
        self.polls: list[Poll] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up when it is killed is no fault."""


class _Handler(BaseHTTPRequestHandler):
    server: Relay
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = {key: value for key, value in self.headers.items() if key.lower() not in {"host", "connection"}}
        with requests.get(self.server.target + self.path, headers=asked, timeout=10, stream=True) as answer:
            body = answer.raw.read()  # still compressed, if the client asked for that
        self.send_response_only(answer.status_code)
        for key, value in answer.headers.items():
            if key.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(key, value)
        if answer.status_code != 304:  # which has no body, and no length of one
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/feeds/all.ics":
            self.server.polls.append(self._poll(answer))

    def _poll(self, answer: requests.Response) -> Poll:
        asked = self.headers
        validators = asked["If-None-Match"], asked["If-Modified-Since"]
        return Poll(*validators, asked["User-Agent"], answer.status_code, answer.headers["ETag"])

    def log_message(self, *args: object) -> None:
        """Silent."""


@dataclass
class Desk:
    """Whoever keeps the event list: subscribed to at ``url``, edited by ``write``."""

    folder: Path
    relay: Relay = field(init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.relay.server_port}/feeds/all.ics"

    @property
    def polls(self) -> list[Poll]:
        return list(self.relay.polls)

    def write(self, text: str) -> None:
        """Replaces the list whole, as an editor does."""
        aside = self.folder / "events.new"
        aside.write_text(text)
        aside.replace(self.folder / "events.toml")

    def edit(self) -> None:
        """One event moved, one cancelled, one removed; returns when the feed says so."""
        time.sleep(1.1)  # so that LAST-MODIFIED can differ: it counts whole seconds
        self.write(EDITED)
        feed = self.relay.target + "/feeds/all.ics"
        until(lambda: b"DTSTART;TZID=Europe/Paris:20310702T150000" in requests.get(feed, timeout=10).content, 15)

    def uids(self) -> dict[str, str]:
        """The events' UIDs by their SUMMARY, as they are published now."""
        feed = requests.get(self.relay.target + "/feeds/all.ics", timeout=10).text
        return {_value(piece, "SUMMARY"): _value(piece, "UID") for piece in feed.split("BEGIN:VEVENT")[1:]}


def _value(vevent: str, name: str) -> str:
    (value,) = [line.partition(":")[2] for line in vevent.splitlines() if line.startswith(name)]
    return value


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A served event list of four events, and nobody subscribed to it yet."""
    folder = tmp_path / "calfeed"
    folder.mkdir()
    made = Desk(folder)
    made.write(FIRST)
    port = _free_port()
    target = f"http://127.0.0.1:{port}"
    with running([str(CALFEED), "up"], folder, {"HOME": str(folder), "PORT": str(port)}), Relay(target) as made.relay:
        until(lambda: _answers(target), UNTIL_READY, (folder / "log.txt").read_text)
        Thread(target=made.relay.serve_forever, daemon=True).start()
        yield made
        made.relay.shutdown()


def _answers(url: str) -> bool:
    try:
        return requests.get(url + "/healthz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(args: list[str], folder: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process with nothing of this environment but PATH; it ends with the block, with all that it started."""
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            args, cwd=folder, env={"PATH": os.environ["PATH"], **env}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # not yet waited for, so the group is there
        process.wait()


@pytest.fixture(name="running")
def running_() -> Callable[..., Any]:
    return running


def until(true: Callable[[], Any], seconds: float, why: Callable[[], object] = lambda: "") -> Any:
    """The first true value, asked for until then; fails after ``seconds``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {why()}")


@pytest.fixture(name="until")
def until_() -> Callable[..., Any]:
    return until
