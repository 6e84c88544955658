"""How much strangers get: of one URL, of one host, in all. How often one may ask is the web's to count."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import Connection, func, literal_column, select

from calfeed.errors import TooMany
from calfeed.ledger.schema import subscription

MOST = 200_000
MOST_PER_URL = 10
MOST_UNVERIFIED_PER_HOST = 100
"""A host that is asked to prove itself again and again may be somebody's victim."""

UNVERIFIED = subscription.c.state == literal_column("'unverified'")  # SQLite takes a partial index for a literal only


def check(connection: Connection, url: str, host: str) -> None:
    """Raises TooMany where one subscription more would be too many."""
    same = select(func.count()).where(subscription.c.place == place(url))
    if connection.execute(same).scalar_one() >= MOST_PER_URL:
        raise TooMany("this address has as many subscriptions as one may have", 86_400)
    asked = select(func.count()).where(UNVERIFIED, subscription.c.host == host)
    if connection.execute(asked).scalar_one() >= MOST_UNVERIFIED_PER_HOST:
        raise TooMany("too many subscriptions to this host wait to be proved", 3_600)
    if connection.execute(select(func.count()).select_from(subscription)).scalar_one() >= MOST:
        raise TooMany("this calendar takes no more subscriptions", 86_400)


def place(url: str) -> str:
    """What tells URLs apart without showing them."""
    return sha256(url.encode()).hexdigest()
