"""In calfeed's own environment: what each step from TOML to a feed costs in CPU; the seconds as JSON on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from calfeed.events.changes import Revised, revise
from calfeed.events.model import Catalog
from calfeed.events.parse import load, uncollected
from calfeed.feeds.snapshot import Snapshot, build

T = TypeVar("T")
spent: dict[str, float] = {}


def timed(name: str, work: Callable[[], T]) -> T:
    """What ``work`` gives; its CPU seconds are noted."""
    begin = time.process_time()
    made = work()
    spent[name] = time.process_time() - begin
    return made


def revised(catalog: Catalog, before: Revised | None = None) -> Revised:
    """The revisions of a catalog now."""
    tombstone = catalog.calendar.tombstone.as_timedelta()
    return revise(catalog, before.revisions if before else {}, datetime.now(UTC), tombstone)


def feed(catalog: Catalog, found: Revised, previous: Snapshot | None = None) -> tuple[Snapshot, bytes]:
    """A new snapshot and its whole feed."""
    made = build(catalog, found.revisions, found.changes, base_url=None, now=datetime.now(UTC), previous=previous)
    resource = made.resource("/feeds/all.ics")
    assert resource is not None
    return made, resource.body


def main(path: Path) -> None:
    """Cold, and after an edit of one event."""
    text = path.read_text()
    with uncollected():
        catalog = timed("load", lambda: load([("events.toml", text)]))
        first = timed("revise", lambda: revised(catalog))
        snapshot, _ = timed("build", lambda: feed(catalog, first))
        edited = text.replace('"Event number 7, a talk', '"Event number 7, quite another talk', 1)
        after = timed("load again", lambda: load([("events.toml", edited)]))
        second = timed("revise again", lambda: revised(after, first))
        _, body = timed("build again", lambda: feed(after, second, snapshot))
    assert body.count(b"quite another talk") == 1
    print(json.dumps(spent), file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
