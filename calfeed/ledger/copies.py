"""Copies: what an audience is owed becomes one delivery to each of its subscriptions, a page at a time.

A page is one short transaction: the copies, and how far they have come, are committed together, so that a process that
is killed half way leaves nothing undone or done twice, and the deliveries of others pass in between.

The copy of a change notice outdates those of the same event that its subscription was not sent yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Update,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)

from calfeed.ledger.audiences import ACTIVE, SIGN
from calfeed.ledger.claims import take
from calfeed.ledger.ids import new_id
from calfeed.ledger.planning import withdrawal
from calfeed.ledger.readers import SUBSCRIPTIONS, TELLING, UID, Due, apart, put_off
from calfeed.ledger.reading import drop
from calfeed.ledger.schema import WAITING, attempt, audience, delivery, subscription
from calfeed.ledger.sql import AnyRow, batches, upsert
from calfeed.ledger.subscriptions import WANTED, Standing, Subscription, made
from calfeed.ledger.values import Claimed, Result, State

PAGE = 1_000
"""Copies made in one transaction."""

LOOK, LOOKS = 64, 16
"""Copies looked at in one go, and how often, to find those whose hosts take one more."""

KEPT = timedelta(days=14)
"""Settled copies are kept for so long; what became of the reminder itself is kept with its audience's delivery."""

