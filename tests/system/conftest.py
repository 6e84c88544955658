"""Real processes: the installed `calfeed`, in folders and on ports of their own."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import pytest
import requests

from calfeed.events.parse import load
from calfeed.ledger import Ledger

CALFEED = Path(sys.executable).with_name("calfeed")


@dataclass
class Program:
    """A running `calfeed`; what it says goes to a file."""

    args: tuple[str, ...]
    folder: Path
    env: dict[str, str]
    port: int
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> Program:
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [CALFEED, *self.args], cwd=self.folder, env=self.env, stdout=log, stderr=log, start_new_session=True
            )
        return self

    @property
    def log(self) -> str:
        return (self.folder / "log.txt").read_text()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.url + path, headers=headers, timeout=10, allow_redirects=False)

    def ready(self, seconds: float = 60) -> Program:
        until(self._answers, seconds, lambda: self.log)
        return self

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"calfeed ended with {self.process.returncode}:\n{self.log}")
        try:
            return self.get("/healthz").status_code == 200
        except requests.ConnectionError:
            return False

    def said(self, *args: str) -> str:
        """What another command says, run beside this one."""
        run = [CALFEED, *args]
        return subprocess.run(
            run, cwd=self.folder, env=self.env, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=30)


def until(true: Callable[[], Any], seconds: float, why: Callable[[], object] = lambda: "") -> Any:
    """The first true value, asked for until then; fails after ``seconds``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {why()}")


@pytest.fixture(name="until")
def until_() -> Callable[..., Any]:
    return until


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Makes programs in ``tmp_path``; all end with the test, whatever state they are in."""
    made: list[Program] = []

    def make(*args: str, port: int = 0, **env: str) -> Program:
        port = port or free_port()
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PORT": str(port), **env}
        made.append(Program(args, tmp_path, environment, port))
        return made[-1]

    yield make
    for one in made:
        if hasattr(one, "process"):
            one.process.kill()
            one.process.wait()


def free_port() -> int:
    """Outside the range that the system gives to clients: a connection of a test beside this one could take it."""
    for port in random.sample(range(20_000, 32_000), 100):
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


@pytest.fixture
def overdue(tmp_path: Path) -> Callable[[str], None]:
    """Writes a source, and publishes and plans it as an hour ago, so that what is due since then waits for nobody."""

    def write(source: str) -> None:
        now = datetime.now(UTC) - timedelta(hours=1)
        (tmp_path / "events.toml").write_text(source)
        with Ledger(f"sqlite:///{tmp_path / 'calfeed.db'}") as ledger:
            ledger.upgrade()
            ledger.publish(load([("events.toml", source)]), now)
            ledger.plan(["hook"], now)

    return write


@dataclass
class Taken:
    """One request a receiver took, and when."""

    at: float
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Receiver(ThreadingHTTPServer):
    """A local endpoint that keeps what it takes; ``answer`` decides what it says."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.lock = Lock()
        self.answer: Callable[[Taken], tuple[int, bytes]] = lambda _: (200, b"ok")
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if len(body) < int(self.headers["Content-Length"]):  # its sender was killed in the middle
            return
        taken = Taken(time.time(), {key.lower(): value for key, value in self.headers.items()}, body)
        with self.server.lock:
            self.server.taken.append(taken)
        status, said = self.server.answer(taken)
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *args: object) -> None:
        """Silent."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
