"""One writer of truth: which source is the published one, decided by the database.

The first process that brings a new source publishes it; all others get the same revisions. A source that was replaced
stays replaced: during a rolling deploy, processes that still read the old files must not undo the new ones. To go back
on purpose is something else, and is told apart by who holds the current source:

- a process whose own files were the current source and now are the old one saw an edit undone: it is published;
- when no live process (seen within `ALIVE`) holds the current source any more, the old one was put back everywhere: it
  is published.

Until then a process with the replaced source is given the published one, and serves that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select, update

from calfeed.events.changes import digests, revise, stands
from calfeed.events.model import Catalog
from calfeed.events.revision import Change, Revision
from calfeed.ledger import audiences, notices, planning, revisions
from calfeed.ledger.bell import ring
from calfeed.ledger.frame import from_frame, source_digest, to_frame
from calfeed.ledger.processes import Process, hold
from calfeed.ledger.schema import process, publication
from calfeed.ledger.sql import AnyRow, upsert

ALIVE = timedelta(seconds=60)
HISTORY = 500
"""How many of the latest changes a Published carries."""

_CURRENT = select(publication).where(publication.c.current)
_NUMBER = select(publication.c.number).where(publication.c.current)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What is published: ``catalog`` is what to serve, also where this process's own source was not ``accepted``.

    ``revisions`` are those feeds show, tombstones included; ``changes`` is the latest history, newest first; ``news``
    is what this publication changed. ``version`` and ``at``, its time, rise with each publication.
    """

    catalog: Catalog
    revisions: Mapping[str, Revision]
    changes: tuple[Change, ...]
    news: tuple[Change, ...] = ()
    version: int
    at: datetime
    accepted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """The published state as the database has it: channels without addresses, revisions of all that ever was."""

    catalog: Catalog
    revisions: Mapping[str, Revision]
    version: int
    at: datetime


def publish(
    connection: Connection, catalog: Catalog, me: Process, now: datetime, known: Current | None
) -> tuple[Published, Current]:
    """Makes ``catalog`` the published state, unless it is one that was replaced; within the caller's transaction."""
    row = connection.execute(_CURRENT.with_for_update()).one_or_none()  # before all else, as `settling` does
    current, now = current_state(connection, known), planning.at_least(connection, now)
    before = current.revisions if current else {}
    fresh = digests(catalog, before)
    digest = source_digest(catalog, fresh)
    accepted = _accepts(connection, row, digest, me, now)
    hold(connection, me, digest, now)
    if current is not None and not accepted:
        return _kept(connection, current, catalog, now), current
    revised = revise(catalog, before, now, catalog.calendar.tombstone.as_timedelta(), fresh)
    number, at = (row.number, row.published) if row else (0, now)
    if row is None or row.digest != digest:
        number, at = _replace(connection, current, catalog, digest, now)
    revisions.store(connection, before, revised.remembered)
    revisions.record(connection, revised.changes, before, now)
    if current is not None and number != current.version:
        heard = audiences.joined(connection, catalog)
        back = planning.returning(connection, heard)
        planning.reconcile(connection, heard, back, now)
        notices.notify(connection, heard, revised, before, now)
        notices.catch_up(connection, heard, back, revised.remembered, now)
        planning.resume(connection, back, now)
    published = Published(
        catalog=catalog,
        revisions=revised.revisions,
        changes=tuple(revisions.changes(connection, HISTORY)),
        news=revised.changes,
        version=number,
        at=at,
    )
    return published, Current(catalog=catalog, revisions=revised.remembered, version=number, at=at)


def _replace(
    connection: Connection, current: Current | None, catalog: Catalog, digest: str, now: datetime
) -> tuple[int, datetime]:
    """(number, time) of the publication that takes the place of the current one."""
    if current is not None:
        heard = audiences.joined(connection, current.catalog)
        planning.take(connection, planning.behind(heard, planning.horizon(connection), now), now)
    number, at = _store(connection, catalog, digest, now)
    ring(connection, number)
    return number, at


def version(connection: Connection) -> int:
    """The number of the current publication; 0 before the first."""
    return connection.execute(_NUMBER).scalar() or 0


def lasting_version(connection: Connection) -> int:
    """The same, which nobody changes before this transaction ends: it takes the lock that `publish` begins with."""
    return connection.execute(_NUMBER.with_for_update(read=True)).scalar() or 0


def current_state(connection: Connection, known: Current | None) -> Current | None:
    """What is published; ``known`` itself when it still is. None before the first publication."""
    if known is not None and known.version == version(connection):
        return known
    current = connection.execute(_CURRENT).one_or_none()
    if current is None:
        return None
    found = revisions.current(connection)
    return Current(catalog=_catalog(current, found), revisions=found, version=current.number, at=current.published)


def _accepts(connection: Connection, current: AnyRow | None, digest: str, me: Process, now: datetime) -> bool:
    if current is None or current.digest == digest:
        return True
    if connection.execute(select(publication.c.digest).where(publication.c.digest == digest)).first() is None:
        return True
    mine = connection.execute(select(process.c.holds).where(process.c.id == me.id)).scalar()
    if mine == current.digest:
        return True
    holders = select(process.c.id).where(process.c.holds == current.digest, process.c.seen > now - ALIVE)
    return connection.execute(holders).first() is None


def _store(connection: Connection, catalog: Catalog, digest: str, now: datetime) -> tuple[int, datetime]:
    """(number, time) of the new publication; the time rises by a second at least, whatever the clocks do."""
    last = connection.execute(select(func.max(publication.c.number), func.max(publication.c.published))).one()
    number, at = (last[0] or 0) + 1, now.replace(microsecond=0)
    if last[1] is not None:
        at = max(at, last[1] + timedelta(seconds=1))
    connection.execute(update(publication).where(publication.c.current).values(current=False))
    again = {"number": number, "published": at, "current": True, "frame": to_frame(catalog)}
    statement = upsert(connection, publication).values(digest=digest, seen=now, **again)
    connection.execute(statement.on_conflict_do_update(index_elements=[publication.c.digest], set_=again))
    return number, at


def _kept(connection: Connection, current: Current, mine: Catalog, now: datetime) -> Published:
    catalog = with_addresses(current.catalog, mine)
    tombstone = catalog.calendar.tombstone.as_timedelta()
    return Published(
        catalog=catalog,
        revisions={uid: one for uid, one in current.revisions.items() if stands(one, now, tombstone)},
        changes=tuple(revisions.changes(connection, HISTORY)),
        version=current.version,
        at=current.at,
        accepted=False,
    )


def with_addresses(catalog: Catalog, mine: Catalog) -> Catalog:
    """The catalog with the channels' URLs and secrets as this process has them."""
    known = mine.channel_by_id
    channels = (
        replace(one, url=known[one.id].url, secret=known[one.id].secret) if one.id in known else one
        for one in catalog.channels
    )
    return replace(catalog, channels=tuple(channels))


def _catalog(current: AnyRow, found: Mapping[str, Revision]) -> Catalog:
    return from_frame(current.frame, {uid: one.event for uid, one in found.items() if one.removed is None})


def prune(connection: Connection, before: datetime) -> None:
    """Forgets sources that were last published before then; the current one stays."""
    connection.execute(delete(publication).where(~publication.c.current, publication.c.published < before))
