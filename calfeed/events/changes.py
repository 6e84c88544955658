"""What was published × what the source says now → revisions, and the changes between them.

SEQUENCE rises when dates, rule or status change (RFC 5545 §3.8.7.4, RFC 5546 §2.1.4), LAST-MODIFIED with every
change; neither ever goes back, whatever the clock does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from calfeed.events.comparison import changed_occurrences, compare, reschedules
from calfeed.events.model import Catalog, Event, Moment
from calfeed.events.record import digest
from calfeed.events.revision import Change, Revision
from calfeed.events.wording import describe

__all__ = ["Revised", "changed_occurrences", "compare", "describe", "diff", "revise", "stands"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised:
    """What to publish, and what to remember.

    ``revisions`` are those of the source and the tombstones that feeds still show; ``retired`` are older tombstones,
    shown nowhere, kept so that an event that comes back goes on counting. ``first`` says that nothing had been
    published before: its changes are all ``added``, and nobody waits for a notice of them.
    """

    revisions: dict[str, Revision]
    changes: tuple[Change, ...] = ()
    retired: dict[str, Revision] = field(default_factory=dict)
    first: bool = False

    @property
    def remembered(self) -> dict[str, Revision]:
        """What the next `revise` is to be given as ``published``."""
        return {**self.retired, **self.revisions}


def digests(catalog: Catalog, published: Mapping[str, Revision]) -> dict[str, str]:
    """The digest of every event by uid; that of an event which is as it was published is known already."""
    return {event.uid: _digest(event, published.get(event.uid)) for event in catalog.events}


def revise(
    catalog: Catalog,
    published: Mapping[str, Revision],
    now: datetime,
    tombstone: timedelta,
    known: Mapping[str, str] | None = None,
) -> Revised:
    """The revision of every event, new ones where an event differs from what was published.

    ``known`` is what `digests` gives, where it was asked before.
    """
    now = now.astimezone(UTC).replace(microsecond=0)
    fresh = digests(catalog, published) if known is None else known
    current = {event.uid: _revision(event, published.get(event.uid), fresh[event.uid], now) for event in catalog.events}
    gone = {uid: _removed(old, now) for uid, old in published.items() if uid not in current}
    kept = {uid: revision for uid, revision in gone.items() if stands(revision, now, tombstone)}
    revisions = current | kept
    return Revised(
        revisions=revisions,
        changes=tuple(_changes(current | gone, published)),  # also of what leaves feeds at once: people know of it
        retired={uid: revision for uid, revision in gone.items() if uid not in kept},
        first=not published,
    )


def stands(revision: Revision, now: datetime, tombstone: timedelta) -> bool:
    """Whether feeds show the revision: an event of the source, or one removed less than ``tombstone`` ago."""
    return revision.removed is None or now < revision.removed + tombstone


def diff(old: Catalog, new: Catalog, at: datetime) -> tuple[Change, ...]:
    """The changes from one source to another, in the new one's order, removed events last; ``number`` is 0."""
    uids = dict.fromkeys((*new.by_uid, *old.by_uid))
    pairs = ((old.by_uid.get(uid), new.by_uid.get(uid)) for uid in uids)
    return tuple(change for before, after in pairs if (change := _change(before, after, at, 0)))


def _digest(event: Event, old: Revision | None) -> str:
    if old is not None and old.removed is None and _surely_same(old.event, event):
        return old.digest
    return digest(event)


def _revision(event: Event, old: Revision | None, fresh: str, now: datetime) -> Revision:
    if old is None:
        return Revision(uid=event.uid, number=1, sequence=0, created=now, modified=now, digest=fresh, event=event)
    if old.removed is None and old.digest == fresh:
        return old if old.event is event else replace(old, event=event)
    rises = old.removed is not None or reschedules(old.event, event)
    return _next(old, event, fresh, now, rises=rises)


def _surely_same(before: Event, after: Event) -> bool:
    """Whether their digests need no look: an edit leaves most events as they were.

    Clock times that happen twice compare equal in Python, and only the digest tells them apart.
    """
    if before is after:
        return True
    plain = not (after.overrides or after.recurs)
    return plain and before == after and not any(map(_second, (before.start, before.end, after.start, after.end)))


def _second(moment: Moment | None) -> bool:
    return isinstance(moment, datetime) and moment.fold == 1


def _removed(old: Revision, now: datetime) -> Revision:
    if old.removed is not None:
        return old
    cancelled = _cancelled(old.event)
    return replace(_next(old, cancelled, digest(cancelled), now, rises=True), removed=now)


def _cancelled(event: Event) -> Event:
    return replace(event, status="cancelled", overrides=tuple(_cancelled(each) for each in event.overrides))


def _next(old: Revision, event: Event, fresh: str, now: datetime, *, rises: bool) -> Revision:
    return replace(
        old,
        number=old.number + 1,
        sequence=old.sequence + rises,
        modified=max(now, old.modified + timedelta(seconds=1)),
        digest=fresh,
        event=event,
        removed=None,
    )


def _changes(revisions: Mapping[str, Revision], published: Mapping[str, Revision]) -> Iterator[Change]:
    for uid, revision in revisions.items():
        old = published.get(uid)
        if old is not None and old.number == revision.number:
            continue
        after = revision.event if revision.removed is None else None
        before = None if old is None else old.event
        change = _change(before, after, revision.modified, revision.number)
        if change:
            yield change


def _change(before: Event | None, after: Event | None, at: datetime, number: int) -> Change | None:
    found = compare(before, after)
    some = after or before
    if found is None or some is None:
        return None
    kind, names = found
    return Change(
        kind=kind, at=at, uid=some.uid, event_id=some.id, number=number, before=before, after=after, fields=names
    )
