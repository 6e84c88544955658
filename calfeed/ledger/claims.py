"""Mine: a delivery is claimed by one process for the length of a lease, and settled by that process alone.

The claim is committed before anything is sent. A row whose lease ran out may be claimed again; the sender that slept
through its lease finds owner and attempt changed, and its answer is kept as an attempt that was overtaken.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, literal, literal_column, or_, select, update

from calfeed.events.revision import Revision
from calfeed.ledger import channels, processes, revisions, subscriptions
from calfeed.ledger.ids import new_ids
from calfeed.ledger.processes import Process
from calfeed.ledger.retry import next_try
from calfeed.ledger.schema import Instant, attempt, delivery
from calfeed.ledger.sql import AnyRow
from calfeed.ledger.values import UNTRIED, Claimed, Result, Settlement, State

LEASE = timedelta(seconds=40)
"""Longer than a claimed row waits for its thread (20 s) and any request then takes (15 s)."""

LOST = "the process was lost before the answer came; whether it arrived is unknown"

# Literals, not parameters: only from them can SQLite see that its partial indexes apply.
_PENDING = delivery.c.state == literal_column("'pending'")
WAITING = (_PENDING & delivery.c.subscription.is_(None), _PENDING & delivery.c.subscription.is_not(None))
SENDING = delivery.c.state == literal_column("'sending'")

_CLAIMED = ("id", "kind", "channel", "uid", "subject", "due", "attempt")
_MAX_PAGES = 50


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
        page = _page(connection, now, wanted, open_)
        chosen = _share(page, admit, closed)
        taken += take(connection, owner, now, [row.id for row in chosen])
        if len(page) < wanted and len(chosen) == len(page):
            break
    return taken


def settle(connection: Connection, owner: str, settlements: Sequence[Settlement], now: datetime) -> None:
    """Records how claimed deliveries went; of those claimed again meanwhile only the attempt is kept."""
    rows = _rows(connection, [one.delivery for one in settlements])
    mine = {one.delivery: rows[one.delivery] for one in settlements if _holds(rows.get(one.delivery), owner, one)}
    _write(connection, [_settled(mine[one.delivery], one, now) for one in settlements if one.delivery in mine])
    tried = [one for one in settlements if one.result not in UNTRIED]
    _append(connection, owner, [(one, one.delivery not in mine) for one in tried], now)
    learned = [(mine[one.delivery], one) for one in tried if one.delivery in mine]
    channels.learn(connection, [(row.channel, one) for row, one in learned if row.subscription is None], now)
    subscriptions.learn(connection, [(row, one) for row, one in learned if row.subscription is not None], now)


def return_leases(connection: Connection, me: Process, now: datetime) -> int:
    """Gives back what processes that were lost had claimed; counts them."""
    owners = connection.execute(select(delivery.c.owner).where(SENDING).distinct()).scalars().all()
    gone = processes.gone(connection, me, [owner for owner in owners if owner != me.id])
    query = select(*_NEEDED).where(SENDING, or_(delivery.c.lease_until <= now, delivery.c.owner.in_(gone)))
    rows = connection.execute(query.with_for_update(skip_locked=True)).all()
    lost = [
        (row, Settlement(delivery=row.id, attempt=row.attempt, result=Result.LOST, ended=now, error=LOST))
        for row in rows
    ]
    _write(connection, [_settled(row, one, now) for row, one in lost])
    for row, one in lost:
        _append(connection, row.owner, [(one, False)], now)
    return len(rows)


def expire(connection: Connection, now: datetime) -> int:
    """Names the outcome of what can no longer be sent: expired, dead, rejected; counts them."""
    late = (delivery.c.tries == 0) & (delivery.c.expires <= now)
    over = (delivery.c.tries > 0) & (delivery.c.ends <= now)
    ended = 0
    for waits in WAITING:
        for too_late, state in ((late, State.EXPIRED), (over, State.DEAD)):
            rows = select(delivery.c.id).where(waits, delivery.c.at <= now, too_late).with_for_update(skip_locked=True)
            statement = update(delivery).where(delivery.c.id.in_(rows)).values(state=state, settled=now)
            ended += connection.execute(statement).rowcount
    return ended + channels.reject_due(connection, now)


def idle(connection: Connection, now: datetime) -> bool:
    """Whether nothing waits to be claimed, given back or expired."""
    due = (select(delivery.c.id).where(waits, delivery.c.at <= now) for waits in WAITING)
    lost = select(delivery.c.id).where(SENDING, delivery.c.lease_until <= now)
    return all(connection.execute(query.limit(1)).first() is None for query in (*due, lost))


def _page(connection: Connection, now: datetime, count: int, served: Sequence[str]) -> Sequence[AnyRow]:
    in_time = or_(delivery.c.tries > 0, delivery.c.expires.is_(None), delivery.c.expires > now)
    not_over = or_(delivery.c.ends.is_(None), delivery.c.ends > now)
    query = (
        select(delivery.c.id, delivery.c.channel)
        .where(WAITING[0], delivery.c.at <= now, in_time, not_over)
        .where(delivery.c.channel.concat("").in_(served))  # an index by channel would have all that waits sorted
        .order_by(delivery.c.at, delivery.c.id)
        .limit(count)
        .with_for_update(skip_locked=True)
    )
    return connection.execute(query).all()


def _share(page: Sequence[AnyRow], admit: Callable[[str], bool], closed: set[str]) -> list[AnyRow]:
    """The rows their channels take; a channel that takes no more is closed for this claim."""
    chosen = []
    for row in page:
        if row.channel not in closed and admit(row.channel):
            chosen.append(row)
        else:
            closed.add(row.channel)
    return chosen


def take(connection: Connection, owner: str, now: datetime, ids: Sequence[str]) -> list[Claimed]:
    """Claims these of those that still wait, for the length of a lease."""
    if not ids:
        return []
    statement = (
        update(delivery)
        .where(delivery.c.id.in_(ids), delivery.c.state == State.PENDING)
        .values(
            state=State.SENDING,
            owner=owner,
            lease_until=now + LEASE,
            attempt=delivery.c.attempt + 1,
            tries=delivery.c.tries + 1,
            tried_since=func.coalesce(delivery.c.tried_since, literal(now, Instant)),
        )
        .returning(*(delivery.c[name] for name in _CLAIMED), delivery.c.before, delivery.c.subscription)
    )
    rows = connection.execute(statement).mappings().all()
    order = {id_: place for place, id_ in enumerate(ids)}
    find = cache(lambda uid, number: revisions.find(connection, uid, number))
    claimed = (Claimed(**{name: row[name] for name in _CLAIMED}, **_told(connection, row, find)) for row in rows)
    return sorted(claimed, key=lambda one: order[one.id])


def _told(connection: Connection, row: RowMapping, find: Callable[[str, int], Revision | None]) -> dict[str, Any]:
    """What the readers of a change notice know, and the provider's name for the message that told them."""
    if row["kind"] != "change":
        return {}
    known = find(row["uid"], row["before"])
    told = {"known": known.event if known else None}
    return told if row["subscription"] else told | {"corrects": _reference(connection, row)}


