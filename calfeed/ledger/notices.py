"""Change notices: who knew of an event hears, once, that it moved, is off, on again or certain.

A new edit withdraws the notice that still waits and speaks from what readers know (`readers`): undone before it was
told, an edit tells nothing. Where nobody can say what they know, even an edit undone is told. What they know is looked
up again when the notice is claimed: a reminder may have told them meanwhile.

Of an audience, some subscriptions may have been told and others not. Its notice is planned as if all had.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, or_, select, update

from calfeed.events.changes import Revised
from calfeed.events.model import Catalog, Channel, Event, instant
from calfeed.events.occurrences import last_end, occurrences
from calfeed.events.revision import Change, Revision
from calfeed.ledger import revisions
from calfeed.ledger.audiences import is_audience
from calfeed.ledger.planning import add, horizon, withdrawal
from calfeed.ledger.readers import CHANNELS, TELLING, About, knowledge, said
from calfeed.ledger.schema import SENDING, delivery
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
    rows = []
    for uid in uids:
        for one in channels:
            states = known.get((one.id, uid), [before[uid]])
            base = states[0] if is_audience(one.id) else None  # some of an audience were told nothing
            rows.append(_notice(catalog, one, after[uid], states, now, base=base))
    add(connection, [row for row in rows if row], now)


def catch_up(
    connection: Connection, catalog: Catalog, back: Sequence[Channel], after: Mapping[str, Revision], now: datetime
) -> None:
    """Plans a notice of what the readers of channels that are ``back`` were told, where that is not true any more.

    Anything that any of them was ever told is reason enough: what each knows is looked up when it is sent. What was on
    its way when its channel left, and still is, counts again.
    """
    by_id = {one.id: one for one in back}
    for some in batches(sorted(by_id)):
        here = delivery.c.channel.in_(some), delivery.c.kind == "change", SENDING
        connection.execute(update(delivery).where(*here).values(withdrawn=False))
    told = {about: sorted(numbers, reverse=True) for about, numbers in _told(connection, by_id, after).items()}
    known = revisions.find(connection, {(uid, number) for (_, uid), numbers in told.items() for number in numbers})
    rows = []
    for (name, uid), numbers in told.items():
        states = [known[uid, one] for one in numbers if (uid, one) in known]
        base = states[-1] if states and is_audience(name) else None  # some of an audience were told nothing since
        rows.append(_notice(catalog, by_id[name], after[uid], states, now, base=base))
    add(connection, [row for row in rows if row], now)


def _told(
    connection: Connection, channels: Collection[str], after: Mapping[str, Revision]
) -> dict[tuple[str, str], set[int]]:
    """By channel or audience and event: the revisions that their readers were ever told, or may have been.

    A notice may have reached nobody: it also speaks for what they were taken to know when it was planned.
    """
    names = (delivery.c[name] for name in ("channel", "uid", "before", "revision"))
    query = select(*names).where(TELLING, or_(delivery.c.attempt > 0, delivery.c.kind == "change")).distinct()
    found: dict[tuple[str, str], set[int]] = {}
    for some in batches(sorted(channels)):
        for row in connection.execute(query.where(delivery.c.channel.in_(some))):
            if row.uid in after:  # of a reminder that may not have arrived nobody knows which it told
                numbers = {row.revision, row.before} if row.revision else range(1, after[row.uid].number)
                found.setdefault((row.channel, row.uid), set()).update(one for one in numbers if one)
    return found


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
    catalog: Catalog,
    one: Channel,
    revision: Revision,
    known: Sequence[Revision],
    now: datetime,
    *,
    base: Revision | None = None,
) -> dict[str, Any] | None:
    """The row of what is news to those who know, or may know, one of these states; None when it is news to nobody.

    ``base`` is what those know of whom nothing is known, if it is not that state.
    """
    for state in known:
        change = news(state.event, revision, now)
        if change is not None and hears(one, change, now):
            return _row(catalog, one, change, (base or state).number, now)
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
    }


def _next_start(states: Iterable[Event], now: datetime) -> datetime:
    """When the next of it begins, in either state; quiet hours do not hold a notice beyond that."""
    starts = (instant(one.start, event.zone) for event in states for one in occurrences(event, now, now + _SOON))
    return min((start for start in starts if start > now), default=datetime.max.replace(tzinfo=UTC))
