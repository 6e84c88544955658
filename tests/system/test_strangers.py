"""Strangers and private desks with the real program: what the manual's pages on them say, from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from standardwebhooks import Webhook

pytestmark = pytest.mark.slow

CALFEED = Path(sys.executable).with_name("calfeed")


def source(*starts: datetime) -> str:
    """A public event at each start, and a private one at the first, on a calendar with a private feed."""
    events = "".join(
        f'[[events]]\nid = "e{n}"\nsummary = "Event {n}"\nstart = {start:%Y-%m-%dT%H:%M:%SZ}\n'
        for n, start in enumerate(starts)
    )
    return f"""
[calendar]
id = "visit"
name = "The visit"
timezone = "Asia/Shanghai"

[[feeds]]
id = "crew"
name = "Crew"
visibility = "private"

{events}
[[events]]
id = "hidden"
summary = "Hidden rehearsal"
start = {starts[0]:%Y-%m-%dT%H:%M:%SZ}
visibility = "private"
"""


def echo(taken: Any) -> tuple[int, bytes]:
    """An endpoint as the manual writes it."""
    return 200, str(taken.json["data"].get("challenge", "ok")).encode()


@pytest.fixture
def up(program: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """A running `calfeed up` over a source, which may reach this machine."""

    def start(text: str, **env: str) -> Any:
        (tmp_path / "events.toml").write_text(text)
        return program("up", CALFEED_ALLOW_PRIVATE_WEBHOOKS="127.0.0.0/8", **env).start().ready()

    return start


def state(running: Any, made: dict[str, str]) -> str:
    found = running.get(f"/api/v1/subscriptions/{made['id']}", Authorization=f"Bearer {made['token']}").json()
    return str(found["state"])


def test_from_a_post_to_a_signed_reminder_to_the_end(
    up: Any, tmp_path: Path, receiver: Any, until: Callable[..., Any]
) -> None:
    """Challenged, verified, reminded once, unsubscribed by the link in the message; then silence."""
    receiver.answer = echo
    running = up(source(datetime.now(UTC) + timedelta(days=9)))
    asked = {"url": receiver.url, "before": "1m", "timezone": "Europe/Moscow"}
    made = requests.post(f"{running.url}/api/v1/subscriptions", json=asked, timeout=10).json()
    until(lambda: state(running, made) == "active", 60, lambda: running.log)
    first = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1, seconds=10)
    second = first + timedelta(seconds=12)
    (tmp_path / "events.toml").write_text(source(first, second))
    until(lambda: len(receiver.taken) == 2, 60, lambda: running.log)
    challenge, reminder = receiver.taken
    keys = Webhook(made["secret"])
    assert keys.verify(challenge.body, challenge.headers)["type"] == "subscription.challenge"
    told = keys.verify(reminder.body, reminder.headers)
    assert (told["type"], told["data"]["event"]["id"], told["data"]["lead"]) == ("event.reminder", "e0", "PT1M")
    link = told["data"]["unsubscribe_url"]
    assert link.startswith(f"{running.url}/unsubscribe/")
    assert requests.get(link, timeout=10).status_code == 200
    assert requests.post(link, timeout=10).status_code == 200
    until(lambda: datetime.now(UTC) > second - timedelta(seconds=56), 60)
    assert len(receiver.taken) == 2
    secrets = (made["token"], made["secret"], "/hook", link.rpartition("/")[2])
    assert [secret for secret in secrets if secret in running.log] == []


def test_without_leave_no_private_address_is_reached(program: Any, tmp_path: Path, receiver: Any) -> None:
    (tmp_path / "events.toml").write_text(source(datetime.now(UTC) + timedelta(days=1)))
    running = program("up").start().ready()
    port = receiver.server_port
    hostile = [f"http://127.0.0.1:{port}/hook", f"https://127.0.0.1:{port}/hook", f"http://localhost:{port}/hook"]
    found = [
        requests.post(f"{running.url}/api/v1/subscriptions", json={"url": url}, timeout=10).status_code
        for url in hostile
    ]
    assert (found, receiver.taken) == ([422] * 3, [])


def test_a_secret_link_from_the_command_line_to_a_revoked_404(up: Any, tmp_path: Path) -> None:
    running = up(source(datetime.now(UTC) + timedelta(days=1)))

    def calfeed(*args: str) -> str:
        env = {**running.env, "CALFEED_BASE_URL": running.url}
        return subprocess.run(
            [CALFEED, *args], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=True
        ).stdout

    made = json.loads(calfeed("token", "make", "crew", "--json"))
    opened = requests.get(made["url"], timeout=10)
    assert (opened.status_code, "Hidden rehearsal" in opened.text) == (200, True)
    assert opened.headers["Cache-Control"] == "private, no-store"
    calfeed("token", "revoke", made["id"])
    assert requests.get(made["url"], timeout=10).status_code == 404
    assert made["token"] not in running.log
    assert "Hidden rehearsal" not in running.get("/feeds/all.ics").text