def _reference(connection: Connection, row: RowMapping) -> str | None:
    query = select(delivery.c.provider_ref).where(
        delivery.c.uid == row["uid"], delivery.c.channel == row["channel"], delivery.c.provider_ref.is_not(None)
    )
    return connection.execute(query.order_by(delivery.c.sent_at.desc()).limit(1)).scalar()


_NEEDED = (
    *(delivery.c.id, delivery.c.kind, delivery.c.channel, delivery.c.subscription, delivery.c.state, delivery.c.owner),
    *(delivery.c.attempt, delivery.c.tries, delivery.c.tried_since, delivery.c.due, delivery.c.ends),
    delivery.c.withdrawn,
)


def _rows(connection: Connection, ids: Sequence[str]) -> dict[str, AnyRow]:
    query = select(*_NEEDED).where(delivery.c.id.in_(ids)).with_for_update()
    return {row.id: row for row in connection.execute(query)}


def _holds(row: AnyRow | None, owner: str, one: Settlement) -> bool:
    """Whether this answer decides.

    It does while the claim stands; and when it says that the message arrived, as long as nobody has claimed it since.
    """
    if row is None or row.attempt != one.attempt:
        return False
    if row.state == State.SENDING:
        return bool(row.owner == owner)
    return one.result is Result.SENT and row.state != State.SENT


