"""Evolution's data server on its own D-Bus session, subscribed to a feed: what it asks, and what its cache holds."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.clients

SOURCE = """[Data Source]
DisplayName=Desk
Enabled=true
Parent=webcal-stub

[Calendar]
BackendName=webcal
Selected=true

[Security]
Method=none

[Authentication]
Host={host}
Port={port}
Method=none

[WebDAV Backend]
ResourcePath={path}

[Refresh]
Enabled=true
IntervalMinutes=60

[Offline]
StaySynchronized=true
"""
WAIT = 40  # three services start one another
CLIENT = Path(__file__).with_name("evolution.py")


def stored(home: Path) -> dict[str, tuple[str, str, str]]:
    """Of each event in the data server's cache by SUMMARY: UID, DTSTART with its parameters, STATUS."""
    file = home / ".cache" / "evolution" / "calendar" / "desk" / "cache.db"
    if not file.exists():
        return {}
    cache = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        objects = [row[0] for row in cache.execute("SELECT ECacheOBJ FROM ECacheObjects")]
    except sqlite3.OperationalError:  # its tables are not made yet, or it is writing
        return {}
    finally:
        cache.close()
    return {value(one, "SUMMARY"): (value(one, "UID"), value(one, "DTSTART"), value(one, "STATUS")) for one in objects}


def value(vevent: str, name: str) -> str:
    """A property's value with its parameters before it."""
    (found,) = re.findall(rf"^{name}[:;](.*)$", vevent.replace("\r", ""), re.MULTILINE)
    return str(found)


def test_subscribe_poll_move_cancel_remove(
    desk: Any, tmp_path: Path, running: Callable[..., Any], until: Callable[..., Any]
) -> None:
    """The second poll is conditional and answered 304; an edit shows with the next, and the tombstone is kept."""
    uid = desk.uids()
    url = urlsplit(desk.url)
    sources = tmp_path / ".config" / "evolution" / "sources"
    sources.mkdir(parents=True)
    (sources / "desk.source").write_text(SOURCE.format(host=url.hostname, port=url.port, path=url.path))
    first = {
        "Stays": (uid["Stays"], "TZID=Europe/Paris:20310701T090000", "CONFIRMED"),
        "Moves": (uid["Moves"], "TZID=Europe/Paris:20310702T100000", "CONFIRMED"),
        "Is cancelled": (uid["Is cancelled"], "VALUE=DATE:20310703", "CONFIRMED"),
        "Is removed": (uid["Is removed"], "TZID=Europe/Paris:20310704T090000", "CONFIRMED"),
    }
    edited = {
        **first,
        "Moves": (uid["Moves"], "TZID=Europe/Paris:20310702T150000", "CONFIRMED"),
        "Is cancelled": (uid["Is cancelled"], "VALUE=DATE:20310703", "CANCELLED"),
        "Is removed": (uid["Is removed"], "TZID=Europe/Paris:20310704T090000", "CANCELLED"),
    }
    environment = {"HOME": str(tmp_path), "GSETTINGS_BACKEND": "memory"}

    def state() -> tuple[dict[str, tuple[str, str, str]], Any, str]:
        return stored(tmp_path), desk.polls, (tmp_path / "log.txt").read_text()

    with running(["dbus-run-session", "--", sys.executable, str(CLIENT)], tmp_path, environment):
        until(lambda: state()[0] == first, WAIT, state)
        until(lambda: len(desk.polls) >= 2, WAIT, state)
        desk.edit()
        until(lambda: state()[0] == edited, WAIT, state)

    assert all("Evolution/" in poll.agent for poll in desk.polls)
    new, *same = desk.polls
    changed = next(poll for poll in same if poll.etag != new.etag)
    same = same[: same.index(changed)]
    assert (new.status, new.if_none_match) == (200, None)
    assert {(poll.status, poll.if_none_match, poll.etag) for poll in same} == {(304, new.etag, new.etag)}
    assert (changed.status, changed.if_none_match) == (200, new.etag)
