"""Bad surroundings that need no process of their own: unreadable files, clocks put back, zones with new rules."""

from __future__ import annotations

import sqlite3
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from calfeed.events.parse import load
from calfeed.ledger import Ledger

NOW = datetime(2024, 5, 14, 9, tzinfo=UTC)


def test_what_cannot_be_read_now_is_tried_again(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when descriptors ran out, or a right was missing: the file need not change for it to be read in the end."""
    path: Path = site.publisher.path
    read = Path.open

    def refused(*args: Any, **keys: Any) -> Any:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Path, "open", refused)
    path_text = 'summary = "Moved talks"'
    monkeypatch.setattr(Path, "open", read)
    path.write_text(path.read_text().replace('summary = "Talks"', path_text))
    monkeypatch.setattr(Path, "open", refused)
    assert [site.publisher.poll(), site.publisher.poll()] == [False, False]
    assert [one.message for one in site.publisher.problems] == ["cannot be read: Too many open files"]
    monkeypatch.setattr(Path, "open", read)
    assert not site.publisher.poll()
    site.now[0] += timedelta(seconds=6)
    assert site.publisher.poll()
    assert (site.publisher.problems, "Moved talks" in site.ask("/feeds/all.ics").text) == ((), True)


def test_a_clock_put_back_delays_no_publication(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A publication that is to be tried again within seconds is, though those seconds now lie a year ahead."""
    path: Path = site.publisher.path
    path.write_text(path.read_text().replace('summary = "Talks"', 'summary = "Moved talks"'))
    upgraded = site.ledger.publish
    monkeypatch.setattr(site.ledger, "publish", _busy)
    assert [site.publisher.poll(), site.publisher.poll()] == [False, False]
    monkeypatch.setattr(site.ledger, "publish", upgraded)
    site.now[0] -= timedelta(days=365)
    assert site.publisher.poll()
    assert "Moved talks" in site.ask("/feeds/all.ics").text


def _busy(*_: Any) -> None:
    from calfeed.errors import LedgerBusy

    raise LedgerBusy("the database is locked")


SOURCE = """
[calendar]
id = "desk"
name = "Desk"
timezone = "Test/Place"

[[channels]]
id = "hook"
kind = "webhook"
url = "env:HOOK"
before = ["1h"]

[[events]]
id = "e"
summary = "E"
start = 2024-05-20T10:00:00
"""


@pytest.fixture
def rules(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Makes the rules of the zone Test/Place those of another zone, as an update of tzdata does before a restart."""
    (tmp_path / "zones" / "Test").mkdir(parents=True)

    def like(zone: str) -> None:
        octets = (resources.files("tzdata.zoneinfo") / zone).read_bytes()
        (tmp_path / "zones" / "Test" / "Place").write_bytes(octets)
        zoneinfo.ZoneInfo.clear_cache()

    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([tmp_path / "zones", *before])
    yield like
    zoneinfo.reset_tzpath(before)
    zoneinfo.ZoneInfo.clear_cache()


def test_a_zone_that_changes_its_rules_moves_what_was_planned(tmp_path: Path, rules: Callable[[str], None]) -> None:
    """Ten o'clock comes an hour later by the new rules: the old row is withdrawn, the new one is there, once."""
    url = f"sqlite:///{tmp_path / 'calfeed.db'}"
    for zone in ("Etc/GMT-8", "Etc/GMT-7", "Etc/GMT-7"):
        rules(zone)
        with Ledger(url) as ledger:
            ledger.upgrade()
            ledger.publish(load([("events.toml", SOURCE)]), NOW)
            ledger.plan(["hook"], NOW)
            found = [(str(one.state), one.due) for one in ledger.deliveries(kind="reminder")]
    assert sorted(found) == [
        ("pending", datetime(2024, 5, 20, 2, tzinfo=UTC)),
        ("superseded", datetime(2024, 5, 20, 1, tzinfo=UTC)),
    ]
    print("1 reminders, lost 0, repeated 0")


def test_a_copy_that_is_put_back_repeats_only_what_was_sent_since_and_under_its_id(tmp_path: Path) -> None:
    """As the manual says under Hosting: what is over meanwhile is not sent, what fell due is, late."""
    kept, due = tmp_path / "copy.db", datetime(2024, 5, 20, 9, tzinfo=UTC)
    with Ledger(f"sqlite:///{tmp_path / 'calfeed.db'}") as ledger:
        ledger.upgrade()
        ledger.publish(load([("events.toml", SOURCE.replace("Test/Place", "UTC"))]), NOW)
        ledger.plan(["hook"], NOW)
        with sqlite3.connect(tmp_path / "calfeed.db") as opened, sqlite3.connect(kept) as copy:
            opened.backup(copy)
        opened.close()
        copy.close()
        (first,) = ledger.claim(due, 10, ["hook"], lambda _: True)
    with Ledger(f"sqlite:///{kept}") as ledger:
        (again,) = ledger.claim(due + timedelta(minutes=30), 10, ["hook"], lambda _: True)
        assert (again.webhook_id, again.due) == (first.webhook_id, due)
    print("1 reminders, lost 0, repeated 1")