def _settled(row: AnyRow, one: Settlement, now: datetime) -> dict[str, Any]:
    """The new values of a row."""
    values = {"state": State.PENDING, "settled": None, "last_error": one.error, "row": row.id}
    values |= _OUTCOMES[one.result](row, one, now)
    if row.withdrawn and values["state"] is State.PENDING:
        values["state"] = State.SUPERSEDED
    if values["state"] is not State.PENDING:
        values["settled"] = now
    return values


def _sent(row: AnyRow, one: Settlement, _now: datetime) -> dict[str, Any]:
    late = max((one.ended - row.due).total_seconds(), 0.0)
    told = {"provider_ref": one.provider_ref} | ({"revision": one.revision} if one.revision else {})
    return {"state": State.SENT, "sent_at": one.ended, "late": late} | told


def _retry(row: AnyRow, one: Settlement, now: datetime) -> dict[str, Any]:
    again = next_try(
        now, row.tries, since=row.tried_since, ends=row.ends, retry_after=one.retry_after, chance=random.random
    )
    return {"state": State.DEAD} if again is None else {"at": again}


def _lost(row: AnyRow, _one: Settlement, now: datetime) -> dict[str, Any]:
    """At once again, and with a day of its own: the time a machine was away is not held against the message."""
    if row.ends is not None and row.ends <= now:
        return {"state": State.DEAD}
    return {"at": now, "tried_since": now}


def _unsent(row: AnyRow, _one: Settlement, now: datetime) -> dict[str, Any]:
    first = row.tries == 1
    return {"at": now, "tries": row.tries - 1, "tried_since": None if first else row.tried_since}


def _ends_as(state: State) -> Callable[[AnyRow, Settlement, datetime], dict[str, Any]]:
    return lambda _row, _one, _now: {"state": state}


_OUTCOMES: Mapping[Result, Callable[[AnyRow, Settlement, datetime], dict[str, Any]]] = {
    Result.SENT: _sent,
    Result.RETRY: _retry,
    Result.LOST: _lost,
    Result.UNSENT: _unsent,
    Result.REJECTED: _ends_as(State.REJECTED),
    Result.BROKEN: _ends_as(State.REJECTED),
    Result.SUPERSEDED: _ends_as(State.SUPERSEDED),
}


def _write(connection: Connection, values: Iterable[dict[str, Any]]) -> None:
    """One statement for each set of columns, as each way to end has its own."""
    groups: dict[frozenset[str], list[dict[str, Any]]] = {}
    for one in values:
        groups.setdefault(frozenset(one), []).append(one)
    for names, some in groups.items():
        changed: dict[str, Any] = {name: bindparam(name) for name in sorted(names - {"row"})}
        statement = update(delivery).where(delivery.c.id == bindparam("row")).values({**changed, **_FREE})
        connection.execute(statement, some)


_FREE = {"owner": None, "lease_until": None, "withdrawn": False}


def _append(connection: Connection, owner: str, tried: Sequence[tuple[Settlement, bool]], now: datetime) -> None:
    if tried:
        connection.execute(insert(attempt), list(_attempts(owner, tried, now)))


def _attempts(owner: str, tried: Sequence[tuple[Settlement, bool]], now: datetime) -> Iterator[dict[str, Any]]:
    for id_, (one, overtaken) in zip(new_ids(now), tried, strict=False):
        yield {
            "id": id_,
            "delivery": one.delivery,
            "number": one.attempt,
            "owner": owner,
            "started": one.started,
            "ended": one.ended,
            "outcome": one.result,
            "status": one.status,
            "error": one.error,
            "retry_after": one.retry_after,
            "excerpt": one.excerpt,
            "overtaken": overtaken,
        }
