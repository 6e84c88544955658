"""How often one address may write, over all processes: a bucket of tokens each, refilled evenly.

Of an address a hash is kept, under a salt of the day: while both are there, who can read the database could try out
addresses; so a bucket is dropped once it is full again, and the salt with its day.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from math import ceil

from sqlalchemy import Connection, delete, select, update

from calfeed.errors import TooMany
from calfeed.ledger.schema import allowance, salt
from calfeed.ledger.sql import upsert


@dataclass(frozen=True, slots=True)
class Quota:
    """``quota`` writes in ``window``; ``policy`` is what clients know it by."""

    policy: str
    quota: int
    window: timedelta

    @property
    def each(self) -> float:
        """Seconds for one more."""
        return self.window.total_seconds() / self.quota

    def refilled(self, tokens: float, at: datetime, now: datetime) -> float:
        """What ``tokens`` left at ``at`` have grown to; a clock that went back gives nothing."""
        return min(tokens + max((now - at).total_seconds(), 0.0) / self.each, float(self.quota))

    def spent(self, tokens: float) -> float:
        """One less. Raises TooMany."""
        if tokens < 1:
            raise TooMany("too many writes from this address", ceil((1 - tokens) * self.each))
        return tokens - 1


LONGEST = timedelta(hours=1)
"""The longest window of any quota."""


def take(connection: Connection, quota: Quota, network: str, now: datetime) -> float:
    """Counts one write of a network; what is left of its tokens. Raises TooMany, which counts nothing."""
    place = blake2b(network.encode(), key=_salt(connection, now).encode(), digest_size=16).hexdigest()
    mine = allowance.c.policy == quota.policy, allowance.c.place == place
    full = {"policy": quota.policy, "place": place, "tokens": float(quota.quota), "at": now}
    connection.execute(upsert(connection, allowance).values(full).on_conflict_do_nothing())
    row = connection.execute(select(allowance.c.tokens, allowance.c.at).where(*mine).with_for_update()).one()
    left = quota.spent(quota.refilled(row.tokens, row.at, now))
    connection.execute(update(allowance).where(*mine).values(tokens=left, at=max(now, row.at)))
    return left


def prune(connection: Connection, now: datetime) -> None:
    """Drops what has filled up since, and the salts of days that are over."""
    connection.execute(delete(allowance).where(allowance.c.at < now - LONGEST))
    connection.execute(delete(salt).where(salt.c.day < _day(now)))


def _day(now: datetime) -> str:
    return f"{now:%Y-%m-%d}"


def _salt(connection: Connection, now: datetime) -> str:
    """Today's, which the first process to ask for it makes; with it buckets begin anew."""
    query = select(salt.c.salt).where(salt.c.day == _day(now))
    found: str | None = connection.execute(query).scalar()
    if found is None:
        fresh = {"day": _day(now), "salt": secrets.token_urlsafe(32)}
        connection.execute(upsert(connection, salt).values(fresh).on_conflict_do_nothing())
        found = connection.execute(query).scalar_one()
        connection.execute(delete(salt).where(salt.c.day < _day(now)))
    return found