_ALIKE = ("kind", "channel", "uid", "subject", "revision", "before", "due", "expires", "ends", "at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A claimed delivery and the subscription it goes to."""

    claimed: Claimed
    subscription: Subscription


def spread(connection: Connection, owner: str, now: datetime) -> bool:
    """Copies the longest due delivery of an audience to the next page of its subscriptions; False when none is due."""
    row = connection.execute(_due(now).limit(1).with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return False
    page = _members(row).order_by(subscription.c.id).limit(PAGE).subquery()
    last, count = connection.execute(select(func.max(page.c.id), func.count()).select_from(page)).one()
    if count:
        if row.kind == "change":
            connection.execute(_outdate(row, last, now))
        connection.execute(_copies(connection, row, last, now))
    if count < PAGE:
        _spread_out(connection, owner, row, now)
        if row.reached and connection.dialect.name == "postgresql":
            connection.execute(text("ANALYZE delivery"))  # else it plans as if there were no crowd, and sorts it whole
    else:
        connection.execute(update(delivery).where(delivery.c.id == row.id).values(reached=last, attempt=1))
    return True


def claim(
    connection: Connection, owner: str, *, now: datetime, limit: int, admit: Callable[[Subscription], float]
) -> list[Copy]:
    """At most ``limit`` copies that are due, the longest due first.

    ``admit(subscription)`` is 0 when its host takes one more now, and counts it in; else the seconds until it is worth
    asking again, for which its copy is put off: a host with thousands waiting must not hold up the others.
    """
    taken: list[Copy] = []
    for _ in range(LOOKS):
        rows = connection.execute(_look(now)).all()
        chosen, waits, outdated = _partition(rows, limit - len(taken), admit)
        _supersede(connection, outdated, now)
        _put_off(connection, waits, now)
        due = [Due(row.copy, row.told, (row.subscription, row.uid), row.tells) for row in rows if row.copy in chosen]
        found = take(connection, owner, now, *apart(connection, SUBSCRIPTIONS, due, now))
        taken += [Copy(claimed=one, subscription=chosen[one.id]) for one in found]
        if len(taken) >= limit or len(rows) < LOOK:
            break
    return taken


def idle(connection: Connection, now: datetime) -> bool:
    """Whether nothing is to be copied and no copy waits to be sent."""
    waits = select(delivery.c.id).where(WAITING[1], delivery.c.at <= now)
    return all(connection.execute(query.limit(1)).first() is None for query in (_due(now), waits))


def prune(connection: Connection, now: datetime) -> int:
    """Drops copies settled longer ago than `KEPT`, with their attempts, a batch of them; counts them."""
    return drop(connection, delivery.c.subscription.is_not(None), delivery.c.settled < now - KEPT)


def _due(now: datetime) -> Select[Any]:
    in_time = or_(delivery.c.expires.is_(None), delivery.c.expires > now)
    mine = delivery.c.channel.startswith(SIGN)
    return (
        select(delivery).where(WAITING[0], delivery.c.at <= now, mine, in_time).order_by(delivery.c.at, delivery.c.id)
    )


def _members(row: AnyRow) -> Select[Any]:
    """The subscriptions of an audience that have not got their copy: those that were there when it fell due."""
    query = select(subscription.c.id).where(subscription.c.audience == row.channel, ACTIVE)
    return query.where(subscription.c.since <= row.due, subscription.c.id > (row.reached or ""))


def _copies(connection: Connection, row: AnyRow, last: str, now: datetime) -> Any:
    same: dict[str, ColumnElement[Any]] = {name: literal(getattr(row, name), delivery.c[name].type) for name in _ALIKE}
    own: dict[str, ColumnElement[Any]] = {
        "id": literal(f"{row.id}-").concat(func.substr(subscription.c.id, len("sub_") + 1)),
        "key": literal(f"{row.key}|").concat(subscription.c.id),
        "subscription": subscription.c.id,
        "state": literal(State.PENDING.value),
        "planned": literal(now, delivery.c.planned.type),
    }
    values = same | own
    chosen = _members(row).where(subscription.c.id <= last).with_only_columns(*values.values())
    return upsert(connection, delivery).from_select(list(values), chosen).on_conflict_do_nothing()


def _outdate(row: AnyRow, last: str, now: datetime) -> Update:
    """Withdraws the copies of earlier notices of the event from the page that is about to get its copies."""
    page = _members(row).where(subscription.c.id <= last)
    earlier = delivery.c.kind == "change", row.uid == UID, delivery.c.revision < row.revision
    return withdrawal(now).where(delivery.c.subscription.in_(page), *earlier)


def _spread_out(connection: Connection, owner: str, row: AnyRow, now: datetime) -> None:
    """Everybody has a copy: the delivery is done, and an attempt says so, as for any other."""
    late = max((now - row.due).total_seconds(), 0.0)
    done = {"state": State.SENT, "sent_at": now, "settled": now, "late": late, "attempt": 1, "withdrawn": False}
    connection.execute(update(delivery).where(delivery.c.id == row.id).values(done))
    tried = {"id": new_id(now), "delivery": row.id, "number": 1, "owner": owner, "started": now, "ended": now}
    connection.execute(insert(attempt).values(**tried, outcome=Result.SENT))


def _look(now: datetime) -> Select[Any]:
    """The copies to look at, cut off before anything is joined to them: there may be 100,000 that wait."""
    in_time = or_(delivery.c.tries > 0, delivery.c.expires.is_(None), delivery.c.expires > now)
    not_over = or_(delivery.c.ends.is_(None), delivery.c.ends > now)
    first = (
        select(
            delivery.c.id.label("copy"),
            delivery.c.kind.label("told"),
            TELLING.label("tells"),
            *(delivery.c[name] for name in ("uid", "at", "subscription")),
        )
        .where(WAITING[1], delivery.c.at <= now, in_time, not_over)
        .order_by(delivery.c.at, delivery.c.id)
        .limit(LOOK)
        .with_for_update(skip_locked=True)
        .cte("waiting")
    )
    return (
        select(first.c.copy, first.c.told, first.c.tells, first.c.uid, first.c.subscription, *WANTED)
        .outerjoin_from(first, subscription, subscription.c.id == first.c.subscription)
        .outerjoin(audience, audience.c.id == subscription.c.audience)
        .order_by(first.c.at, first.c.copy)
    )


def _partition(
    rows: Iterable[AnyRow], limit: int, admit: Callable[[Subscription], float]
) -> tuple[dict[str, Subscription], dict[str, float], list[str]]:
    """(copies to claim, copies to put off by so many seconds, copies that nobody is to get any more)."""
    chosen: dict[str, Subscription] = {}
    put_off: dict[str, float] = {}
    outdated = []
    for row in rows:
        if len(chosen) >= limit:
            break
        if row.state != (Standing.UNVERIFIED if row.told == "challenge" else Standing.ACTIVE):
            outdated.append(row.copy)
            continue
        one = made(row)
        wait = admit(one)
        if wait:
            put_off[row.copy] = wait
        else:
            chosen[row.copy] = one
    return chosen, put_off, outdated


def _supersede(connection: Connection, ids: Sequence[str], now: datetime) -> None:
    for some in batches(ids):
        values = {"state": State.SUPERSEDED, "settled": now, "last_error": "the subscription is not there any more"}
        connection.execute(update(delivery).where(delivery.c.id.in_(some)).values(values))


def _put_off(connection: Connection, waits: dict[str, float], now: datetime) -> None:
    for seconds in set(waits.values()):
        ids = [id_ for id_, wait in waits.items() if wait == seconds]
        put_off(connection, ids, now + timedelta(seconds=seconds))
