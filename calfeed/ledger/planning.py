"""What is owed: reminders and digests become rows, fourteen days ahead, and follow every edit of the source.

Each channel has a horizon, the instant until which everything due is a row. It moves on from where it stood, not from
now, so that what fell due while nothing ran is a row too: to be sent late, or recorded as expired.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Update, case, delete, func, insert, select, update

from calfeed.events.model import Catalog, Channel, moment_key
from calfeed.ledger import undone
from calfeed.ledger.audiences import is_audience
from calfeed.ledger.ids import new_ids
from calfeed.ledger.schema import SENDING, channel, delivery
from calfeed.ledger.sql import batches, upsert
from calfeed.reminders.digest import DueDigest, due_digests
from calfeed.reminders.plan import SLACK, DueReminder, due_reminders

HORIZON = timedelta(days=14)
STEP = timedelta(hours=1)
"""How far the horizon may lag before it is moved on."""

BEHIND = timedelta(minutes=2)
"""How far the time of a publication may lag behind that of a sender: it waited for the database, or a clock is slow."""

Wanted = dict[str, dict[str, Any]]
OPEN = ("pending", "sending")


def reminder_key(due: DueReminder) -> str:
    """The plan's key and the start that is announced: an event that moves after it was told reminds again."""
    return f"{due.key}|{moment_key(due.occurrence.start)}"


