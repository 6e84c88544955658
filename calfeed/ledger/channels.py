"""How each channel fares: broken until it changes, switched off after five days of nothing but failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from calfeed.ledger.audiences import SIGN
from calfeed.ledger.schema import channel, delivery
from calfeed.ledger.values import Result, Settlement, State

PATIENCE = timedelta(days=5)
WORN_OUT = "nothing but failures for five days"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """A channel as the operator sees it; ``until`` is how far it is planned."""

    id: str
    since: datetime
    until: datetime
    failing_since: datetime | None
    broken_since: datetime | None
    reason: str | None
    sent_at: datetime | None
    failed_at: datetime | None


def states(connection: Connection) -> list[ChannelState]:
    """Every channel of the source that was ever planned for, by id; audiences are none."""
    names = (channel.c[name] for name in ChannelState.__dataclass_fields__)
    rows = connection.execute(select(*names).where(~channel.c.id.startswith(SIGN)).order_by(channel.c.id)).mappings()
    return [ChannelState(**row) for row in rows]


def broken(connection: Connection) -> list[str]:
    """The channels nothing is sent to until they change."""
    return list(connection.execute(select(channel.c.id).where(channel.c.broken_since.is_not(None))).scalars())


def learn(connection: Connection, settled: Sequence[tuple[str, Settlement]], now: datetime) -> None:
    """Takes in how attempts at channels went; a broken one has its waiting deliveries rejected."""
    sent = sorted({name for name, one in settled if one.result is Result.SENT})
    if sent:
        values = {"failing_since": None, "broken_since": None, "reason": None, "sent_at": now}
        connection.execute(update(channel).where(channel.c.id.in_(sent)).values(values))
    for id_ in {name for name, one in settled if one.result in {Result.RETRY, Result.BROKEN}}:
        _failed(connection, id_, now)
    for id_, one in settled:
        if one.result is Result.BROKEN:
            _break(connection, id_, one.error or "the provider says so", now)


def mend(connection: Connection, fingerprints: Mapping[str, str], now: datetime) -> list[str]:
    """Takes note of where channels lead (one-way fingerprints); a broken one that leads elsewhere now is mended."""
    query = select(channel.c.id, channel.c.fingerprint, channel.c.broken_since).where(channel.c.id.in_(fingerprints))
    changed = [row for row in connection.execute(query) if row.fingerprint != fingerprints[row.id]]
    for row in changed:
        connection.execute(
            update(channel).where(channel.c.id == row.id).values(fingerprint=fingerprints[row.id], failing_since=None)
        )
    mended = [row.id for row in changed if row.broken_since is not None]
    for id_ in mended:
        restore(connection, id_, now)
    return mended


def restore(connection: Connection, id_: str, now: datetime) -> None:
    """Sends to the channel again: what was rejected unsent and is still to come waits again."""
    connection.execute(
        update(channel).where(channel.c.id == id_).values(broken_since=None, reason=None, failing_since=None)
    )
    ahead = (
        delivery.c.channel == id_,
        delivery.c.state == State.REJECTED,
        delivery.c.attempt == 0,
        delivery.c.due > now,
    )
    connection.execute(update(delivery).where(*ahead).values(state=State.PENDING, settled=None, last_error=None))


def reject_due(connection: Connection, now: datetime) -> int:
    """Rejects what has come due for channels that are broken; counts them."""
    names = broken(connection)
    if not names:
        return 0
    stuck = (delivery.c.state == State.PENDING, delivery.c.at <= now, delivery.c.channel.in_(names))
    rows = select(delivery.c.id).where(*stuck).with_for_update(skip_locked=True)
    values = {"state": State.REJECTED, "settled": now, "last_error": "the channel is broken"}
    return connection.execute(update(delivery).where(delivery.c.id.in_(rows)).values(values)).rowcount


def _break(connection: Connection, id_: str, reason: str, now: datetime) -> None:
    connection.execute(update(channel).where(channel.c.id == id_).values(broken_since=now, reason=reason))
    waiting = (delivery.c.channel == id_, delivery.c.state == State.PENDING)
    values = {"state": State.REJECTED, "settled": now, "last_error": f"the channel is broken: {reason}"}
    connection.execute(update(delivery).where(*waiting).values(values))


def _failed(connection: Connection, id_: str, now: datetime) -> None:
    since = connection.execute(select(channel.c.failing_since).where(channel.c.id == id_)).scalar() or now
    connection.execute(update(channel).where(channel.c.id == id_).values(failed_at=now, failing_since=since))
    if now - since >= PATIENCE:
        _break(connection, id_, WORN_OUT, now)
