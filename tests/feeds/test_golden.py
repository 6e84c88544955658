"""``golden/ics/fair.toml`` is every hard case in one calendar; beside it is what clients are given, octet by octet.

A file that is missing is written, and fails the test once: remove one to renew it, and read the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from calfeed.feeds.lint import lint
from calfeed.feeds.select import Query
from calfeed.feeds.snapshot import Snapshot

FOLDER = Path(__file__).parents[1] / "golden" / "ics"
ASKED = {
    "fair.ics": [],
    "fair.ru-drop-alarm.ics": [("lang", "ru"), ("cancelled", "drop"), ("alarm", "1d")],
    "fair.rich-mark.ics": [("rich", "1"), ("cancelled", "mark")],
    "fair.expand.ics": [("expand", "1"), ("category", "talk")],
    "fair.jcal": [],
    "fair.json": [],
    "fair.jscal": [],
    "fair.atom": [],
}


@pytest.mark.parametrize("name", ASKED)
def test_a_feed_is_what_it_was(name: str, publish: Callable[[str], Snapshot]) -> None:
    snapshot = publish((FOLDER / "fair.toml").read_text())
    found = snapshot.resource(f"/feeds/all.{name.rpartition('.')[2]}", Query.parse(ASKED[name]))
    assert found is not None
    file = FOLDER / name
    if not file.exists():
        file.write_bytes(found.body)
        pytest.fail(f"{file} was missing and is written; read it")
    assert found.body == file.read_bytes()


@pytest.mark.parametrize("name", [name for name in ASKED if name.endswith(".ics")])
def test_no_reader_would_complain(name: str) -> None:
    """``rich=1`` was asked for by a reader that knows RFC 9073: the warning of what others make of it is for others."""
    found = [problem for problem in lint((FOLDER / name).read_bytes(), name) if problem.code != "CF804"]
    assert [str(problem) for problem in found] == []
