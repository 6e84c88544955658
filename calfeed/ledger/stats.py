"""Counts for whoever watches: how many deliveries stand where, how late they were sent, what was tried again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, case, func, select

from calfeed.ledger.processes import last_tick
from calfeed.ledger.schema import WAITING, attempt, delivery
from calfeed.ledger.values import State

LATENESS = (1.0, 2.0, 5.0, 30.0, 60.0, 300.0, 1800.0, 3600.0)
"""Upper bounds of the histogram's buckets, in seconds."""

OVERDUE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The state of deliveries; all counts reach back as far as deliveries are kept."""

    deliveries: Mapping[tuple[str, str], int]  # by channel and state
    attempts: Mapping[str, int]  # by how they ended: sent, retry, rejected, broken, lost
    lateness: Mapping[float, int]  # of what was sent: cumulative, by upper bound in seconds
    late_count: int
    late_sum: float  # seconds
    overdue: int  # waiting for more than a minute
    last_tick: datetime | None

    def count(self, state: State) -> int:
        """Deliveries in this state, over all channels."""
        return sum(number for (_, found), number in self.deliveries.items() if found == state)

    @property
    def retried(self) -> int:
        """Attempts after which the same delivery had to be tried again."""
        return self.attempts.get("retry", 0) + self.attempts.get("lost", 0)


def stats(connection: Connection, now: datetime) -> Stats:
    """The counts as of now."""
    by_state = select(delivery.c.channel, delivery.c.state, func.count()).group_by(delivery.c.channel, delivery.c.state)
    by_outcome = select(attempt.c.outcome, func.count()).group_by(attempt.c.outcome)
    waits = (select(func.count()).where(one, delivery.c.at < now - OVERDUE) for one in WAITING)
    buckets, seconds = _lateness(connection)
    return Stats(
        deliveries={(channel, state): count for channel, state, count in connection.execute(by_state)},
        attempts={row.outcome: row[1] for row in connection.execute(by_outcome)},
        lateness={bound: sum(n for upper, n in buckets.items() if upper <= bound) for bound in LATENESS},
        late_count=sum(buckets.values()),
        late_sum=seconds,
        overdue=sum(connection.execute(query).scalar_one() for query in waits),
        last_tick=last_tick(connection),
    )


def _lateness(connection: Connection) -> tuple[dict[float, int], float]:
    bucket: ColumnElement[float] = case(*((delivery.c.late <= bound, bound) for bound in LATENESS), else_=float(10**9))
    query = select(bucket, func.count(), func.sum(delivery.c.late)).where(delivery.c.late.is_not(None)).group_by(bucket)
    rows = connection.execute(query).all()
    return {float(upper): count for upper, count, _ in rows}, float(sum(seconds for _, _, seconds in rows))
