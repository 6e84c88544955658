"""How it went: what a claimed delivery comes to, and what becomes of those nobody settles.

A claim is settled by the process that holds it. One that slept through its lease finds owner and attempt changed, and
its answer is kept as an attempt that was overtaken.

That a message was outdated counts as long as the publication stands that says so: an edit may have been undone since.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Update, bindparam, insert, or_, select, update

from calfeed.ledger import channels, processes, subscriptions
from calfeed.ledger.ids import new_ids
from calfeed.ledger.processes import Process
from calfeed.ledger.publications import lasting_version
from calfeed.ledger.retry import next_try
from calfeed.ledger.schema import SENDING, WAITING, attempt, delivery
from calfeed.ledger.sql import AnyRow
from calfeed.ledger.values import UNTRIED, Result, Settlement, State

LOST = "the process was lost before the answer came; whether it arrived is unknown"


def settle(connection: Connection, owner: str, settlements: Sequence[Settlement], now: datetime) -> None:
    """Records how claimed deliveries went; of those claimed again meanwhile only the attempt is kept."""
    settlements = _judged(connection, settlements)  # first of all: it takes the lock that publishing begins with
    rows = _rows(connection, [one.delivery for one in settlements])
    mine = {one.delivery: rows[one.delivery] for one in settlements if _holds(rows.get(one.delivery), owner, one)}
    _write(connection, [_settled(mine[one.delivery], one, now) for one in settlements if one.delivery in mine])
    tried = [one for one in settlements if one.result not in UNTRIED]
    _append(connection, owner, [(one, one.delivery not in mine) for one in tried], now)
    learned = [(mine[one.delivery], one) for one in tried if one.delivery in mine]
    channels.learn(connection, [(row.channel, one) for row, one in learned if row.subscription is None], now)
    subscriptions.learn(connection, [(row, one) for row, one in learned if row.subscription is not None], now)


def _judged(connection: Connection, settlements: Sequence[Settlement]) -> Sequence[Settlement]:
    """The same, with what was outdated by a publication that does not stand any more given back to be judged anew."""
    if all(one.version is None for one in settlements):
        return settlements
    number = lasting_version(connection)
    return [
        one if one.version in {None, number} else replace(one, result=Result.UNSENT, error=None) for one in settlements
    ]


def return_leases(connection: Connection, me: Process, mine: Collection[str], now: datetime) -> int:
    """Gives back what processes that were lost had claimed, but nothing of ``mine``, which are under way; counts it."""
    owners = connection.execute(select(delivery.c.owner).where(SENDING).distinct()).scalars().all()
    gone = processes.gone(connection, me, [owner for owner in owners if owner != me.id])
    query = select(*_NEEDED).where(SENDING, or_(delivery.c.lease_until <= now, delivery.c.owner.in_(gone)))
    found = connection.execute(query.with_for_update(skip_locked=True))
    rows = [row for row in found if row.owner != me.id or row.id not in mine]
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


_NEEDED = (
    *(delivery.c.id, delivery.c.kind, delivery.c.channel, delivery.c.subscription, delivery.c.state, delivery.c.owner),
    *(delivery.c.attempt, delivery.c.tries, delivery.c.tried_since, delivery.c.due, delivery.c.ends),
    delivery.c.withdrawn,
)


_ROWS = select(*_NEEDED).where(delivery.c.id.in_(bindparam("ids", expanding=True))).with_for_update()


def _rows(connection: Connection, ids: Sequence[str]) -> dict[str, AnyRow]:
    return {row.id: row for row in connection.execute(_ROWS, {"ids": ids})}


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
        connection.execute(_change(names), some)


@cache
def _change(names: frozenset[str]) -> Update:
    changed: dict[str, Any] = {name: bindparam(name) for name in sorted(names - {"row"})}
    freed = {"owner": None, "lease_until": None, "withdrawn": False}
    return update(delivery).where(delivery.c.id == bindparam("row")).values({**changed, **freed})


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
