"""Reminders under kill -9, stopped processes, cut connections, full disks and jumping clocks: counted, nothing is lost.

Real processes of `calfeed remind` on a real database, and a receiver that keeps all it takes. Every reminder is planned
and due before they start, so that no test waits for the clock; it is an hour until the events begin.
"""

from __future__ import annotations

import random
import resource
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from calfeed.deliver.deliverer import ROOM
from calfeed.errors import LedgerBusy
from calfeed.events.parse import load
from calfeed.ledger import Ledger, State

pytestmark = pytest.mark.slow

SOURCE = (Path(__file__).parent / "desk.toml").read_text(encoding="utf-8")
EVENT = '\n[[events]]\nid = "event-{}"\nsummary = "Event {}"\nstart = {}\nduration = "1h"\n'


def write(folder: Path, count: int, start: datetime) -> None:
    events = (EVENT.format(n, n, start.isoformat()) for n in range(count))
    (folder / "events.toml").write_text(SOURCE + "".join(events))


class World:
    """A source of ``count`` events whose reminders fell due ten seconds ago, planned an hour before."""

    def __init__(self, folder: Path, url: str, count: int) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        self.count = count
        self.url = url
        self.ledger = Ledger(url)
        self.ledger.upgrade()
        write(folder, count, now + timedelta(hours=1) - timedelta(seconds=10))
        source = load([("events.toml", (folder / "events.toml").read_bytes())])
        self.ledger.publish(source, now - timedelta(hours=1))
        self.ledger.plan(["hook"], now - timedelta(hours=1))

    def sent(self) -> int:
        return self.ledger.stats(datetime.now(UTC)).count(State.SENT)

    def all_sent(self) -> bool:
        return self.sent() == self.count

    def check(self, receiver: Any, at_most: int, told: str) -> None:
        """None lost; what came twice came under one id, and not more than was in flight; the audit agrees."""
        ids: dict[str, set[str]] = {}
        arrived = list(receiver.taken)
        for taken in arrived:
            ids.setdefault(taken.json["data"]["event"]["id"], set()).add(taken.headers["webhook-id"])
        lost, repeated = self.count - len(ids), len(arrived) - len(ids)
        print(f"{told}: {self.count} reminders, lost {lost}, repeated {repeated} of at most {at_most}")
        assert (lost, {len(found) for found in ids.values()}) == (0, {1})
        assert repeated <= at_most
        audit = self.ledger.audit(datetime.now(UTC))
        assert (audit.findings, audit.outcomes) == ((), {"sent": self.count})


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    made = World(tmp_path, database_url, 300)
    yield made
    made.ledger.close()


@pytest.fixture
def remind(program: Callable[..., Any], database_url: str, receiver: Any) -> Callable[[], Any]:
    """Starts one more reminder process on the world's database."""
    return lambda: program("remind", HOOK_URL=receiver.url, CALFEED_DATABASE_URL=database_url).start()


def slow(seconds: float) -> Callable[[Any], tuple[int, bytes]]:
    def answer(_: Any) -> tuple[int, bytes]:
        time.sleep(seconds)
        return 200, b"ok"

    return answer


def test_kill_9_at_random_moments(
    world: World, remind: Callable[[], Any], receiver: Any, until: Callable[..., Any]
) -> None:
    """Two processes; four times one of them is killed in the middle of its work and started anew."""
    chance = random.Random(4)
    receiver.answer = slow(0.1)
    running = [remind(), remind()]
    kills = 0
    for share in (0.1, 0.3, 0.5, 0.7):
        until(lambda share=share: len(receiver.taken) >= share * world.count, 60, lambda: running[0].log)
        time.sleep(chance.random() * 0.3)
        victim = chance.randrange(2)
        running[victim].kill()
        kills += 1
        running[victim] = remind()
    until(world.all_sent, 60, lambda: running[0].log)
    world.check(receiver, kills * ROOM, f"kill -9, {kills} times")


def test_both_killed_at_once_and_restarted(
    world: World, remind: Callable[[], Any], receiver: Any, until: Callable[..., Any]
) -> None:
    receiver.answer = slow(0.1)
    for share in (0.2, 0.6):
        running = [remind(), remind()]
        until(lambda share=share: len(receiver.taken) >= share * world.count, 60)
        for one in running:
            one.kill()
    last = remind()
    until(world.all_sent, 60, lambda: last.log)
    world.check(receiver, 4 * ROOM, "kill -9 of both, twice")


def test_a_process_stopped_through_its_lease(
    world: World, remind: Callable[[], Any], receiver: Any, until: Callable[..., Any]
) -> None:
    """SIGSTOP in the middle of its work; another takes over; awake again it overwrites nothing, sends nothing more."""
    receiver.answer = slow(0.1)
    sleeper = remind()
    until(lambda: len(receiver.taken) >= 50, 60, lambda: sleeper.log)
    until(lambda: stopped_without_a_lock(sleeper, world), 60)
    other = remind()
    until(world.all_sent, 60, lambda: other.log)
    sleeper.process.send_signal(signal.SIGCONT)
    assert sleeper.stop() == 0
    world.check(receiver, ROOM, "SIGSTOP through a lease")


def stopped_without_a_lock(sleeper: Any, world: World) -> bool:
    """Stops the process and ends its leases; one that was caught in a transaction is woken, to be caught elsewhere."""
    sleeper.process.send_signal(signal.SIGSTOP)
    time.sleep(0.3)  # what is under way at the receiver comes to its end
    try:
        with Ledger(world.url, busy_seconds=0.3) as ledger, ledger.database.write() as connection:
            connection.execute(text("UPDATE delivery SET lease_until = due WHERE state = 'sending'"))
    except LedgerBusy:
        sleeper.process.send_signal(signal.SIGCONT)
        return False
    return True


