"""Thunderbird, headless, subscribed to a feed: what it asks, and what stands in its own storage afterwards."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.clients

CALENDAR = "calendar.registry.7b0e0a52-5d2b-4f63-9d2c-0d6f5f0a3c11."
POLLS = 100  # it polls each minute, the shortest that it allows


def profile(folder: Path, url: str) -> Path:
    """A profile with the subscription; whatever is not this machine goes to a proxy that nobody runs."""
    preferences = {
        CALENDAR + "type": "ics",
        CALENDAR + "uri": url,
        CALENDAR + "name": "Desk",
        CALENDAR + "cache.enabled": True,
        CALENDAR + "readOnly": True,
        CALENDAR + "refreshInterval": "1",
        "network.proxy.type": 1,
        "network.proxy.http": "127.0.0.1",
        "network.proxy.http_port": 9,
        "network.proxy.ssl": "127.0.0.1",
        "network.proxy.ssl_port": 9,
        "network.proxy.no_proxies_on": "127.0.0.1",
        "app.update.enabled": False,
        "datareporting.policy.dataSubmissionEnabled": False,
        "toolkit.telemetry.enabled": False,
    }
    folder.mkdir()
    lines = (f"user_pref({json.dumps(key)}, {json.dumps(value)});\n" for key, value in preferences.items())
    (folder / "user.js").write_text("".join(lines))
    return folder


def stored(profile: Path, aside: Path) -> dict[str, tuple[str, str, str | None]]:
    """Of each event in the client's cache by title: UID, start in UTC, status."""
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    for file in (profile / "calendar-data").glob("cache.sqlite*"):  # the client holds a lock on its own
        shutil.copy(file, aside)
    if not (aside / "cache.sqlite").exists():
        return {}
    cache = sqlite3.connect(aside / "cache.sqlite")
    try:
        rows = cache.execute("SELECT title, id, event_start, ical_status FROM cal_events").fetchall()
    except sqlite3.OperationalError:  # its tables are not made yet
        return {}
    finally:
        cache.close()
    return {
        title: (uid, f"{datetime.fromtimestamp(start / 1e6, UTC):%m-%d %H:%M}", is_) for title, uid, start, is_ in rows
    }


def test_subscribe_poll_move_cancel_remove(
    desk: Any, tmp_path: Path, running: Callable[..., Any], until: Callable[..., Any]
) -> None:
    """The second poll is conditional and answered 304; an edit shows with the next, and the tombstone is kept."""
    uid = desk.uids()
    kept = profile(tmp_path / "profile", desk.url)
    thunderbird = ["thunderbird", "--headless", "--no-remote", "--profile", str(kept)]
    first = {
        "Stays": (uid["Stays"], "07-01 07:00", "CONFIRMED"),
        "Moves": (uid["Moves"], "07-02 08:00", "CONFIRMED"),
        "Is cancelled": (uid["Is cancelled"], "07-03 00:00", "CONFIRMED"),
        "Is removed": (uid["Is removed"], "07-04 07:00", "CONFIRMED"),
    }
    edited = {
        **first,
        "Moves": (uid["Moves"], "07-02 13:00", "CONFIRMED"),
        "Is cancelled": (uid["Is cancelled"], "07-03 00:00", "CANCELLED"),
        "Is removed": (uid["Is removed"], "07-04 07:00", "CANCELLED"),
    }

    def state() -> tuple[dict[str, tuple[str, str, str | None]], Any]:
        return stored(kept, tmp_path / "copy"), desk.polls

    with running(thunderbird, tmp_path, {"HOME": str(tmp_path)}):
        until(lambda: state()[0] == first, POLLS, state)
        until(lambda: len(desk.polls) == 2, POLLS, state)
        desk.edit()
        until(lambda: state()[0] == edited, POLLS, state)

    assert all("Thunderbird/" in poll.agent for poll in desk.polls)
    new, same, changed = desk.polls[:3]
    assert (new.status, new.if_none_match) == (200, None)
    assert (same.status, same.if_none_match, same.etag) == (304, new.etag, new.etag)
    assert (changed.status, changed.if_none_match) == (200, new.etag)
