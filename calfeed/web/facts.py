"""What a feed of a snapshot holds as a whole: counted once, read by every page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

from calfeed.events.model import Feed
from calfeed.feeds.snapshot import Snapshot
from calfeed.web.palette import hues

_known: WeakKeyDictionary[Snapshot, dict[str, Facts]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Facts:
    """``categories`` in the order of the source; ``updated`` is when any of these events last changed."""

    uids: frozenset[str]
    categories: tuple[str, ...]
    hues: Mapping[str, int]
    updated: datetime | None


def facts(snapshot: Snapshot, feed: Feed) -> Facts:
    """The facts of a feed; two threads may count the same once each."""
    of_snapshot = _known.setdefault(snapshot, {})
    if feed.id not in of_snapshot:
        of_snapshot[feed.id] = _count(snapshot, feed)
    return of_snapshot[feed.id]


def _count(snapshot: Snapshot, feed: Feed) -> Facts:
    events = snapshot.events(feed)
    modified = (snapshot.revisions[event.uid].modified for event in events if event.uid in snapshot.revisions)
    return Facts(
        frozenset(event.uid for event in events),
        tuple(dict.fromkeys(category for event in events for category in event.categories)),
        hues(snapshot.catalog),
        max(modified, default=None),
    )
