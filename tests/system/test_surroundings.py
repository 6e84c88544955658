"""Bad surroundings, in real processes: what fails is said, what was good goes on being served, nothing is lost."""

from __future__ import annotations

import json
import resource
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

SOURCE = """
[calendar]
id = "desk"
name = "Desk"
timezone = "Asia/Shanghai"

[[events]]
id = "talks"
summary = "Talks"
start = 2024-05-16T10:00:00
"""
HOOK = """
[[channels]]
id = "hook"
kind = "webhook"
url = "env:HOOK_URL"
before = ["1h"]
"""
TOKEN = "planted-operator-token"
Programs = Callable[..., Any]
Until = Callable[..., Any]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "events.toml"
    path.write_text(SOURCE)
    return path


def soon() -> str:
    """An event whose reminder by the hour has just fallen due."""
    start = datetime.now(UTC) + timedelta(minutes=59, seconds=50)
    return f'[[events]]\nid = "e"\nsummary = "E"\nstart = {start.isoformat(timespec="seconds")}\n'


def edit(source: Path, title: str) -> None:
    source.write_text(SOURCE.replace("Talks", title))


def served(program: Any) -> str:
    answer = program.get("/feeds/all.ics")
    assert answer.status_code == 200
    text: str = answer.text
    return text


def quiet(program: Any, *, most: int = 60) -> None:
    """No traceback, and no line again and again."""
    assert "Traceback" not in program.log
    assert len(program.log.splitlines()) < most


def connection(program: Any, octets: bytes = b"", address: str = "127.0.0.1") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", program.port), timeout=15, source_address=(address, 0))
    made.sendall(octets)
    return made


def test_a_full_disk_keeps_the_feed_and_takes_the_edit_later(program: Programs, source: Path, until: Until) -> None:
    running = program("up").start().ready()
    workers = _tree(running.process.pid)
    for pid in workers:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    with (source.parent / "full").open("wb"):
        edit(source, "Later")
    time.sleep(3)
    assert "SUMMARY:Talks" in served(running)
    assert running.get("/readyz").status_code in {200, 503}
    for pid in workers:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    until(lambda: "SUMMARY:Later" in served(running), 60, lambda: running.log)
    assert running.stop() == 0
    quiet(running)


def test_a_locked_database_keeps_the_feed_and_takes_the_edit_later(
    program: Programs, source: Path, until: Until
) -> None:
    running = program("serve").start().ready()
    other = sqlite3.connect(source.parent / "calfeed.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    edit(source, "Later")
    until(lambda: "database is locked" in running.log, 60, lambda: running.log)
    assert "SUMMARY:Talks" in served(running)
    other.execute("ROLLBACK")
    other.close()
    until(lambda: "SUMMARY:Later" in served(running), 60, lambda: running.log)
    quiet(running)


def test_a_damaged_database_is_said_and_the_feed_stays(program: Programs, source: Path, until: Until) -> None:
    """Overwritten in the middle of its use: readiness says so, the feed goes on; no start until a copy is put back."""
    running = program("serve").start().ready()
    source.write_text(SOURCE.replace("T10:00", "T11:00"))
    until(lambda: "SEQUENCE:1" in served(running), 60, lambda: running.log)
    before = served(running)
    database, kept = source.parent / "calfeed.db", source.parent / "copy.db"
    with sqlite3.connect(database) as opened, sqlite3.connect(kept) as copy:
        opened.backup(copy)
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.close()
    copy.close()
    with database.open("r+b") as file:
        file.write(b"no database at all " * 4000)
    edit(source, "Later")
    until(lambda: "the last good state stays in use" in running.log, 60, lambda: running.log)
    assert served(running) == before
    until(lambda: running.get("/readyz").status_code == 503, 60, lambda: running.log)
    quiet(running)
    running.stop()
    for command in ("serve", "up", "remind", "upgrade"):
        said = len(running.log)
        assert program(command).start().process.wait(timeout=60) == 1
        (line,) = running.log[said:].splitlines()
        assert line.startswith("the database refused: file is not a database: put back a copy, or move the file aside")
    for name in ("calfeed.db", "calfeed.db-wal", "calfeed.db-shm"):
        (source.parent / name).unlink(missing_ok=True)
    kept.rename(database)
    source.write_text(SOURCE.replace("T10:00", "T12:00"))
    assert "SEQUENCE:2" in served(program("serve").start().ready())


def test_a_read_only_folder_is_said_at_start(program: Programs, source: Path, tmp_path: Path) -> None:
    """A database that cannot be made ends the start with one line: what is wrong, and what to look at."""
    running = program("up", CALFEED_DATABASE_URL="sqlite:////proc/calfeed.db").start()
    assert running.process.wait(timeout=60) == 1
    assert running.log == (
        "the database is locked, full or away: unable to open database file: "
        "does /proc exist, with room, and may this user write there, calfeed.db included?\n"
    )
    quiet(running)


def test_no_database_server_at_start_is_waited_for(
    program: Programs, source: Path, postgresql_url: str, until: Until
) -> None:
    """The web answers 503 with the reason until the database is there, then serves without a restart."""
    running = program("serve", CALFEED_DATABASE_URL=postgresql_url).start().ready()
    assert (running.get("/feeds/all.ics").status_code, running.get("/readyz").status_code) == (503, 503)
    upgrade = program("upgrade", CALFEED_DATABASE_URL=postgresql_url).start()
    assert upgrade.process.wait(timeout=60) == 0
    until(lambda: running.get("/feeds/all.ics").status_code == 200, 60, lambda: running.log)


def test_a_source_that_is_gone_halved_or_unreadable_cancels_nothing(
    program: Programs, source: Path, until: Until
) -> None:
    running = program("serve").start().ready()
    before = served(running)
    for bad in (b"", SOURCE.encode()[:60], b"\0" * 100):
        source.write_bytes(bad)
        until(lambda: running.get("/readyz").json()["status"] == "degraded", 60, lambda: running.log)
        assert served(running) == before
        source.write_text(SOURCE)
        until(lambda: running.get("/readyz").json()["checks"]["source"]["status"] == "ok", 60, lambda: running.log)
    source.unlink()
    until(lambda: "cannot be read: No such file" in running.log, 60, lambda: running.log)
    assert served(running) == before
    source.mkdir()
    until(lambda: "holds no *.toml" in running.log, 60, lambda: running.log)
    source.rmdir()
    edit(source, "Back")
    until(lambda: "SUMMARY:Back" in served(running), 60, lambda: running.log)
    assert "STATUS:CANCELLED" not in served(running)
    quiet(running)


def test_out_of_file_descriptors_and_back(program: Programs, source: Path, until: Until) -> None:
    """A flood of connections uses them up; once it is over the server answers and has the edit made meanwhile."""
    running = program("serve").start().ready()
    for pid in _tree(running.process.pid):
        used = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 8, used + 8))
    flood = [connection(running) for _ in range(60)]
    edit(source, "Later")
    time.sleep(2)
    for one in flood:
        one.close()
    until(lambda: _tries(lambda: "SUMMARY:Later" in served(running)), 60, lambda: running.log)
    assert "Traceback" not in running.log


