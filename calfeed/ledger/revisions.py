"""Published revisions and changes, as rows and back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, exists, insert, or_, select, update

from calfeed.events.model import Event
from calfeed.events.record import from_record, to_record
from calfeed.events.revision import Change, ChangeKind, Revision
from calfeed.ledger.ids import new_ids
from calfeed.ledger.schema import change, delivery, revision
from calfeed.ledger.sql import AnyRow, batches


def current(connection: Connection) -> dict[str, Revision]:
    """The newest revision of every event that ever was, by uid."""
    rows = connection.execute(select(revision).where(revision.c.current).order_by(revision.c.uid))
    return {row.uid: _revision(row) for row in rows}


def find(connection: Connection, wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], Revision]:
    """These revisions, old or new, by (uid, number); none for those that are forgotten."""
    found = {}
    for some in batches(sorted(set(wanted))):
        uids, numbers = {uid for uid, _ in some}, {number for _, number in some}
        query = select(revision).where(revision.c.uid.in_(uids), revision.c.number.in_(numbers))
        found.update({(row.uid, row.number): row for row in connection.execute(query)})
    return {key: _revision(found[key]) for key in wanted if key in found}


def store(connection: Connection, before: Mapping[str, Revision], after: Mapping[str, Revision]) -> None:
    """Writes what is new in ``after``; a current revision whose unseen keys changed gets its new record."""
    fresh = [new for uid, new in after.items() if uid not in before or before[uid].number != new.number]
    silent = [
        new
        for uid, new in after.items()
        if uid in before and before[uid].number == new.number and _unseen(before[uid], new)
    ]
    for some in batches([new.uid for new in fresh if new.uid in before]):
        connection.execute(update(revision).where(revision.c.uid.in_(some), revision.c.current).values(current=False))
    if fresh:
        connection.execute(insert(revision), [_row(new) for new in fresh])
    for new in silent:
        connection.execute(
            update(revision)
            .where(revision.c.uid == new.uid, revision.c.number == new.number)
            .values(record=to_record(new.event))
        )


def record(connection: Connection, changes: Iterable[Change], before: Mapping[str, Revision], now: datetime) -> None:
    """Appends changes to the history."""
    rows = [
        {
            "id": id_,
            "at": one.at,
            "kind": str(one.kind),
            "uid": one.uid,
            "event_id": one.event_id,
            "number": one.number,
            "before": before[one.uid].number if one.uid in before else None,
            "fields": list(one.fields),
        }
        for id_, one in zip(new_ids(now), changes, strict=False)
    ]
    if rows:
        connection.execute(insert(change), rows)


def changes(connection: Connection, limit: int) -> list[Change]:
    """The history of changes, newest first."""
    old, new = revision.alias("old"), revision.alias("new")
    query = (
        select(change, old.c.record.label("old_record"), new.c.record.label("new_record"))
        .outerjoin(old, and_(old.c.uid == change.c.uid, old.c.number == change.c.before))
        .outerjoin(new, and_(new.c.uid == change.c.uid, new.c.number == change.c.number))
        .order_by(change.c.at.desc(), change.c.id.desc())
        .limit(limit)
    )
    return [_change(row) for row in connection.execute(query)]


def _unseen(before: Revision, after: Revision) -> bool:
    return before.event is not after.event and before.event != after.event


def _row(new: Revision) -> dict[str, Any]:
    return {
        "uid": new.uid,
        "number": new.number,
        "sequence": new.sequence,
        "created": new.created,
        "modified": new.modified,
        "digest": new.digest,
        "record": to_record(new.event),
        "removed": new.removed,
        "current": True,
    }


def _revision(row: AnyRow) -> Revision:
    return Revision(
        uid=row.uid,
        number=row.number,
        sequence=row.sequence,
        created=row.created,
        modified=row.modified,
        digest=row.digest,
        event=from_record(row.record),
        removed=row.removed,
    )


def _change(row: AnyRow) -> Change:
    kind = ChangeKind(row.kind)
    return Change(
        kind=kind,
        at=row.at,
        uid=row.uid,
        event_id=row.event_id,
        number=row.number,
        before=_event(row.old_record),
        after=None if kind is ChangeKind.REMOVED else _event(row.new_record),
        fields=tuple(row.fields),
    )


def _event(stored: Mapping[str, Any] | None) -> Event | None:
    return None if stored is None else from_record(stored)


def prune(connection: Connection, before: datetime, least: int) -> None:
    """Drops changes of before then, but for the ``least`` newest, and the old revisions that nothing tells of any more.

    The newest revision of an event stays for good, also of one that is gone: its SEQUENCE must never go back.
    """
    kept = select(change.c.id).order_by(change.c.id.desc()).limit(least)
    connection.execute(delete(change).where(change.c.at < before, change.c.id.not_in(kept)))
    told = [
        exists().where(
            table.c.uid == revision.c.uid, or_(number == revision.c.number, table.c.before == revision.c.number)
        )
        for table, number in ((change, change.c.number), (delivery, delivery.c.revision))
    ]
    connection.execute(delete(revision).where(~revision.c.current, revision.c.modified < before, ~or_(*told)))
