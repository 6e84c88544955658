"""Self-service subscriptions: who has proved that a URL is theirs is told there, until they say stop.

What may not be known to others is kept so: of the owner's token only a hash. The URL and the signing secret are needed
to send, so they are kept as they are: whoever can read the database can read them, as they can the events.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Literal

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from calfeed.errors import NotFound
from calfeed.ledger import audiences, quotas, tokens
from calfeed.ledger.audiences import Audience
from calfeed.ledger.channels import PATIENCE, WORN_OUT
from calfeed.ledger.ids import new_id
from calfeed.ledger.planning import withdraw
from calfeed.ledger.quotas import UNVERIFIED
from calfeed.ledger.schema import audience, delivery, subscription
from calfeed.ledger.sql import AnyRow
from calfeed.ledger.values import Result, Settlement, State

Kind = Literal["webhook", "slack"]
Purpose = Literal["challenge", "confirm", "unsubscribe"]

UNVERIFIED_KEPT = timedelta(days=1)
"""How long an endpoint that fails is challenged again, and what did not prove itself is kept."""
GONE_KEPT = timedelta(days=30)


class Standing(StrEnum):
    """Where a subscription stands."""

    UNVERIFIED = "unverified"  # nothing but challenges is sent
    ACTIVE = "active"
    PAUSED = "paused"  # by its owner
    GONE = "gone"  # its endpoint said so (410), or did nothing but fail for five days


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks for; the URL is theirs to keep secret. ``home`` is the address of the page they asked at."""

    audience: Audience
    kind: Kind
    url: str = field(repr=False)
    host: str = field(repr=False)
    home: str
    language: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One subscription. ``since`` is when it was proved or taken up again: nothing due before is told."""

    id: str
    audience: Audience
    state: Standing
    kind: Kind
    url: str = field(repr=False)
    secret: str = field(repr=False)
    seed: str = field(repr=False)
    host: str = field(repr=False)
    home: str
    language: str | None
    timezone: str | None
    created: datetime
    since: datetime | None
    sent_at: datetime | None
    failing_since: datetime | None
    reason: str | None

    def proof(self, purpose: Purpose) -> str:
        """What only who was sent it can show; good for one purpose. Who made the subscription cannot compute it."""
        found = hmac.digest(self.seed.encode(), f"{purpose}:{self.id}".encode(), sha256)
        return urlsafe_b64encode(found).decode().rstrip("=")

    def proves(self, purpose: Purpose, given: str) -> bool:
        """Whether this is the proof; compared in constant time."""
        return hmac.compare_digest(self.proof(purpose).encode(), given.encode())


_COLUMNS = [subscription.c[name] for name in Subscription.__dataclass_fields__ if name != "audience"]
WANTED = [*_COLUMNS, audience.c.feed, audience.c.categories, audience.c.before]
"""The columns that `made` needs."""


def create(connection: Connection, wish: Wish, now: datetime) -> tuple[Subscription, str]:
    """(the unverified subscription, its owner's token), with its challenge to be sent. Raises TooMany."""
    quotas.check(connection, wish.url, wish.host)
    id_, token = f"sub_{new_id(now)}", tokens.fresh()
    values = {
        "id": id_,
        "audience": audiences.join(connection, wish.audience),
        "state": Standing.UNVERIFIED,
        "kind": wish.kind,
        "url": wish.url,
        "secret": "whsec_" + b64encode(secrets.token_bytes(32)).decode(),
        "seed": tokens.fresh(),
        "digest": tokens.digest(token),
        "host": wish.host,
        "place": quotas.place(wish.url),
        "home": wish.home,
        "language": wish.language,
        "timezone": wish.timezone,
        "created": now,
    }
    connection.execute(insert(subscription).values(values))
    connection.execute(insert(delivery).values(_challenge(id_, wish.audience.id, now)))
    return find(connection, id_), token


def find(connection: Connection, id_: str) -> Subscription:
    """The subscription. Raises NotFound."""
    query = select(*WANTED).join(audience, audience.c.id == subscription.c.audience).where(subscription.c.id == id_)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("there is no such subscription")
    return made(row)


def owned(connection: Connection, id_: str, token: str) -> Subscription | None:
    """The subscription, for who has its token; None for who has another. Raises NotFound."""
    one = find(connection, id_)
    kept = connection.execute(select(subscription.c.digest).where(subscription.c.id == id_)).scalar_one()
    return one if hmac.compare_digest(kept, tokens.digest(token)) else None


def shown(connection: Connection, id_: str, purpose: Purpose, proof: str) -> Subscription:
    """The subscription, for who was sent a link of this purpose. Raises NotFound, also for a wrong proof."""
    one = find(connection, id_)
    if not one.proves(purpose, proof):
        raise NotFound("there is no such subscription")
    return one


def verify(connection: Connection, id_: str, now: datetime) -> None:
    """Its URL has proved itself."""
    values = {"state": Standing.ACTIVE, "since": now, "reason": None}
    connection.execute(update(subscription).where(subscription.c.id == id_, UNVERIFIED).values(values))


def pause(connection: Connection, id_: str, now: datetime) -> None:
    """Sends nothing until it is resumed; what falls due meanwhile is not told later."""
    once = subscription.c.state.in_((Standing.ACTIVE, Standing.GONE))
    connection.execute(update(subscription).where(subscription.c.id == id_, once).values(state=Standing.PAUSED))
    _withdraw(connection, id_, now)


def resume(connection: Connection, id_: str, now: datetime) -> None:
    """Sends again from now on, also to one that was gone: its owner asks for it."""
    still = subscription.c.state.in_((Standing.PAUSED, Standing.GONE))
    values = {"state": Standing.ACTIVE, "since": now, "failing_since": None, "reason": None}
    connection.execute(update(subscription).where(subscription.c.id == id_, still).values(values))


def remove(connection: Connection, id_: str, now: datetime) -> None:
    """Forgets it, and sends nothing more."""
    _withdraw(connection, id_, now)
    connection.execute(delete(subscription).where(subscription.c.id == id_))


def learn(connection: Connection, settled: Iterable[tuple[AnyRow, Settlement]], now: datetime) -> None:
    """Takes in how attempts at subscriptions went: proved, well, failing, gone."""
    found = list(settled)
    for row, one in found:
        if row.kind == "challenge":
            _challenged(connection, row.subscription, one, now)
        elif one.result is Result.BROKEN:
            _end(connection, row.subscription, one.error or "its endpoint says so", now)
    others = [(row.subscription, one.result) for row, one in found if row.kind != "challenge"]
    _well(connection, [id_ for id_, result in others if result is Result.SENT], now)
    _failing(connection, [id_ for id_, result in others if result is Result.RETRY], now)


def prune(connection: Connection, now: datetime) -> int:
    """Drops what was never proved and what is long gone; counts them."""
    unproved = and_(UNVERIFIED, subscription.c.created < now - UNVERIFIED_KEPT)
    gone = and_(subscription.c.state == Standing.GONE, subscription.c.failed_at < now - GONE_KEPT)
    dropped = connection.execute(delete(subscription).where(or_(unproved, gone))).rowcount
    audiences.forget(connection)
    return dropped


def wanted(connection: Connection) -> bool:
    """Whether anybody waits for a reminder or for a challenge."""
    queries = (select(subscription.c.id).where(waits).limit(1) for waits in (audiences.ACTIVE, UNVERIFIED))
    return any(connection.execute(query).first() is not None for query in queries)


def counts(connection: Connection) -> dict[str, int]:
    """How many stand where."""
    query = select(subscription.c.state, func.count()).group_by(subscription.c.state)
    return {row[0]: row[1] for row in connection.execute(query)}


def made(row: AnyRow) -> Subscription:
    """From a row with the columns `WANTED`."""
    values = {column.name: getattr(row, column.name) for column in _COLUMNS}
    return Subscription(**{**values, "state": Standing(row.state)}, audience=Audience.of(row))


def _challenge(id_: str, audience_id: str, now: datetime) -> dict[str, object]:
    return {
        "id": new_id(now),
        "key": f"challenge|{id_}",
        "kind": "challenge",
        "channel": audience_id,
        "subscription": id_,
        "subject": "challenge",
        "due": now,
        "at": now,
        "expires": now + UNVERIFIED_KEPT,
        "ends": now + UNVERIFIED_KEPT,
        "state": State.PENDING,
        "planned": now,
    }


def _withdraw(connection: Connection, id_: str, now: datetime) -> None:
    unsent = delivery.c.state.in_((State.PENDING, State.SENDING))
    query = select(delivery.c.id).where(delivery.c.subscription == id_, unsent, delivery.c.kind != "challenge")
    withdraw(connection, list(connection.execute(query).scalars()), now)


def _challenged(connection: Connection, id_: str, one: Settlement, now: datetime) -> None:
    """A Slack webhook cannot answer; there its reader confirms, so that a challenge that was taken proves nothing."""
    kind = connection.execute(select(subscription.c.kind).where(subscription.c.id == id_)).scalar()
    if one.result is not Result.SENT:
        here = update(subscription).where(subscription.c.id == id_, UNVERIFIED)
        connection.execute(here.values(reason=one.error))
    elif kind == "webhook":
        verify(connection, id_, now)


def _well(connection: Connection, ids: Sequence[str], now: datetime) -> None:
    if ids:
        connection.execute(
            update(subscription).where(subscription.c.id.in_(ids)).values(sent_at=now, failing_since=None)
        )


def _failing(connection: Connection, ids: Sequence[str], now: datetime) -> None:
    if not ids:
        return
    since = func.coalesce(subscription.c.failing_since, now)
    connection.execute(
        update(subscription).where(subscription.c.id.in_(ids)).values(failing_since=since, failed_at=now)
    )
    worn = subscription.c.failing_since <= now - PATIENCE
    for id_ in connection.execute(select(subscription.c.id).where(subscription.c.id.in_(ids), worn)).scalars().all():
        _end(connection, id_, WORN_OUT, now)


def _end(connection: Connection, id_: str, reason: str, now: datetime) -> None:
    active = and_(subscription.c.id == id_, audiences.ACTIVE)
    values = {"state": Standing.GONE, "reason": reason, "failed_at": now}
    connection.execute(update(subscription).where(active).values(values))
    waiting = (delivery.c.subscription == id_, delivery.c.state == State.PENDING)
    rejected = {"state": State.REJECTED, "settled": now, "last_error": "the subscription is gone"}
    connection.execute(update(delivery).where(*waiting).values(rejected))
