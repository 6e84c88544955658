"""Change notices: who knew of an event hears, once, that it moved, is off, on again or certain.

What readers know is the state the last notice on its way told them, or what was published before. A new edit withdraws
the notice that still waits and speaks from what they know: undone before it was told, an edit tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from calfeed.events.changes import compare
from calfeed.events.model import Catalog, Channel, Event, instant
from calfeed.events.occurrences import last_end, occurrences
from calfeed.events.revision import Change, Revision
from calfeed.ledger import revisions
from calfeed.ledger.ids import new_ids
from calfeed.ledger.planning import horizon, withdraw
from calfeed.ledger.schema import delivery
from calfeed.ledger.sql import AnyRow
from calfeed.reminders import clock
from calfeed.reminders.audience import TOLD, hears, known
from calfeed.reminders.plan import zone_of

_SOON = timedelta(hours=36)  # longer than any quiet hours


def notify(
    connection: Connection, catalog: Catalog, changes: Iterable[Change], before: Mapping[str, Revision], now: datetime
) -> None:
    """Plans a notice of each change for each channel that hears of it, and withdraws those it outdates."""
    planned = horizon(connection)
    channels = [one for one in catalog.channels if one.id in planned]
    rows = []
    for change in changes:
        if change.kind in TOLD:
            waiting = _waiting(connection, change.uid)
            withdraw(connection, [row.id for row in waiting.values()], now)
            for one in channels:
                base = _base(connection, waiting.get(one.id), before[change.uid])
                told = _since(base, change, now)
                if told is not None and hears(one, told, now):
                    rows.append(_row(catalog, one, told, base.number, now))
    if rows:
        connection.execute(insert(delivery), [{**row, "id": id_} for id_, row in zip(new_ids(now), rows, strict=False)])


def _base(connection: Connection, untold: AnyRow | None, before: Revision) -> Revision:
    """The state that readers of a channel know."""
    if untold is None:
        return before
    return revisions.find(connection, before.uid, untold.before) or before


def _waiting(connection: Connection, uid: str) -> dict[str, AnyRow]:
    """The notices of an event that nobody has heard yet, by channel."""
    query = select(delivery.c.id, delivery.c.channel, delivery.c.before).where(
        delivery.c.uid == uid,
        delivery.c.kind == "change",
        delivery.c.state == "pending",
        delivery.c.attempt == 0,
        delivery.c.subscription.is_(None),
    )
    return {row.channel: row for row in connection.execute(query)}


def _since(base: Revision, change: Change, now: datetime) -> Change | None:
    """The change as seen from the state that is known; None when it only undoes what nobody was told."""
    before, after = known(base.event, now), change.after and known(change.after, now)
    found = compare(before, after)
    if found is None:
        return None
    kind, names = found
    return replace(change, kind=kind, fields=names, before=before, after=after)


def _row(catalog: Catalog, one: Channel, change: Change, base: int, now: datetime) -> dict[str, Any]:
    states = [event for event in (change.before, change.after) if event is not None]
    ends = [last_end(event) for event in states]
    over = None if None in ends else max(end for end in ends if end is not None)
    due = clock.held(now, one.quiet, zone_of(one, catalog.calendar), _next_start(states, now))
    key = f"{change.uid}|{change.number}|{one.id}"
    return {
        "key": key,
        "kind": "change",
        "channel": one.id,
        "uid": change.uid,
        "subject": key,
        "revision": change.number,
        "before": base,
        "due": due,
        "at": due,
        "expires": over,
        "ends": over,
        "state": "pending",
        "planned": now,
    }


def _next_start(states: Iterable[Event], now: datetime) -> datetime:
    """When the next of it begins, in either state; quiet hours do not hold a notice beyond that."""
    starts = (instant(one.start, event.zone) for event in states for one in occurrences(event, now, now + _SOON))
    return min((start for start in starts if start > now), default=datetime.max.replace(tzinfo=UTC))