def test_slow_clients_keep_nobody_out(program: Programs, source: Path, until: Until) -> None:
    """Hundreds of idle connections, of headers that drip and of bodies that are silent or drip; then a burst."""
    running = program("serve", CALFEED_ADMIN_TOKEN=TOKEN).start().ready()
    held = [connection(running) for _ in range(100)]
    held += [connection(running, b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ") for _ in range(100)]
    crowd = [f"127.0.0.{number}" for number in range(1, 9)]
    with silent_bodies(running, crowd) as let_go:
        for path in ("/feeds/all.ics", "/", "/api/v1/events", "/healthz"):
            assert running.get(path).status_code == 200
        until(lambda: set(let_go) == set(crowd), 60, lambda: (let_go, running.log))
        honest = [signed_in(running, f"127.0.1.{number}") for number in range(100)]
        assert honest == [b"HTTP/1.1 400"] * 100  # heard, and wrong: its form has no mark of the sign-in page
    assert held[100].recv(100) == b""  # a client that takes ten seconds over its headers is let go
    burst = [connection(running, b"GET /feeds/all.ics HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(300)]
    answers = [one.recv(12) for one in burst]
    assert answers == [b"HTTP/1.1 200"] * 300
    for one in held + burst:
        one.close()
    print(f"{600 + len(let_go)} connections, lost 0, repeated 0")
    assert running.stop() == 0


POST = b"POST /status/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@contextmanager
def silent_bodies(running: Any, addresses: list[str]) -> Iterator[list[str]]:
    """Two clients an address that send a body an octet at a time, and begin anew when they are let go, as is noted."""
    let_go: list[str] = []
    done = threading.Event()

    def keep_trying(address: str) -> None:
        while not done.is_set():
            with connection(running, POST + b"Content-Length: 900\r\n\r\n", address) as one, suppress(OSError):
                one.settimeout(0.2)
                if _answer_to_drops(one, done).startswith(b"HTTP/1.1 408"):
                    let_go.append(address)

    threads = [threading.Thread(target=keep_trying, args=(address,)) for address in addresses * 2]
    for one in threads:
        one.start()
    try:
        yield let_go
    finally:
        done.set()
        for one in threads:
            one.join()


def _answer_to_drops(one: socket.socket, done: threading.Event) -> bytes:
    while not done.is_set():
        one.send(b"a")
        with suppress(TimeoutError):
            return one.recv(1000)
    return b""


def signed_in(running: Any, address: str) -> bytes:
    """The status line of an honest attempt."""
    with connection(running, POST + b"Content-Length: 7\r\n\r\ntoken=x", address) as one:
        return one.recv(12)


@pytest.mark.parametrize("seconds", [0.05, 0.4, 0.9, 1.4, 2.5])
def test_sigterm_in_every_phase_of_a_start(program: Programs, source: Path, seconds: float) -> None:
    """While it imports, migrates, publishes or serves: it ends at once, and the next start finds all in order."""
    running = program("up").start()
    time.sleep(seconds)
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(timeout=10) in {0, 1, -signal.SIGTERM}
    quiet(running)
    again = program("up").start().ready()
    assert "SUMMARY:Talks" in served(again)
    assert again.stop() == 0


def test_sigterm_under_slow_receivers_and_slow_clients(
    program: Programs, source: Path, overdue: Callable[[str], None], receiver: Any, until: Until
) -> None:
    """Web, reminders and several workers stop beside each other: ten seconds for all, and what hung is given back."""
    receiver.answer = lambda _: (time.sleep(30), (200, b"ok"))[1]
    overdue(SOURCE + HOOK + soon())
    env = {"HOOK_URL": receiver.url, "WEB_CONCURRENCY": "2", "CALFEED_ADMIN_TOKEN": TOKEN}
    running = program("up", **env).start().ready()
    until(lambda: receiver.taken, 60, lambda: running.log)
    post = b"POST /status/sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\na"
    held = [connection(running, post) for _ in range(8)]
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(timeout=10) == 0
    for one in held:
        one.close()
    assert [state for state, _ in _reminders(source)] == ["pending"]
    print("1 reminder, lost 0, repeated 0")


def test_no_name_server_loses_no_reminder(
    program: Programs, source: Path, overdue: Callable[[str], None], until: Until
) -> None:
    """A host that does not resolve: the reminder waits for its next try, and the log names no address."""
    overdue(SOURCE + HOOK + soon())
    running = program("up", HOOK_URL="https://planted-secret-host.invalid/planted-secret-path").start().ready()
    until(lambda: "retry" in running.log, 60, lambda: running.log)
    assert "planted-secret" not in running.log
    until(lambda: _reminders(source) == [("pending", 1)], 60, lambda: _reminders(source))
    assert running.stop() == 0


def test_secrets_stand_nowhere(
    program: Programs, source: Path, overdue: Callable[[str], None], receiver: Any, until: Until
) -> None:
    """Not in logs, errors, metrics, status, JSON, the process list, nor in any file that calfeed wrote."""
    hook = f"{receiver.url}/planted-hook-secret"
    hooked = HOOK.replace('HOOK_URL"', 'HOOK_URL"\nsecret = "env:HOOK_KEY"')
    overdue(SOURCE + hooked + soon() + '[[feeds]]\nid = "crew"\nname = "Crew"\nvisibility = "private"\n')
    receiver.answer = lambda _: (400, hook.encode())
    secrets = {"HOOK_URL": hook, "HOOK_KEY": "whsec_cGxhbnRlZC1zaWduaW5nLWtleS1wbGFudGVk", "CALFEED_ADMIN_TOKEN": TOKEN}
    running = program("up", **secrets).start().ready()
    token = json.loads(running.said("token", "make", "crew", "--json"))["token"]
    assert running.get(f"/private/{token}/crew.ics").status_code == 200
    assert running.get(f"/private/{token}x/crew.ics").status_code == 404
    running.get("/api/v1/deliveries", Authorization="Bearer planted-wrong-token")
    until(lambda: "rejected" in running.log or "retry" in running.log, 60, lambda: running.log)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    pages = ["/", "/status", "/metrics", "/readyz", "/api/v1/deliveries", "/api/v1/channels", "/api/v1/events", "/none"]
    said = "".join(running.get(path, **bearer).text for path in pages)
    said += "".join(Path(f"/proc/{pid}/cmdline").read_text() for pid in _tree(running.process.pid))
    said += running.said("deliveries", "list", "--json")
    assert running.stop() == 0
    written = b"".join(
        path.read_bytes() for path in source.parent.iterdir() if path.name != "events.toml" and path.is_file()
    )
    for secret in ("planted-hook-secret", secrets["HOOK_KEY"][6:], TOKEN, token, "planted-wrong-token"):
        assert secret not in said, secret
        assert secret.encode() not in written, secret
    print("5 secrets, lost 0, repeated 0")


def _reminders(source: Path) -> list[tuple[str, int]]:
    """(state, tries begun) of each reminder in the ledger beside the source."""
    with sqlite3.connect(source.parent / "calfeed.db") as database:
        rows = database.execute("SELECT state, attempt FROM delivery WHERE kind = 'reminder'").fetchall()
    database.close()
    return rows


def _tree(pid: int) -> list[int]:
    """A process and its children."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += _tree(int(child))
    return found


def _tries(ask: Callable[[], bool]) -> bool:
    try:
        return ask()
    except OSError:
        return False
