"""`calfeed up` as its user runs it: feeds, edits, reminders on time, a stop and a kill."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

pytestmark = pytest.mark.slow

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

SOURCE = """
[calendar]
id = "desk"
name = "Desk"
timezone = "Asia/Shanghai"

[[events]]
id = "expo"
summary = "EXPO"
start = 2024-05-17
end = 2024-05-21

[[channels]]
id = "hook"
kind = "webhook"
url = "env:HOOK_URL"
secret = "env:HOOK_SECRET"
before = ["1m"]

[[channels]]
id = "newsroom"
kind = "slack"
url = "env:SLACK_URL"
before = ["1m"]
"""


TALKS = """
[[events]]
id = "talks"
summary = "Talks"
start = {}
"""


def source(folder: Path, ahead: timedelta = timedelta(days=9)) -> datetime:
    """Writes the source; the talks' reminder is due after ``ahead``."""
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1) + ahead
    (folder / "events.toml").write_text(SOURCE + TALKS.format(start.isoformat()))
    return start - timedelta(minutes=1)


def vevents(feed: bytes) -> dict[str, bytes]:
    pieces = re.findall(rb"BEGIN:VEVENT\r\n.*?END:VEVENT\r\n", feed, re.DOTALL)
    return {re.search(rb"UID:(.*)\r\n", piece)[1].decode(): piece for piece in pieces}  # type: ignore[index]  # each has one


def test_feeds_validators_and_edits(program: Callable[..., Any], tmp_path: Path, until: Callable[..., Any]) -> None:
    """An edit shows within seconds with a higher SEQUENCE for that event alone; a broken one changes nothing."""
    source(tmp_path)
    up = program("up").start().ready()
    first = up.get("/feeds/all.ics")
    assert first.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert up.get("/feeds/all.ics", **{"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert up.get("/feeds/all.ics", **{"If-Modified-Since": first.headers["Last-Modified"]}).status_code == 304

    time.sleep(1.1)  # so that LAST-MODIFIED can differ: it counts whole seconds
    text = (tmp_path / "events.toml").read_text()
    (tmp_path / "events.toml").write_text(text.replace("end = 2024-05-21", "end = 2024-05-22"))
    until(lambda: up.get("/feeds/all.ics").headers["ETag"] != first.headers["ETag"], 60)
    second = up.get("/feeds/all.ics")
    before, after = vevents(first.content), vevents(second.content)
    (changed,) = [uid for uid in before if before[uid] != after[uid]]
    assert (b"SEQUENCE:0" in before[changed], b"SEQUENCE:1" in after[changed]) == (True, True)

    (tmp_path / "events.toml").write_text(text.replace("end = 2024-05-21", "end = 2024-05-01"))
    until(lambda: "events[0].end" in up.get("/readyz").text, 60, lambda: up.log)
    assert "events[0].end" in up.log
    assert up.get("/feeds/all.ics").content == second.content
    assert up.stop() == 0


def test_a_restart_gives_the_same_bytes_and_validators(program: Callable[..., Any], tmp_path: Path) -> None:
    source(tmp_path)
    first = program("up").start().ready()
    before = first.get("/feeds/all.ics")
    first.kill()
    after = program("up").start().ready().get("/feeds/all.ics")
    assert (after.content, after.headers["ETag"], after.headers["Last-Modified"]) == (
        before.content,
        before.headers["ETag"],
        before.headers["Last-Modified"],
    )


def test_a_killed_program_leaves_nothing_behind_that_answers(
    program: Callable[..., Any], tmp_path: Path, until: Callable[..., Any]
) -> None:
    source(tmp_path)
    up = program("up").start().ready()
    up.kill()

    def silent() -> bool:
        try:
            up.get("/healthz")
        except OSError:
            return True
        return False

    until(silent, 60)


def test_a_reminder_comes_at_its_time_signed_and_once(
    program: Callable[..., Any], tmp_path: Path, receiver: Any, until: Callable[..., Any]
) -> None:
    """How soon after its time is for the benchmarks to say; before it is never."""
    (tmp_path / "events.toml").write_text(SOURCE)
    env = {"HOOK_URL": receiver.url, "HOOK_SECRET": SECRET, "SLACK_URL": receiver.url}
    up = program("up", **env).start().ready()
    due = source(tmp_path, ahead=timedelta(seconds=6))
    until(lambda: len(receiver.taken) >= 2, 60, lambda: up.log)
    time.sleep(3)
    assert len(receiver.taken) == 2
    assert [taken.at >= due.timestamp() for taken in receiver.taken] == [True, True]
    (hook,) = [taken for taken in receiver.taken if "webhook-id" in taken.headers]
    (slack,) = [taken for taken in receiver.taken if "webhook-id" not in taken.headers]
    Webhook(SECRET).verify(hook.body, hook.headers)
    assert (hook.json["type"], hook.json["data"]["event"]["id"], hook.json["data"]["lead"]) == (
        "event.reminder",
        "talks",
        "PT1M",
    )
    assert "Talks" in slack.json["text"]
    assert "<!date^" in slack.body.decode()
    assert up.stop() == 0
    assert receiver.url not in up.log


def test_a_broken_source_ends_a_first_start_with_its_place(program: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "events.toml").write_text('[calendar]\nid = "x"\nname = "X"\ntimezone = "Mars/Olympus"\n')
    up = program("up").start()
    assert up.process.wait(timeout=60) == 1
    assert up.log.startswith("events.toml:4:1: error: calendar.timezone: ")