def test_a_stop_gives_back_what_was_not_sent(
    world: World, remind: Callable[[], Any], receiver: Any, until: Callable[..., Any]
) -> None:
    """SIGTERM: no repeat at all, and the next process goes on at once."""
    receiver.answer = slow(0.1)
    first = remind()
    until(lambda: len(receiver.taken) >= 50, 60, lambda: first.log)
    assert first.stop() == 0
    assert world.ledger.deliveries(state="sending") == []
    second = remind()
    until(world.all_sent, 60, lambda: second.log)
    world.check(receiver, 0, "SIGTERM")


def test_connections_to_the_server_cut_in_the_middle(
    program: Callable[..., Any], tmp_path: Path, postgresql_url: str, receiver: Any, until: Callable[..., Any]
) -> None:
    """As by a restart of PostgreSQL, five times: what was claimed is settled, or sent again under its id."""
    world = World(tmp_path, postgresql_url, 300)
    receiver.answer = slow(0.1)
    running = [program("remind", HOOK_URL=receiver.url, CALFEED_DATABASE_URL=postgresql_url).start() for _ in range(2)]
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        for share in (0.1, 0.25, 0.4, 0.55, 0.7):
            until(lambda share=share: len(receiver.taken) >= share * world.count, 60, lambda: running[0].log)
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
    until(world.all_sent, 60, lambda: running[0].log)
    assert [one.process.poll() for one in running] == [None, None]
    world.check(receiver, 0, "connections cut, 5 times")
    world.ledger.close()


def test_a_locked_database_is_waited_for(
    program: Callable[..., Any], tmp_path: Path, receiver: Any, until: Callable[..., Any]
) -> None:
    world = World(tmp_path, f"sqlite:///{tmp_path / 'calfeed.db'}", 50)
    other = sqlite3.connect(tmp_path / "calfeed.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    running = program("remind", HOOK_URL=receiver.url).start()
    until(lambda: "database is locked" in running.log, 60, lambda: running.log)
    assert receiver.taken == []
    other.execute("ROLLBACK")
    other.close()
    until(world.all_sent, 60, lambda: running.log)
    world.check(receiver, 0, "a locked database")
    world.ledger.close()


def rests(receiver: Any) -> bool:
    """Whether nothing more comes for two seconds."""
    before = len(receiver.taken)
    time.sleep(2)
    return len(receiver.taken) == before


def test_a_full_disk_stops_sending_and_loses_nothing(
    program: Callable[..., Any], tmp_path: Path, receiver: Any, until: Callable[..., Any]
) -> None:
    """What cannot be written down is not sent; what was under way is settled once there is room."""
    world = World(tmp_path, f"sqlite:///{tmp_path / 'calfeed.db'}", 400)
    receiver.answer = slow(0.1)
    running = program("remind", HOOK_URL=receiver.url).start()
    until(lambda: len(receiver.taken) >= 50, 60, lambda: running.log)
    unlimited = resource.RLIM_INFINITY
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (1, unlimited))
    until(lambda: rests(receiver), 60, lambda: running.log)
    assert len(receiver.taken) < world.count
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))
    until(world.all_sent, 60, lambda: running.log)
    world.check(receiver, 0, "a full disk")
    world.ledger.close()


def test_clocks_that_jump(
    program: Callable[..., Any], tmp_path: Path, receiver: Any, until: Callable[..., Any], faketime: dict[str, str]
) -> None:
    """A clock put forward by eight days fires what is due by then, within seconds; put back, it fires nothing twice.

    Nor does one that jumps while requests are under way.
    """
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=8, hours=1)
    write(tmp_path, 20, start)

    def jump(offset: str) -> None:
        (tmp_path / "next").write_text(offset)
        (tmp_path / "next").replace(faketime["FAKETIME_TIMESTAMP_FILE"])  # an empty file would be a jump of its own

    receiver.answer = slow(2.0)
    running = program("remind", HOOK_URL=receiver.url, **faketime).start()
    with Ledger(f"sqlite:///{tmp_path / 'calfeed.db'}") as ledger:

        def planned() -> bool:
            return "are running" in running.log and len(ledger.deliveries()) == 20

        until(planned, 60, lambda: running.log)
        assert receiver.taken == []
        jump("+691500")  # 8 days and 5 minutes
        until(lambda: len(receiver.taken) >= 2, 60, lambda: running.log)
        jump("+691560")
        until(lambda: len(receiver.taken) == 20, 60, lambda: running.log)
        jump("-1d")
        (beats,) = [one.seen for one in ledger.processes()]
        until(lambda: [one.seen for one in ledger.processes()] != [beats], 60)
        jump("+691600")
        until(lambda: ledger.processes()[0].seen > beats, 60)
        until(lambda: {one.state for one in ledger.deliveries()} == {State.SENT}, 60, ledger.deliveries)
        assert Counter(one.json["data"]["event"]["id"] for one in receiver.taken).most_common(1)[0][1] == 1
    print("jumping clocks: 20 reminders, lost 0, repeated 0")


@pytest.fixture
def faketime(tmp_path: Path) -> dict[str, str]:
    """The environment of a process whose clock a file sets; its monotonic clock is left alone, as a jump leaves it."""
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    (tmp_path / "clock").write_text("+0")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(tmp_path / "clock"),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
