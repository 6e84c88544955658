"""Deliveries and attempts for those who look: operators, pages, the command line; and the retry by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, select, update

from calfeed.errors import NotFound
from calfeed.ledger import channels
from calfeed.ledger.planning import OPEN
from calfeed.ledger.schema import attempt, delivery, revision
from calfeed.ledger.sql import batches
from calfeed.ledger.values import Attempt, Delivery, State

KEPT = timedelta(days=400)
"""Settled deliveries and their attempts are kept for a year, and a month to look back at it."""

BATCH = 5_000
"""Deliveries dropped in one transaction: a crowd's are many, and others wait to claim meanwhile."""

RETRIABLE = frozenset({State.DEAD, State.REJECTED, State.EXPIRED})

_EVENT = revision.c.record["id"].as_string()
_DELIVERIES = select(
    *(delivery.c[name] for name in Delivery.__dataclass_fields__ if name != "event"), _EVENT.label("event")
).outerjoin_from(delivery, revision, (revision.c.uid == delivery.c.uid) & revision.c.current)


def find(
    connection: Connection,
    *,
    state: str | None = None,
    channel: str | None = None,
    kind: str | None = None,
    uid: str | None = None,
    event: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[Delivery]:
    """Deliveries, the latest due first; ``event`` is an id, also of an event that is gone."""
    asked = {"state": state, "channel": channel, "kind": kind, "uid": uid}
    query = _DELIVERIES.where(*(delivery.c[name] == value for name, value in asked.items() if value is not None))
    if event is not None:
        query = query.where(delivery.c.uid.in_(select(revision.c.uid).where(revision.c.current, event == _EVENT)))
    if state is not None and state not in OPEN:
        query = query.where(delivery.c.settled.is_not(None))  # what its index covers
    query = query.order_by(delivery.c.due.desc(), delivery.c.id.desc()).limit(limit).offset(offset)
    return [_delivery(row) for row in connection.execute(query).mappings()]


def show(connection: Connection, id_: str) -> tuple[Delivery, list[Attempt]]:
    """One delivery, by its id or webhook-id, with its attempts in order. Raises NotFound."""
    query = _DELIVERIES.where(delivery.c.id == id_.removeprefix("msg_"))
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound(f"no delivery has the id {id_}")
    names = (attempt.c[name] for name in Attempt.__dataclass_fields__)
    tries = connection.execute(
        select(*names).where(attempt.c.delivery == row["id"]).order_by(attempt.c.number, attempt.c.ended)
    ).mappings()
    return _delivery(row), [Attempt(**one) for one in tries]


def retry(connection: Connection, ids: Sequence[str], now: datetime) -> list[Delivery]:
    """Sends again, at once and whatever the hour, what is dead, rejected or expired; returns what was taken.

    A broken channel among them counts as mended: somebody has looked at it. Raises NotFound for an unknown id.
    """
    found = [show(connection, id_)[0] for id_ in ids]
    chosen = [one for one in found if one.state in RETRIABLE]
    for name in {one.channel for one in chosen} & set(channels.broken(connection)):
        channels.restore(connection, name, now)
    fresh = {"state": State.PENDING, "at": now, "tries": 0, "tried_since": None, "expires": None, "ends": None}
    for some in batches([one.id for one in chosen]):
        connection.execute(update(delivery).where(delivery.c.id.in_(some)).values(**fresh, settled=None))
    return chosen


def prune(connection: Connection, now: datetime) -> int:
    """Drops deliveries settled longer ago than `KEPT`, with their attempts, at most `BATCH` of them; counts them."""
    return drop(connection, delivery.c.settled < now - KEPT)


def drop(connection: Connection, *which: ColumnElement[bool]) -> int:
    """Deletes at most `BATCH` of these deliveries, with their attempts; counts them."""
    some = select(delivery.c.id).where(*which).limit(BATCH)
    return connection.execute(delete(delivery).where(delivery.c.id.in_(some))).rowcount


def _delivery(row: RowMapping) -> Delivery:
    return Delivery(**{**row, "state": State(row["state"])})
