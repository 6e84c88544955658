"""The secret links of private feeds: 256 bits of chance, of which only a hash is kept."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, Connection, insert, or_, select, update

from calfeed.errors import NotFound
from calfeed.ledger.ids import new_id
from calfeed.ledger.schema import token

OCTETS = 32
NOTED = timedelta(hours=1)
"""How exactly the last use is noted; each note costs a write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One secret link, without its secret."""

    id: str
    feed: str
    created: datetime
    used: datetime | None
    revoked: datetime | None


def fresh() -> str:
    """A secret nobody can guess, safe in URLs."""
    return secrets.token_urlsafe(OCTETS)


def digest(secret: str) -> str:
    """What is kept of a secret: with so much chance in it, plain SHA-256 cannot be undone."""
    return sha256(secret.encode()).hexdigest()


def make(connection: Connection, feed: str, now: datetime) -> tuple[str, str]:
    """(id, token) of a new link; the token is known to the caller alone."""
    id_, secret = new_id(now), fresh()
    connection.execute(insert(token).values(id=id_, feed=feed, digest=digest(secret), created=now))
    return id_, secret


def find(connection: Connection) -> list[Token]:
    """Every link that was ever made, oldest first."""
    columns = (token.c[name] for name in Token.__dataclass_fields__)
    return [Token(**row) for row in connection.execute(select(*columns).order_by(token.c.id)).mappings()]


def revoke(connection: Connection, id_: str, now: datetime) -> None:
    """Ends a link; one that has ended stays so. Raises NotFound."""
    query = update(token).where(token.c.id == id_, token.c.revoked.is_(None)).values(revoked=now)
    if not connection.execute(query).rowcount and not _exists(connection, id_):
        raise NotFound(f"no token has the id {id_}")


def opens(connection: Connection, secret: str, feed: str) -> bool:
    """Whether the secret opens this feed now.

    The index is asked for a hash, so its timing tells nothing of the secrets there are; what it finds is compared in
    constant time.
    """
    wanted = digest(secret)
    query = select(token.c.digest, token.c.feed).where(token.c.digest == wanted, token.c.revoked.is_(None))
    row = connection.execute(query).one_or_none()
    return row is not None and hmac.compare_digest(row.digest, wanted) and row.feed == feed


def stale(connection: Connection, secret: str, now: datetime) -> bool:
    """Whether the last use is to be noted."""
    query = select(token.c.id).where(token.c.digest == digest(secret), _unnoted(now))
    return connection.execute(query).first() is not None


def note(connection: Connection, secret: str, now: datetime) -> None:
    """Notes the use, unless others have."""
    connection.execute(update(token).where(token.c.digest == digest(secret), _unnoted(now)).values(used=now))


def _unnoted(now: datetime) -> ColumnElement[bool]:
    return or_(token.c.used.is_(None), token.c.used <= now - NOTED)


def _exists(connection: Connection, id_: str) -> bool:
    return connection.execute(select(token.c.id).where(token.c.id == id_)).first() is not None
