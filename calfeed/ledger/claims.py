"""Mine: a delivery is claimed by one process for the length of a lease.

The claim is committed before anything is sent. A row whose lease ran out may be claimed again; `settling` sees to it
that a sender that slept through its lease overwrites nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, literal_column, or_, select, update

from calfeed.events.revision import Revision
from calfeed.ledger import channels, revisions
from calfeed.ledger.schema import Instant, delivery
from calfeed.ledger.sql import AnyRow
from calfeed.ledger.values import Claimed, State

LEASE = timedelta(seconds=40)
"""Longer than a claimed row waits for its thread (20 s) and any request then takes (15 s)."""

# Literals, not parameters: only from them can SQLite see that its partial indexes apply.
_PENDING = delivery.c.state == literal_column("'pending'")
WAITING = (_PENDING & delivery.c.subscription.is_(None), _PENDING & delivery.c.subscription.is_not(None))
SENDING = delivery.c.state == literal_column("'sending'")

_CLAIMED = ("id", "kind", "channel", "uid", "subject", "due", "attempt")
_MAX_PAGES = 50

# Made once: to build a statement costs as much as to run it. What is hidden from the planner by an empty string must
# not make it choose an index by it: that of channels would be sorted whole, that of states be gone through whole while
# the planner still thinks that next to nothing waits.
_NOW = bindparam("now", type_=Instant)
_READY = (
    select(delivery.c.id, delivery.c.channel, delivery.c.at)
    .where(delivery.c.at <= _NOW)
    .where(or_(delivery.c.tries > 0, delivery.c.expires.is_(None), delivery.c.expires > _NOW))
    .where(or_(delivery.c.ends.is_(None), delivery.c.ends > _NOW))
    .limit(bindparam("count"))
    .with_for_update(skip_locked=True)
)
_PAGE = _READY.where(WAITING[0], delivery.c.channel.concat("").in_(bindparam("served", expanding=True))).order_by(
    delivery.c.at, delivery.c.id
)
_OF_CHANNEL = _READY.where(_PENDING, delivery.c.channel == bindparam("channel")).order_by(delivery.c.at)
_TAKE = (
    update(delivery)
    .where(delivery.c.id.in_(bindparam("ids", expanding=True)), delivery.c.state.concat("") == State.PENDING)
    .values(
        state=State.SENDING,
        owner=bindparam("me"),
        lease_until=bindparam("until", type_=Instant),
        attempt=delivery.c.attempt + 1,
        tries=delivery.c.tries + 1,
        tried_since=func.coalesce(delivery.c.tried_since, _NOW),
    )
    .returning(*(delivery.c[name] for name in _CLAIMED), delivery.c.before, delivery.c.subscription)
)
_DUE = [select(delivery.c.id).where(waits, delivery.c.at <= _NOW).limit(1) for waits in WAITING]
_OVERDUE = select(delivery.c.id).where(SENDING, delivery.c.lease_until <= _NOW).limit(1)


def claim(
    connection: Connection,
    owner: str,
    *,
    now: datetime,
    limit: int,
    served: Collection[str],
    admit: Callable[[str], bool],
) -> list[Claimed]:
    """At most ``limit`` deliveries that are due, the longest due first, of the ``served`` channels.

    ``admit(channel)`` says whether that channel takes one more now, and counts it in when it does. A channel with
    thousands waiting takes its share, and the rest of the limit goes to the others.
    """
    closed = set(channels.broken(connection))
    taken: list[Claimed] = []
    for _ in range(_MAX_PAGES):
        open_ = [one for one in served if one not in closed]
        wanted = limit - len(taken)
        if not open_ or wanted <= 0:
            break
        page = (_beside if closed else _page)(connection, now, wanted, open_)
        chosen = _share(page, admit, closed)
        taken += take(connection, owner, now, [row.id for row in chosen])
        if len(page) < wanted and len(chosen) == len(page):
            break
    return taken


def idle(connection: Connection, now: datetime) -> bool:
    """Whether nothing waits to be claimed, given back or expired."""
    return all(connection.execute(query, {"now": now}).first() is None for query in (*_DUE, _OVERDUE))


def _page(connection: Connection, now: datetime, count: int, served: Sequence[str]) -> Sequence[AnyRow]:
    return connection.execute(_PAGE, {"now": now, "count": count, "served": served}).all()


def _beside(connection: Connection, now: datetime, count: int, served: Sequence[str]) -> Sequence[AnyRow]:
    """As `_page`, asked channel by channel: a closed one may have 100,000 waiting, past which a page would look."""
    each = ({"now": now, "count": count, "channel": one} for one in served)
    found = [row for values in each for row in connection.execute(_OF_CHANNEL, values)]
    return sorted(found, key=lambda row: (row.at, row.id))[:count]


def _share(page: Sequence[AnyRow], admit: Callable[[str], bool], closed: set[str]) -> list[AnyRow]:
    """The rows their channels take; a channel that takes no more is closed for this claim."""
    chosen = []
    for row in page:
        if row.channel not in closed and admit(row.channel):
            chosen.append(row)
        else:
            closed.add(row.channel)
    return chosen


def take(
    connection: Connection, owner: str, now: datetime, ids: Sequence[str], known: Mapping[str, int] | None = None
) -> list[Claimed]:
    """Claims these of those that still wait, for the length of a lease.

    ``known`` are the revisions that readers of change notices know, where they are not those that were planned with.
    """
    if not ids:
        return []
    values = {"ids": ids, "me": owner, "until": now + LEASE, "now": now}
    rows = connection.execute(_TAKE, values).mappings().all()
    order = {id_: place for place, id_ in enumerate(ids)}
    find = cache(lambda uid, number: revisions.find(connection, uid, number))
    base = known or {}
    claimed = (
        Claimed(
            **{name: row[name] for name in _CLAIMED},
            **_told(connection, row, find, base.get(row["id"], row["before"])),
        )
        for row in rows
    )
    return sorted(claimed, key=lambda one: order[one.id])


def _told(
    connection: Connection, row: RowMapping, find: Callable[[str, int], Revision | None], number: int
) -> dict[str, Any]:
    """What the readers of a change notice know, and the provider's name for the message that told them."""
    if row["kind"] != "change":
        return {}
    known = find(row["uid"], number)
    told = {"known": known.event if known else None}
    return told if row["subscription"] else told | {"corrects": _reference(connection, row)}


def _reference(connection: Connection, row: RowMapping) -> str | None:
    query = select(delivery.c.provider_ref).where(
        delivery.c.uid == row["uid"], delivery.c.channel == row["channel"], delivery.c.provider_ref.is_not(None)
    )
    return connection.execute(query.order_by(delivery.c.sent_at.desc()).limit(1)).scalar()
