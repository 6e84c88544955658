"""The clockwork turns whatever its jobs and the clock do; the reminder process says that it lives."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import apscheduler.schedulers.base
import pytest
import time_machine

from calfeed.channels.base import Target
from calfeed.errors import LedgerBusy
from calfeed.scheduler import Every, Reminders, Underway, clockwork, guarded
from calfeed.settings import Settings

NOW = datetime(2024, 5, 10, tzinfo=UTC)

SOURCE = """
[calendar]
id = "desk"
name = "Desk"
timezone = "UTC"

[[channels]]
id = "hook"
kind = "webhook"
url = "env:HOOK_URL"
secret = "env:HOOK_SECRET"

[[channels]]
id = "newsroom"
kind = "slack"
url = "env:SLACK_URL"
"""


class Turns:
    """A job that counts its turns and lets a test wait for the next ones."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.count = 0
        self.fault = fault
        self._turned = threading.Condition()

    def __call__(self) -> None:
        with self._turned:
            self.count += 1
            self._turned.notify_all()
        if self.fault is not None:
            raise self.fault

    def more(self, count: int) -> bool:
        with self._turned:
            wanted = self.count + count
            return self._turned.wait_for(lambda: self.count >= wanted, 20)


@pytest.fixture
def start() -> Iterator[Callable[..., None]]:
    """Starts a clockwork that ends with the test."""
    made = []

    def begin(**jobs: Turns) -> None:
        made.append(clockwork({name: (job, 0.05) for name, job in jobs.items()}))
        made[-1].start()

    yield begin
    for one in made:
        one.shutdown()


def test_a_job_that_fails_is_run_again_and_keeps_no_other(start: Callable[..., None]) -> None:
    bad, good = Turns(RuntimeError("broken")), Turns()
    start(bad=bad, good=good)
    assert bad.more(3)
    assert good.more(3)


@pytest.mark.parametrize("jump", [timedelta(days=3650), timedelta(days=-1)], ids=["forward", "back"])
def test_a_clock_that_jumps_stops_no_job(start: Callable[..., None], jump: timedelta) -> None:
    """Ten years forward are one turn, not 300 million; a day back is not a day of silence."""
    job = Turns()
    with time_machine.travel(datetime.now(UTC)) as clock:
        start(job=job)
        assert job.more(2)
        before = job.count
        clock.shift(jump)
        assert job.more(3)
        assert job.count < before + 1000


def test_a_clock_put_back_between_two_looks_stops_no_job(
    start: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """APScheduler reads it for what is due, and again for how long to sleep."""

    class Unsteady(datetime):
        looks = 0

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            cls.looks += 1
            return datetime.now(tz) - timedelta(days=cls.looks % 2 == 0)

    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Unsteady)
    job = Turns()
    start(job=job)
    assert job.more(3)


@pytest.mark.parametrize(
    ("previous", "following"),
    [
        (None, NOW),
        (NOW, NOW + timedelta(seconds=10)),
        (NOW - timedelta(seconds=4), NOW + timedelta(seconds=6)),
        (NOW - timedelta(days=4), NOW),
    ],
)
def test_when_a_job_is_run_next(previous: datetime | None, following: datetime) -> None:
    assert Every(10).get_next_fire_time(previous, NOW) == following


def test_a_fault_that_lasts_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    job = Turns(LedgerBusy("the database is locked"))
    run = guarded("deliver", job)
    for fault in (job.fault, job.fault, None, job.fault):
        job.fault = fault
        run()
    assert [record.getMessage() for record in caplog.records] == ["deliver: the database is locked; trying again"] * 2


def test_a_fault_of_our_own_is_told_with_its_place(caplog: pytest.LogCaptureFixture) -> None:
    guarded("deliver", Turns(ZeroDivisionError()))()
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, "deliver failed; trying again")
    assert record.exc_info is not None


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Reminders]]:
    """Makes reminder processes whose clockwork does not run; the source is published."""
    (tmp_path / "events.toml").write_text(SOURCE)
    made: list[Reminders] = []

    def reminders(heartbeat_url: str | None = None, **environ: str) -> Reminders:
        settings = Settings(
            events=tmp_path / "events.toml",
            database_url=f"sqlite:///{tmp_path / 'calfeed.db'}",
            heartbeat_url=heartbeat_url,
        )
        made.append(Reminders(settings, environ))
        made[-1].ledger.upgrade()
        assert made[-1].publisher.reload()
        return made[-1]

    yield reminders
    for one in made:
        one.ledger.close()


def test_a_channel_without_its_settings_is_idle(make: Callable[..., Reminders]) -> None:
    """One whose secret is missing must not be sent to unsigned."""
    assert make(HOOK_URL="https://example.org/1").targets() == {}
    assert make(HOOK_URL="https://example.org/1", HOOK_SECRET="whsec_1", SLACK_URL="").targets() == {
        "hook": Target(url="https://example.org/1", secret="whsec_1")
    }


def test_a_turn_shows_that_the_process_lives(make: Callable[..., Reminders]) -> None:
    one = make()
    one.beat()
    assert one.ledger.last_tick() is None, "it lives, but it has not turned"
    one.turn()
    assert one.ledger.last_tick() is not None


def test_a_process_that_does_not_turn_any_more_says_so(make: Callable[..., Reminders]) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        one = make()
        one.turn()
        clock.shift(60)
        one.beat()
        assert one.ledger.last_tick() == NOW
        assert one.ledger.processes()[0].seen == NOW + timedelta(seconds=60)


def test_whoever_watches_from_outside_is_pinged_while_turns_go_well(make: Callable[..., Reminders]) -> None:
    class Watcher(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pings.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Silent."""

    pings: list[str] = []
    with HTTPServer(("127.0.0.1", 0), Watcher) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        one = make(heartbeat_url=f"http://127.0.0.1:{server.server_port}/ping")
        one.ping()
        assert pings == []
        one.turn()
        one.ping()
        one.ping()
        assert pings == ["/ping"], "once a minute"
        server.shutdown()


def test_an_end_waits_for_jobs_that_run_and_lets_none_begin() -> None:
    begun, go_on, ran = threading.Event(), threading.Event(), list[str]()

    def slow() -> None:
        begun.set()
        go_on.wait(30)
        ran.append("slow")

    underway = Underway()
    running = threading.Thread(target=underway.counted(slow))
    running.start()
    begun.wait(30)
    assert underway.end(0) is False
    underway.counted(lambda: ran.append("late"))()
    go_on.set()
    assert (underway.end(30), ran) == (True, ["slow"])
    running.join()


def test_a_process_starts_and_stops(make: Callable[..., Reminders]) -> None:
    one = make()
    one.start()
    one.stop()
    with one.ledger.database.read() as connection:
        held = connection.exec_driver_sql("SELECT holds FROM process").scalars().all()
    assert held == [None], "its source counts for nothing any more"
