"""Which changes the readers of a feed may know of, and how those changes look to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from calfeed.events.comparison import compare
from calfeed.events.model import Event, Feed
from calfeed.events.revision import Change, ChangeKind
from calfeed.feeds.select import Query, redacted, select, visible


def shown_changes(
    changes: Iterable[Change], current: Mapping[str, Event], feed: Feed, query: Query, now: datetime
) -> list[Change]:
    """Newest first. ``current`` holds the events of the source by UID: what is private now, or was when it was removed,
    has no public past.

    A state that these readers could not see is left out; the first one they could see counts as added, an embargoed
    one at the end of its embargo.
    """
    told = sorted(changes, key=lambda each: each.number)
    last = {change.uid: change for change in told}
    known = {uid for uid, change in last.items() if _known(change, current.get(uid), feed, now)}
    ours = (change for change in told if change.uid in known)
    found = [shown for change in ours for shown in _shown(change, feed, now) if _chosen(shown, feed, query, now)]
    latest: dict[tuple[str, datetime, ChangeKind], Change] = {}
    for change in found:
        latest[change.uid, change.at, change.kind] = change
    return sorted(latest.values(), key=lambda each: (each.at, each.uid, each.number), reverse=True)


def _known(last: Change, event: Event | None, feed: Feed, now: datetime) -> bool:
    """Whether readers may know of an event: as it is, or as it was when the ``last`` change took it away."""
    if event is None and last.before is not None:
        return _open(last.before, feed, last.at)
    return event is None or _open(event, feed, now)


def _open(event: Event, feed: Feed, now: datetime) -> bool:
    return visible(event, feed.visibility, now)


def _shown(change: Change, feed: Feed, now: datetime) -> Iterator[Change]:
    before, after = _state(change.before, feed, now), _state(change.after, feed, now)
    ends = after.embargo if after is not None and feed.visibility != "private" else None
    if ends is not None and change.at < ends:
        yield replace(change, kind=ChangeKind.ADDED, at=ends, before=None, after=after, fields=())
    elif (before, after) == (change.before, change.after):
        yield change
    elif (found := compare(before, after)) is not None:
        yield replace(change, kind=found[0], before=before, after=after, fields=found[1])


def _state(event: Event | None, feed: Feed, now: datetime) -> Event | None:
    if event is None or not _open(event, feed, now):
        return None
    return redacted(event, feed.visibility, now)


def _chosen(change: Change, feed: Feed, query: Query, now: datetime) -> bool:
    states = [state for state in (change.before, change.after) if state is not None]
    return bool(select(states, feed, query, now))
