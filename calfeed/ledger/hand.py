"""What this process has in hand: claimed, handed out and not yet settled.

When the connection is cut after a claim was committed and before its answer came, the database holds rows as this
process's of which nobody here knows. Nothing of them was sent, so they need not wait for their lease.

What is in hand is not lost, whatever the clock says of its lease: a request that is under way is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, select

from calfeed.ledger.database import Database
from calfeed.ledger.schema import SENDING, delivery
from calfeed.ledger.settling import settle
from calfeed.ledger.values import Claimed, Result, Settlement

PATIENCE = 600.0
"""Seconds, by a clock that cannot jump: no request takes so long, so what is still in hand then never comes back."""


class Hand:
    """Shared by the threads that claim: one for channels, one for copies to subscriptions."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._held: dict[str, float] = {}  # when each was claimed
        self._doubtful: set[bool] = set()

    @contextmanager
    def claiming(
        self, database: Database, settlements: Sequence[Settlement], now: datetime, *, copies: bool
    ) -> Iterator[tuple[Connection, list[Claimed]]]:
        """A transaction that settles and then claims: what is put into the list is in hand once it is committed.

        One that fails leaves a doubt, to be cleared before the next.
        """
        claimed: list[Claimed] = []
        try:
            with database.write() as connection:
                self._clear(connection, now, copies=copies)
                if settlements:
                    settle(connection, self._owner, settlements, now)
                yield connection, claimed
        except BaseException:
            self._doubtful.add(copies)
            raise
        self._doubtful.discard(copies)
        self.settled(settlements)
        self._held.update(dict.fromkeys([one.id for one in claimed], time.monotonic()))

    def under_way(self) -> set[str]:
        """What this process is sending."""
        since = time.monotonic() - PATIENCE
        return {id_ for id_, claimed in self._held.copy().items() if claimed > since}

    def _clear(self, connection: Connection, now: datetime, *, copies: bool) -> None:
        """Gives back what was claimed by a transaction of whose end nobody heard."""
        if copies not in self._doubtful:
            return
        kind = delivery.c.subscription.is_not(None) if copies else delivery.c.subscription.is_(None)
        mine = select(delivery.c.id, delivery.c.attempt).where(SENDING, delivery.c.owner == self._owner, kind)
        rows = [row for row in connection.execute(mine) if row.id not in self._held]
        unsent = [Settlement(delivery=row.id, attempt=row.attempt, result=Result.UNSENT, ended=now) for row in rows]
        if unsent:
            settle(connection, self._owner, unsent, now)

    def settled(self, settlements: Iterable[Settlement]) -> None:
        """These are done with."""
        for one in settlements:
            self._held.pop(one.delivery, None)
