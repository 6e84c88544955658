"""Proof by counting: every reminder that is owed is a row, and every row past its time has exactly one outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, select

from calfeed.ledger.audiences import joined
from calfeed.ledger.planning import wanted
from calfeed.ledger.publications import Current
from calfeed.ledger.schema import attempt, channel, delivery
from calfeed.ledger.sql import AnyRow
from calfeed.ledger.values import Result, State

PATIENCE = timedelta(minutes=5)
"""What is past its time by less than this may still be on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One reminder without its one outcome; ``delivery`` is empty where there is no row."""

    delivery: str
    key: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was counted. ``repeated`` are deliveries that may have arrived more than once, under one webhook-id."""

    outcomes: Mapping[str, int]
    repeated: int
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        """Whether everything has its outcome or is still ahead."""
        return not self.findings


def audit(connection: Connection, current: Current | None, now: datetime) -> Audit:
    """Every finding, rows first."""
    counts = connection.execute(select(delivery.c.state, func.count()).group_by(delivery.c.state))
    outcomes = {row.state: row[1] for row in counts}
    findings = [*_rows(connection, now), *(_against_plan(connection, current) if current else ())]
    return Audit(outcomes=outcomes, repeated=_repeated(connection), findings=tuple(findings))


def _rows(connection: Connection, now: datetime) -> Iterator[Finding]:
    sent = (
        select(attempt.c.delivery)
        .where(attempt.c.outcome == Result.SENT, attempt.c.delivery == delivery.c.id)
        .correlate(delivery)
        .exists()
    )
    checks = {
        "is past its time and still waits": and_(delivery.c.state == State.PENDING, delivery.c.at < now - PATIENCE),
        "was claimed, and its lease ran out": and_(
            delivery.c.state == State.SENDING, delivery.c.lease_until < now - PATIENCE
        ),
        "is marked sent, but no attempt says so": and_(delivery.c.state == State.SENT, ~sent),
        "has an attempt that was sent, but is not marked so": and_(
            delivery.c.state.in_((State.DEAD, State.EXPIRED, State.REJECTED)), sent
        ),
        "is in no known state": delivery.c.state.not_in(list(State)),
        "has an outcome, but no time of it": and_(
            delivery.c.state.not_in((State.PENDING, State.SENDING)), delivery.c.settled.is_(None)
        ),
    }
    for problem, condition in checks.items():
        query = select(delivery.c.id, delivery.c.key).where(condition).order_by(delivery.c.due)
        yield from (_finding(row, problem) for row in connection.execute(query))


def _against_plan(connection: Connection, current: Current) -> Iterator[Finding]:
    """What the source owes since its publication must be rows; what waits must be in the source."""
    query = select(*(delivery.c[name] for name in ("id", "key", "kind", "state", "due"))).order_by(delivery.c.due)
    query = query.where(delivery.c.subscription.is_(None))
    rows = {row.key: row for row in connection.execute(query)}
    owed = set(_owed(connection, current))
    missing = sorted(owed - rows.keys())
    yield from (Finding(delivery="", key=key, problem="is owed, but was never planned") for key in missing)
    for row in rows.values():
        planned = row.kind != "change" and row.due > current.at
        if planned and row.state == State.PENDING and row.key not in owed:
            yield _finding(row, "waits, but is not in the source any more")


def _owed(connection: Connection, current: Current) -> Iterator[str]:
    """What the source says of the time since it was published, as far as it is planned."""
    catalog = joined(connection, current.catalog)
    for one in connection.execute(select(channel.c.id, channel.c.since, channel.c.until)):
        found = [each for each in catalog.channels if each.id == one.id]
        yield from wanted(catalog, max(one.since, current.at), one.until, found)


def _repeated(connection: Connection) -> int:
    arrived = attempt.c.outcome.in_((Result.SENT, Result.LOST))
    tries = func.count(attempt.c.number.distinct())  # one try may be recorded twice, when the first answer was cut off
    many = select(attempt.c.delivery).where(arrived).group_by(attempt.c.delivery).having(tries > 1).subquery()
    return connection.execute(select(func.count()).select_from(many)).scalar_one()


def _finding(row: AnyRow, problem: str) -> Finding:
    return Finding(delivery=row.id, key=row.key, problem=problem)
