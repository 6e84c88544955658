"""Who polls the feeds, as all processes saw it: a row for each feed and family of clients, no address of anybody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, delete, select

from calfeed.ledger.schema import poll
from calfeed.ledger.sql import upsert

KEPT = timedelta(days=14)
"""A family that has not polled a feed for so long no longer counts."""


@dataclass(slots=True)
class Poll:
    """A family's last poll of a feed: when, the version it was given, and how many ``polls`` there were."""

    path: str
    family: str
    at: datetime
    etag: str
    polls: int

    @property
    def key(self) -> tuple[str, str]:
        """What tells rows apart."""
        return self.path, self.family

    def add(self, other: Poll) -> None:
        """Takes in what was seen of the same family elsewhere."""
        if other.at >= self.at:
            self.at, self.etag = other.at, other.etag
        self.polls += other.polls


def note(connection: Connection, seen: Iterable[Poll], now: datetime) -> None:
    """Adds what one process saw since it last did, and drops who has been silent for too long."""
    statement = upsert(connection, poll)
    fresh = statement.excluded
    later = fresh.at >= poll.c.at  # clocks of machines differ
    values = {
        "at": case((later, fresh.at), else_=poll.c.at),
        "etag": case((later, fresh.etag), else_=poll.c.etag),
        "polls": poll.c.polls + fresh.polls,
    }
    rows = [asdict(one) for one in sorted(seen, key=lambda one: one.key)]  # in one order, so that no two deadlock
    connection.execute(statement.on_conflict_do_update(index_elements=[poll.c.path, poll.c.family], set_=values), rows)
    connection.execute(delete(poll).where(poll.c.at < now - KEPT))


def recent(connection: Connection, now: datetime) -> list[Poll]:
    """The families of late, last seen first."""
    query = select(poll).where(poll.c.at >= now - KEPT).order_by(poll.c.at.desc(), poll.c.path, poll.c.family)
    return [Poll(**row) for row in connection.execute(query).mappings()]