def wanted(catalog: Catalog, since: datetime, until: datetime, channels: Sequence[Channel]) -> Wanted:
    """The rows that ought to be there for (since, until], by key, in order of due time."""
    reminders = (
        _row("reminder", reminder_key(due), due, due.event.uid)
        for due in due_reminders(catalog, since, until, channels)
    )
    digests = (_row("digest", due.key, due, None) for due in due_digests(catalog, since, until, channels))
    return {row["key"]: row for row in (*reminders, *digests)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Horizons to move on, from where each stands, and the rows that fall due on the way."""

    since: Mapping[str, datetime]
    until: datetime
    rows: Sequence[dict[str, Any]]


def ahead(catalog: Catalog, horizons: Mapping[str, datetime], active: Collection[str], now: datetime) -> Step:
    """The next step of the ``active`` channels; one that is seen for the first time begins now. Pure."""
    lagging = [one for one in catalog.channels if one.id in active and _lags(horizons.get(one.id), now)]
    return _step(catalog, {one.id: horizons.get(one.id, now) for one in lagging}, now + HORIZON)


def behind(catalog: Catalog, horizons: Mapping[str, datetime], now: datetime) -> Step:
    """The step that brings horizons up to now, by the catalog that was in force until now. Pure."""
    return _step(
        catalog, {one.id: since for one in catalog.channels if (since := horizons.get(one.id, now)) < now}, now
    )


def take(connection: Connection, step: Step, now: datetime) -> bool:
    """Makes a step; False when other hands have moved one of its horizons meanwhile."""
    horizons = horizon(connection)
    if any(horizons.get(id_, since) != since for id_, since in step.since.items()):
        return False
    fresh = [{"id": id_, "since": now, "until": now} for id_ in step.since if id_ not in horizons]
    if fresh:
        connection.execute(insert(channel), fresh)
    add(connection, step.rows, now)
    connection.execute(update(channel).where(channel.c.id.in_(step.since)).values(until=step.until))
    return True


def returning(connection: Connection, catalog: Catalog) -> list[Channel]:
    """The channels that are not planned for though there are deliveries of them: they were out of the list."""
    horizons, query = horizon(connection), select(delivery.c.id).limit(1)
    absent = [one for one in catalog.channels if one.id not in horizons]
    return [one for one in absent if connection.execute(query.where(delivery.c.channel == one.id)).first()]


def reconcile(connection: Connection, catalog: Catalog, back: Sequence[Channel], now: datetime) -> None:
    """Makes the unsent rows agree with the catalog: withdraws, moves, and adds what falls due after now.

    ``back`` are the channels that are `returning`.
    """
    horizons = horizon(connection)
    _forget(connection, horizons.keys() - catalog.channel_by_id.keys())
    withdraw(connection, _notices_of_the_gone(connection, catalog), now)
    channels = [one for one in catalog.channels if one.id in horizons]
    rows = _open_rows(connection)
    since = min([now, *(row["due"] for row in rows)]) - SLACK  # an edit may have put it earlier
    until = max((horizons[one.id] for one in channels), default=now)
    owed = wanted(catalog, since, until, channels) | wanted(catalog, since, now, back)
    renamed = {undone.identity(row) for row in owed.values() if row["due"] <= now}
    lasting = [row for row in rows if row["key"] in owed or undone.identity(row) in renamed]
    kept = {row["id"] for row in lasting}
    withdraw(connection, [row["id"] for row in rows if row["id"] not in kept], now)
    _move(connection, lasting, owed)
    known = {row["key"] for row in rows}
    fresh = [row for row in owed.values() if row["key"] not in known and now < row["due"] <= horizons[row["channel"]]]
    missed = [row for row in owed.values() if row["key"] not in known and row["due"] <= now < row["expires"]]
    last = undone.last(missed)
    add(connection, [*fresh, *undone.withdrawn(connection, last)], now)
    undone.revive_copies(connection, last, now)
    undone.revive_all_copies(connection, back, now)


def resume(connection: Connection, back: Sequence[Channel], now: datetime) -> None:
    """Plans for these channels from now on, whenever the first step is made: what falls due until then is owed too."""
    if back:
        connection.execute(insert(channel), [{"id": one.id, "since": now, "until": now} for one in back])


def at_least(connection: Connection, now: datetime) -> datetime:
    """Now, or when the last fell due of what is being sent or was: that is past, and is not planned again."""
    sent = (delivery.c.state == "sent") & delivery.c.settled.is_not(None)
    query = select(func.max(delivery.c.due)).where(delivery.c.due > now, delivery.c.due <= now + BEHIND)
    found: list[datetime | None] = [connection.execute(query.where(done)).scalar() for done in (SENDING, sent)]
    return max([now, *(due for due in found if due is not None)])


def horizon(connection: Connection) -> dict[str, datetime]:
    """Planned until, by channel."""
    rows = connection.execute(select(channel.c.id, channel.c.until))
    return {row.id: row.until for row in rows}


def _lags(until: datetime | None, now: datetime) -> bool:
    return until is None or now + HORIZON - until >= STEP


def _step(catalog: Catalog, since: Mapping[str, datetime], until: datetime) -> Step:
    rows: list[dict[str, Any]] = []
    for start in set(since.values()):
        group = [one for one in catalog.channels if since.get(one.id) == start]
        rows += wanted(catalog, start, until, group).values()
    return Step(since=since, until=until, rows=rows)


def _row(kind: str, key: str, due: DueReminder | DueDigest, uid: str | None) -> dict[str, Any]:
    return {
        "key": key,
        "kind": kind,
        "channel": due.channel.id,
        "uid": uid,
        "subject": due.key,
        "due": due.due,
        "expires": due.expires,
        "ends": due.ends,
        "at": due.due,
        "state": "pending",
    }


def add(connection: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """A row that is there already stays as it is, unless it had been superseded: then it counts again."""
    if not rows:
        return
    statement = upsert(connection, delivery)
    fresh = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=[delivery.c.key],
        set_={
            "state": "pending",
            "before": fresh.before,
            "due": fresh.due,
            "at": fresh.at,
            "expires": fresh.expires,
            "ends": fresh.ends,
            "tries": 0,
            "tried_since": None,
            "settled": None,
        },
        where=delivery.c.state == "superseded",
    )
    stamped = [{**row, "id": id_, "planned": now} for id_, row in zip(new_ids(now), rows, strict=False)]
    connection.execute(statement, stamped)


def _open_rows(connection: Connection) -> list[dict[str, Any]]:
    """Copies to subscriptions are not among them: there may be 100,000, and each is checked when it is sent."""
    names = ("id", "key", "channel", "uid", "due", "expires", "ends", "tries", "withdrawn")
    query = select(*(delivery.c[name] for name in names)).where(
        delivery.c.kind.in_(("reminder", "digest")), delivery.c.state.in_(OPEN), delivery.c.subscription.is_(None)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _notices_of_the_gone(connection: Connection, catalog: Catalog) -> list[str]:
    """Open notices of channels that are not in the list: nobody would send them. Those of audiences become copies."""
    query = select(delivery.c.id, delivery.c.channel).where(
        delivery.c.kind == "change", delivery.c.state.in_(OPEN), delivery.c.subscription.is_(None)
    )
    rows = connection.execute(query)
    return [row.id for row in rows if row.channel not in catalog.channel_by_id and not is_audience(row.channel)]


def withdraw(connection: Connection, ids: Collection[str], now: datetime) -> None:
    """What waits is superseded; what is on its way is so as soon as it comes back unsent.

    One statement decides which of the two it is: a sender may claim the row at this very moment.
    """
    for some in batches(list(ids)):
        connection.execute(withdrawal(now).where(delivery.c.id.in_(some)))


def withdrawal(now: datetime) -> Update:
    """`withdraw` as a statement, for a condition of the caller's."""
    waits = delivery.c.state == "pending"
    return (
        update(delivery)
        .where(delivery.c.state.in_(OPEN))
        .values(
            state=case((waits, "superseded"), else_=delivery.c.state),
            settled=case((waits, now), else_=None),
            withdrawn=~waits,
        )
    )


def _move(connection: Connection, rows: Sequence[Mapping[str, Any]], owed: Wanted) -> None:
    for row in rows:
        values = _moved(row, owed.get(row["key"]))
        if values:
            connection.execute(update(delivery).where(delivery.c.id == row["id"]).values(values))


def _moved(row: Mapping[str, Any], new: Mapping[str, Any] | None) -> dict[str, Any]:
    """What changes for a row that stands: when it is due, until it was tried; when it is too late, unless never."""
    values: dict[str, Any] = {"withdrawn": False} if row["withdrawn"] else {}
    if new is None:
        return values
    if row["due"] != new["due"] and row["tries"] == 0:
        return values | {name: new[name] for name in ("due", "at", "expires", "ends")}
    bounds = ("expires", "ends")  # none for what is tried again by hand
    return values | {name: new[name] for name in bounds if row[name] is not None and row[name] != new[name]}


def _forget(connection: Connection, gone: Collection[str]) -> None:
    """A channel that left the source is not planned for; should it return, it is from then on.

    What it misses is found by what was withdrawn from it when it left, as long as that matters.
    """
    if gone:
        connection.execute(delete(channel).where(channel.c.id.in_(gone)))
