"""What a snapshot and its feeds hold as a whole: counted once, read by every page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

from calfeed.events.model import Event, Feed
from calfeed.events.revision import Change
from calfeed.feeds.snapshot import Snapshot
from calfeed.web.palette import hues

_known: WeakKeyDictionary[Snapshot, dict[str, Facts]] = WeakKeyDictionary()
_kin: WeakKeyDictionary[Snapshot, Kin] = WeakKeyDictionary()


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


@dataclass(frozen=True, slots=True)
class Kin:
    """By UID: the events that name one as their parent, and what changed in one, the newest first."""

    children: Mapping[str, list[Event]]
    history: Mapping[str, list[Change]]


def kin(snapshot: Snapshot) -> Kin:
    """The families and histories of a snapshot's events, for readers of their own addresses (unlisted ones too)."""
    if snapshot not in _kin:
        _kin[snapshot] = _related(snapshot)
    return _kin[snapshot]


def _related(snapshot: Snapshot) -> Kin:
    anybody = Feed(id="", name=snapshot.catalog.calendar.name, visibility="unlisted")
    children: dict[str, list[Event]] = {}
    for event in snapshot.events():
        if event.parent:
            children.setdefault(event.parent, []).append(event)
    history: dict[str, list[Change]] = {}
    for change in snapshot.history(anybody):
        history.setdefault(change.uid, []).append(change)
    return Kin(children, history)
