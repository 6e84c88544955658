"""Change notices: who knew of an event hears, once, that it moved, is off, on again or certain.

What readers know is what the last message that reached them said, be it a notice or a reminder. A new edit withdraws
the notice that still waits and speaks from what they know: undone before it was told, an edit tells nothing. Where
nobody can say whether a message arrived (a time-out, a lost process), even an edit undone is told.

Of an audience, some subscriptions may have been told and others not. Its notice is planned as if all had; what each of
them knows is looked up when its copy is claimed (`copies`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, ScalarSelect, func, insert, select

from calfeed.events.changes import compare
from calfeed.events.model import Catalog, Channel, Event, instant
from calfeed.events.occurrences import last_end, occurrences
from calfeed.events.revision import Change, Revision
from calfeed.ledger import revisions
from calfeed.ledger.audiences import is_audience
from calfeed.ledger.ids import new_ids
from calfeed.ledger.planning import OPEN, horizon, withdraw
from calfeed.ledger.schema import attempt, delivery
from calfeed.ledger.sql import AnyRow
from calfeed.ledger.values import Result, State
from calfeed.reminders import clock
from calfeed.reminders.audience import TOLD, hears
from calfeed.reminders.audience import known as shown
from calfeed.reminders.plan import zone_of

_SOON = timedelta(hours=36)  # longer than any quiet hours

TELLING = delivery.c.kind.in_(("change", "reminder"))
"""What tells readers of an event."""


def _unsure() -> ScalarSelect[datetime]:
    """When it was last tried without anybody knowing whether it arrived."""
    lost = attempt.c.outcome.in_((Result.LOST, Result.RETRY)) & attempt.c.status.is_(None)
    return select(func.max(attempt.c.ended)).where(attempt.c.delivery == delivery.c.id, lost).scalar_subquery()


SAID = (
    *(delivery.c[name] for name in ("id", "kind", "state", "before", "revision", "sent_at", "reached")),
    _unsure().label("unsure_at"),
)
"""The columns that `knowledge` needs."""


def notify(
    connection: Connection, catalog: Catalog, changes: Iterable[Change], before: Mapping[str, Revision], now: datetime
) -> None:
    """Plans a notice of each change for each channel that hears of it, and withdraws those it outdates."""
    planned = horizon(connection)
    channels = [one for one in catalog.channels if one.id in planned]
    rows = []
    for change in changes:
        if change.kind in TOLD:
            known = _knowledge(connection, before[change.uid])
            withdraw(connection, _waiting(connection, change.uid), now)
            for one in channels:
                base, doubtful = known.get(one.id, (before[change.uid], False))
                told = _since(base, change, now)
                if told is None and doubtful:
                    told = change
                    base = base if is_audience(one.id) else before[change.uid]  # some of an audience were told nothing
                if told is not None and hears(one, told, now):
                    rows.append(_row(catalog, one, told, base.number, now))
    if rows:
        connection.execute(insert(delivery), [{**row, "id": id_} for id_, row in zip(new_ids(now), rows, strict=False)])


def _knowledge(connection: Connection, before: Revision) -> dict[str, tuple[Revision, bool]]:
    """By channel: the state that its readers know for sure, and whether they may have been told another since."""
    mine = delivery.c.uid == before.uid, TELLING, delivery.c.subscription.is_(None)
    rows = connection.execute(select(delivery.c.channel, *SAID).where(*mine).order_by(delivery.c.id)).all()
    found = {}
    for name in {row.channel for row in rows}:
        own = [row for row in rows if row.channel == name]
        number, doubtful = knowledge(own)
        found[name] = (number and revisions.find(connection, before.uid, number)) or before, doubtful
    return found


def knowledge(rows: Sequence[AnyRow]) -> tuple[int | None, bool]:
    """(revision that readers know, None when it is the last published; whether they may know another).

    ``rows`` have the columns `SAID`, of all that was ever to be told to one reader of one event, in order of planning.
    """
    told = max((row for row in rows if row.sent_at and row.revision), key=lambda row: row.sent_at, default=None)
    open_ = [row for row in rows if row.state != State.SENT]
    tried = [row.unsure_at for row in open_ if row.unsure_at and (told is None or row.unsure_at > told.sent_at)]
    doubtful = bool(tried) or any(row.state == State.SENDING or row.reached for row in open_)
    if told is not None:
        return told.revision, doubtful
    return next((row.before for row in open_ if row.kind == "change"), None), doubtful


def _waiting(connection: Connection, uid: str) -> list[str]:
    """The notices of an event that are still to be told, but not their copies to subscriptions."""
    query = select(delivery.c.id).where(
        delivery.c.uid == uid,
        delivery.c.kind == "change",
        delivery.c.state.in_(OPEN),
        delivery.c.subscription.is_(None),
    )
    return list(connection.execute(query).scalars())


def _since(base: Revision, change: Change, now: datetime) -> Change | None:
    """The change as seen from the state that is known; None when it only undoes what nobody was told.

    Nor is it told that something is gone to those who know that it is off: both are one message.
    """
    before, after = shown(base.event, now), change.after and shown(change.after, now)
    if after is None and before.status == "cancelled":
        return None
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
