"""Change notices: who knew of an event hears, once, that it moved, is off, on again or certain.

A new edit withdraws the notice that still waits and speaks from what readers know (`readers`): undone before it was
told, an edit tells nothing. Where nobody can say what they know, even an edit undone is told. What they know is looked
up again when the notice is claimed: a reminder may have told them meanwhile.

Of an audience, some subscriptions may have been told and others not. Its notice is planned as if all had.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from calfeed.events.changes import Revised
from calfeed.events.model import Catalog, Channel, Event, instant
from calfeed.events.occurrences import last_end, occurrences
from calfeed.events.revision import Change, Revision
from calfeed.ledger import revisions
from calfeed.ledger.audiences import is_audience
from calfeed.ledger.ids import new_ids
from calfeed.ledger.planning import horizon, withdrawal
from calfeed.ledger.readers import CHANNELS, About, knowledge, said
from calfeed.ledger.schema import delivery
from calfeed.ledger.sql import batches
from calfeed.reminders import clock
from calfeed.reminders.audience import TOLD, hears, news
from calfeed.reminders.plan import zone_of

_SOON = timedelta(hours=36)  # longer than any quiet hours


def notify(
    connection: Connection, catalog: Catalog, revised: Revised, before: Mapping[str, Revision], now: datetime
) -> None:
    """Plans a notice of each change for each channel that hears of it, and withdraws those it outdates."""
    planned = horizon(connection)
    channels = [one for one in catalog.channels if one.id in planned]
    uids = [change.uid for change in revised.changes if change.kind in TOLD]
    known = _known(connection, channels, {uid: before[uid] for uid in uids})
    _withdraw_waiting(connection, uids, now)
    after = revised.remembered
    found = (
        _notice(catalog, one, after[uid], known.get((one.id, uid), [before[uid]]), now)
        for uid in uids
        for one in channels
    )
    rows = [row for row in found if row]
    if rows:
        connection.execute(insert(delivery), [{**row, "id": id_} for id_, row in zip(new_ids(now), rows, strict=False)])


def _known(
    connection: Connection, channels: Sequence[Channel], before: Mapping[str, Revision]
) -> dict[About, list[Revision]]:
    """By channel or audience and event: the states that its readers know or may know, the surest first."""
    rows = said(connection, CHANNELS, [one.id for one in channels], before)
    numbers = {about: knowledge(some) for about, some in rows.items()}
    found = revisions.find(
        connection, {(uid, number) for (_, uid), some in numbers.items() for number in some if uid and number}
    )
    return {
        (name, uid): [found.get((uid, number or 0), before[uid]) for number in some]
        for (name, uid), some in numbers.items()
        if uid
    }


def _withdraw_waiting(connection: Connection, uids: Sequence[str], now: datetime) -> None:
    """The notices of these events that are still to be told, but not their copies to subscriptions."""
    for some in batches(uids):
        mine = delivery.c.uid.in_(some), delivery.c.kind == "change", delivery.c.subscription.is_(None)
        connection.execute(withdrawal(now).where(*mine))


def _notice(
    catalog: Catalog, one: Channel, revision: Revision, known: Sequence[Revision], now: datetime
) -> dict[str, Any] | None:
    """The row of what is news to those who know, or may know, one of these states; None when it is news to nobody."""
    for state in known:
        change = news(state.event, revision, now)
        if change is not None and hears(one, change, now):
            base = known[0] if is_audience(one.id) else state  # some of an audience were told nothing
            return _row(catalog, one, change, base.number, now)
    return None


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
