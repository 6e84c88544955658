"""What strangers may have done to the ledger, and what is done for them; each method is one transaction.

Every method may raise LedgerBusy, LedgerVersion or LedgerError, as those of `Ledger` do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from calfeed.ledger import allowances, audiences, copies, reading, subscriptions
from calfeed.ledger.allowances import Quota
from calfeed.ledger.copies import Copy
from calfeed.ledger.database import Database
from calfeed.ledger.hand import Hand
from calfeed.ledger.subscriptions import Purpose, Subscription, Wish
from calfeed.ledger.values import Settlement


class SelfService:
    """Subscriptions, and the copies that are made for them."""

    def __init__(self, database: Database, owner: str, hand: Hand, read: Callable[[Connection], object]) -> None:
        self._read = read
        self._database = database
        self._owner = owner
        self._hand = hand

    def create(self, wish: Wish, now: datetime) -> tuple[Subscription, str]:
        """(the unverified subscription, its owner's token, which is kept nowhere). Raises TooMany."""
        with self._database.write() as connection:
            return subscriptions.create(connection, wish, now)

    def take(self, quota: Quota, network: str, now: datetime) -> float:
        """Counts a write from a network; what it has left. Raises TooMany, which counts nothing."""
        with self._database.write() as connection:
            return allowances.take(connection, quota, network, now)

    def owned(self, id_: str, token: str) -> Subscription | None:
        """The subscription, for who has its token; None for who has another. Raises NotFound."""
        with self._database.read() as connection:
            return subscriptions.owned(connection, id_, token)

    def shown(self, id_: str, purpose: Purpose, proof: str) -> Subscription:
        """The subscription, for who was sent a link of this purpose. Raises NotFound."""
        with self._database.read() as connection:
            return subscriptions.shown(connection, id_, purpose, proof)

    def verify(self, id_: str, now: datetime) -> None:
        """Its URL has proved itself."""
        with self._database.write() as connection:
            subscriptions.verify(connection, id_, now)

    def pause(self, id_: str, now: datetime) -> None:
        """Sends nothing until it is resumed."""
        with self._database.write() as connection:
            subscriptions.pause(connection, id_, now)

    def resume(self, id_: str, now: datetime) -> None:
        """Sends again what falls due from now on."""
        with self._database.write() as connection:
            subscriptions.resume(connection, id_, now)

    def remove(self, id_: str, now: datetime) -> None:
        """Forgets it, and sends nothing more."""
        with self._database.write() as connection:
            subscriptions.remove(connection, id_, now)

    def counts(self) -> dict[str, int]:
        """How many subscriptions stand where, by state."""
        with self._database.read() as connection:
            return subscriptions.counts(connection)

    def wanted(self) -> bool:
        """Whether anybody waits for a reminder or for a challenge."""
        with self._database.read() as connection:
            return subscriptions.wanted(connection)

    def unplanned(self) -> bool:
        """Whether an audience waits for its first plan."""
        with self._database.read() as connection:
            return audiences.unplanned(connection)

    def idle(self, now: datetime) -> bool:
        """Whether nothing is to be copied and no copy waits to be sent."""
        with self._database.read() as connection:
            return copies.idle(connection, now)

    def spread(self, now: datetime) -> bool:
        """Makes a page of copies of what an audience is owed; False when nothing is due."""
        with self._database.write() as connection:
            return copies.spread(connection, self._owner, now)

    def claim(
        self,
        now: datetime,
        limit: int,
        admit: Callable[[Subscription], float],
        settlements: Sequence[Settlement] = (),
    ) -> list[Copy]:
        """At most ``limit`` copies that this process alone may send now, once ``settlements`` are recorded.

        ``admit`` as in `copies.claim`.
        """
        with self._hand.claiming(self._database, settlements, now, copies=True) as (connection, claimed):
            found = copies.claim(connection, self._owner, now=now, limit=limit, admit=admit)
            claimed.extend(one.claimed for one in found)
            self._read(connection)  # what is claimed must not be told from a state older than itself
        return found

    def prune(self, now: datetime) -> int:
        """Drops what is too old to matter; counts it."""
        with self._database.write() as connection:
            allowances.prune(connection, now)
            dropped = subscriptions.prune(connection, now)
        return dropped + self._database.in_batches(lambda connection: copies.prune(connection, now), reading.BATCH)
