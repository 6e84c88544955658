"""Mine: a delivery is claimed by one process for the length of a lease.

The claim is committed before anything is sent. A row whose lease ran out may be claimed again; `settling` sees to it
that a sender that slept through its lease overwrites nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, or_, select, update

from calfeed.ledger import channels, revisions
from calfeed.ledger.readers import CHANNELS, TELLING, Due, apart
from calfeed.ledger.schema import PENDING, SENDING, WAITING, Instant, delivery
from calfeed.ledger.sql import AnyRow
from calfeed.ledger.values import Claimed, State

LEASE = timedelta(seconds=40)
"""Longer than a claimed row waits for its thread (20 s) and any request then takes (15 s)."""

_CLAIMED = ("id", "key", "kind", "channel", "uid", "subject", "due", "attempt")
_MAX_PAGES = 50

# Made once: to build a statement costs as much as to run it. What is hidden from the planner by an empty string must
# not make it choose an index by it: that of channels would be sorted whole, that of states be gone through whole while
# the planner still thinks that next to nothing waits.
_NOW = bindparam("now", type_=Instant)
_READY = (
    select(*(delivery.c[name] for name in ("id", "kind", "channel", "uid", "at")), TELLING.label("tells"))
    .where(delivery.c.at <= _NOW)
    .where(or_(delivery.c.tries > 0, delivery.c.expires.is_(None), delivery.c.expires > _NOW))
    .where(or_(delivery.c.ends.is_(None), delivery.c.ends > _NOW))
    .limit(bindparam("count"))
    .with_for_update(skip_locked=True)
)
_PAGE = _READY.where(WAITING[0], delivery.c.channel.concat("").in_(bindparam("served", expanding=True))).order_by(
    delivery.c.at, delivery.c.id
)
_OF_CHANNEL = _READY.where(PENDING, delivery.c.channel == bindparam("channel")).order_by(delivery.c.at)
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
        due = [Due(row.id, row.kind, (row.channel, row.uid), row.tells) for row in chosen]
        taken += take(connection, owner, now, *apart(connection, CHANNELS, due, now))
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
    connection: Connection,
    owner: str,
    now: datetime,
    ids: Sequence[str],
    known: Mapping[str, Sequence[int | None]],
) -> list[Claimed]:
    """Claims these of those that still wait, for the length of a lease.

    ``known`` are the revisions that readers of change notices know or may know; None is the one it was planned with.
    """
    if not ids:
        return []
    values = {"ids": ids, "me": owner, "until": now + LEASE, "now": now}
    rows = connection.execute(_TAKE, values).mappings().all()
    order = {id_: place for place, id_ in enumerate(ids)}
    told = _told(connection, [row for row in rows if row["kind"] == "change"], known)
    claimed = (Claimed(**{name: row[name] for name in _CLAIMED}, **told.get(row["id"], {})) for row in rows)
    return sorted(claimed, key=lambda one: order[one.id])


def _told(
    connection: Connection, notices: Sequence[RowMapping], known: Mapping[str, Sequence[int | None]]
) -> dict[str, dict[str, Any]]:
    """What the readers of each notice know, and the provider's name for the message that told them."""
    states = {
        row["id"]: [(row["uid"], number or row["before"]) for number in known.get(row["id"], ())] for row in notices
    }
    found = revisions.find(connection, {state for some in states.values() for state in some})
    references = _references(connection, [row for row in notices if not row["subscription"]])
    return {
        row["id"]: {
            "known": tuple(found[state].event for state in states[row["id"]] if state in found),
            "corrects": references.get((row["channel"], row["uid"])),
        }
        for row in notices
    }


def _references(connection: Connection, notices: Sequence[RowMapping]) -> dict[tuple[str, str], str]:
    """By channel and event: what the provider calls the last message that told of it."""
    if not notices:
        return {}
    query = select(delivery.c.channel, delivery.c.uid, delivery.c.provider_ref).where(
        delivery.c.channel.in_({row["channel"] for row in notices}),
        delivery.c.uid.in_({row["uid"] for row in notices}),
        delivery.c.provider_ref.is_not(None),
        TELLING,
    )
    return {(row.channel, row.uid): row.provider_ref for row in connection.execute(query.order_by(delivery.c.sent_at))}
