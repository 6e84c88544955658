"""The ledger: each method is one transaction, and says no more than what it is for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from calfeed.errors import LedgerBusy
from calfeed.events.model import Catalog
from calfeed.events.revision import Change, Revision
from calfeed.ledger import (
    audiences,
    channels,
    claims,
    migrate,
    planning,
    polls,
    processes,
    publications,
    reading,
    revisions,
    settling,
    tokens,
)
from calfeed.ledger import audit as audits
from calfeed.ledger.audit import Audit
from calfeed.ledger.bell import Bell
from calfeed.ledger.channels import ChannelState
from calfeed.ledger.database import BUSY_SECONDS, Database
from calfeed.ledger.hand import Hand
from calfeed.ledger.planning import Step
from calfeed.ledger.polls import Poll
from calfeed.ledger.processes import Process, Sighting
from calfeed.ledger.publications import Current, Published
from calfeed.ledger.self_service import SelfService
from calfeed.ledger.stats import Stats, stats
from calfeed.ledger.tokens import Token
from calfeed.ledger.values import Attempt, Claimed, Delivery, Settlement


class Ledger:
    """What must not be forgotten. Every method may raise LedgerBusy (try again), LedgerVersion or LedgerError.

    ``role`` (web, remind, up) is what other processes see of this one. Times are arguments; they are aware.
    """

    def __init__(self, url: str, *, role: str = "web", busy_seconds: float = BUSY_SECONDS) -> None:
        self.database = Database(url, busy_seconds=busy_seconds)
        self.process = Process(role=role)
        self._hand = Hand(self.process.id)
        self.self_service = SelfService(self.database, self.process.id, self._hand, self._look)
        self._current: Current | None = None
        self._looking = threading.Lock()
        self._bell = None if self.database.sqlite else Bell(self.database.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives back the connections."""
        if self._bell is not None:
            self._bell.close()
        self.database.close()

    def upgrade(self) -> tuple[str | None, str]:
        """(version before, version now); safe to run by several at once."""
        return migrate.upgrade(self.database)

    # What is published

    def publish(self, catalog: Catalog, now: datetime) -> Published:
        """Makes ``catalog`` the published state: revisions, changes, and the deliveries that follow from them."""
        with self.database.alone() as connection:
            published, current = publications.publish(connection, catalog, self.process, now, self._current)
        with self._looking:
            if self._current is None or self._current.version <= current.version:
                self._current = current
        return published

    def version(self) -> int:
        """The number of the current publication; rises whenever any process publishes something new."""
        with self.database.read() as connection:
            return publications.version(connection)

    def changed_since(self, version: int) -> bool:
        """Whether another publication than ``version`` is current. Cheap enough to be asked many times a second."""
        if self._bell is not None and not self._bell.rang():
            return False
        changed = self.version() != version
        if self._bell is not None and not changed:
            self._bell.heard()
        return changed

    def current(self) -> Current | None:
        """The published state; read from the database only when its version is not the one this process knows."""
        with self.database.read() as connection:
            return self._look(connection)

    def _look(self, connection: Connection) -> Current | None:
        """One thread after the other, so that none puts an older state in the place of a newer."""
        with self._looking:
            self._current = publications.current_state(connection, self._current)
            return self._current

    def revisions(self) -> dict[str, Revision]:
        """The newest revision of every event that ever was published, by uid."""
        with self.database.read() as connection:
            return revisions.current(connection)

    def changes(self, limit: int = publications.HISTORY) -> list[Change]:
        """The history of changes, newest first."""
        with self.database.read() as connection:
            return revisions.changes(connection, limit)

    # What is owed

    def plan(self, active: Collection[str], now: datetime) -> int:
        """Makes rows of what falls due within the horizon of the ``active`` channels and all audiences; counts them."""
        with self.database.read() as connection:
            current, step = self._step(connection, active, now)  # takes long, so it holds no lock
        if current is None or not step.since:
            return 0
        with self.database.alone() as connection:
            if publications.version(connection) == current.version and planning.take(connection, step, now):
                return len(step.rows)
            _, step = self._step(connection, active, now)  # somebody published or planned meanwhile
            planning.take(connection, step, now)
            return len(step.rows)

    def _step(self, connection: Connection, active: Collection[str], now: datetime) -> tuple[Current | None, Step]:
        current = self._look(connection)
        if current is None:
            return None, Step(since={}, until=now, rows=())
        heard = audiences.joined(connection, current.catalog)
        served = {*active, *(one.id for one in heard.channels if audiences.is_audience(one.id))}
        return current, planning.ahead(heard, planning.horizon(connection), served, now)

    @property
    def known(self) -> Current | None:
        """The published state as this process last read it: after a claim, none older than what was claimed."""
        return self._current

    def claim(
        self,
        now: datetime,
        limit: int,
        served: Collection[str],
        admit: Callable[[str], bool],
        settled: Sequence[Settlement] = (),
    ) -> list[Claimed]:
        """At most ``limit`` deliveries that this process alone may send now."""
        with self._hand.claiming(self.database, settled, now, copies=False) as (connection, claimed):
            claimed.extend(claims.claim(connection, self.process.id, now=now, limit=limit, served=served, admit=admit))
            self._look(connection)
        return claimed

    def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        """Records how claimed deliveries went."""
        with self.database.write() as connection:
            settling.settle(connection, self.process.id, settlements, now)
        self._hand.settled(settlements)

    def sweep(self, now: datetime) -> int:
        """Gives back what lost processes had claimed and names the outcome of what is too late; counts both."""
        mine = self._hand.under_way()
        with self.database.write() as connection:
            return settling.return_leases(connection, self.process, mine, now) + settling.expire(connection, now)

    def idle(self, now: datetime) -> bool:
        """Whether nothing waits to be claimed, given back or expired."""
        with self.database.read() as connection:
            return claims.idle(connection, now)

    # What became of it

    def deliveries(
        self,
        *,
        state: str | None = None,
        channel: str | None = None,
        kind: str | None = None,
        uid: str | None = None,
        event: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Delivery]:
        """Deliveries, the latest due first; ``event`` is an id, also of an event that is gone."""
        asked = {"state": state, "channel": channel, "kind": kind, "uid": uid, "event": event}
        with self.database.read() as connection:
            return reading.find(connection, **asked, limit=limit, offset=offset)

    def delivery(self, id_: str) -> tuple[Delivery, list[Attempt]]:
        """One delivery, by its id or webhook-id, with its attempts in order. Raises NotFound."""
        with self.database.read() as connection:
            return reading.show(connection, id_)

    def retry(self, ids: Sequence[str], now: datetime) -> list[Delivery]:
        """Sends again, at once, what is dead, rejected or expired; returns what was taken. Raises NotFound."""
        with self.database.write() as connection:
            return reading.retry(connection, ids, now)

    def audit(self, now: datetime) -> Audit:
        """Whether every reminder that is owed has exactly one outcome, and which has not."""
        with self.database.read() as connection:
            current = publications.current_state(connection, self._current)
            return audits.audit(connection, current, now)

    def stats(self, now: datetime) -> Stats:
        """Counts for whoever watches."""
        with self.database.read() as connection:
            return stats(connection, now)

    def prune(self, now: datetime) -> int:
        """Drops what is too old to matter; counts deliveries."""
        dropped = self.database.in_batches(lambda connection: reading.prune(connection, now), reading.BATCH)
        with self.database.write() as connection:
            processes.forget(connection, self.process)
            revisions.prune(connection, now - reading.KEPT, publications.HISTORY)
            publications.prune(connection, now - reading.KEPT)
        return dropped

    # Who may see what is not public

    def make_token(self, feed: str, now: datetime) -> tuple[str, str]:
        """(id, token) of a new secret link to a feed; the token is shown this once."""
        with self.database.write() as connection:
            return tokens.make(connection, feed, now)

    def tokens(self) -> list[Token]:
        """Every secret link that was ever made, oldest first."""
        with self.database.read() as connection:
            return tokens.find(connection)

    def revoke(self, id_: str, now: datetime) -> None:
        """Ends a secret link. Raises NotFound."""
        with self.database.write() as connection:
            tokens.revoke(connection, id_, now)

    def check(self, token: str, feed: str, now: datetime) -> bool:
        """Whether the token opens the feed; notes the use, when the database can take a note."""
        with self.database.read() as connection:
            opened = tokens.opens(connection, token, feed)
            unnoted = opened and tokens.stale(connection, token, now)
        if unnoted:
            with suppress(LedgerBusy), self.database.write() as connection:
                tokens.note(connection, token, now)
        return opened

    # Who reads

    def note_polls(self, seen: Iterable[Poll], now: datetime) -> None:
        """Adds what this process saw of who polls the feeds."""
        with self.database.write() as connection:
            polls.note(connection, seen, now)

    def polls(self, now: datetime) -> list[Poll]:
        """Who polls the feeds, as all processes saw it, last seen first."""
        with self.database.read() as connection:
            return polls.recent(connection, now)

    # Who is there

    def mend(self, fingerprints: Mapping[str, str], now: datetime) -> list[str]:
        """Takes note of where channels lead; returns those that were broken and lead elsewhere now."""
        with self.database.write() as connection:
            return channels.mend(connection, fingerprints, now)

    def channels(self) -> list[ChannelState]:
        """How each channel fares."""
        with self.database.read() as connection:
            return channels.states(connection)

    def beat(self, now: datetime, *, ticked: bool = False) -> None:
        """Shows that this process is alive and, when ``ticked``, that its scheduler turns."""
        with self.database.write() as connection:
            processes.beat(connection, self.process, now, ticked=ticked)

    def leave(self, now: datetime) -> None:
        """Signs this process out; its source counts for nothing from then on."""
        with self.database.write() as connection:
            processes.leave(connection, self.process, now)

    def processes(self) -> list[Sighting]:
        """Every process of this calendar, last seen first."""
        with self.database.read() as connection:
            return processes.sightings(connection)

    def last_tick(self) -> datetime | None:
        """When any reminder process last turned."""
        with self.database.read() as connection:
            return processes.last_tick(connection)
