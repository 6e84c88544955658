"""What readers know of an event, and when they may be told more of it.

A reader is a channel or a subscription. It knows what the last message said that reached it: a change notice, or a
reminder of an event that happens once; a reminder of one date of a series says nothing of the others. Where nobody can
say whether a message arrived (a time-out, a lost process), its reader may know that too.

No notice is on its way to a reader together with another such message: the first of the two may make the second
needless, and which of them arrived first would be chance. Of those that are due together the notice goes first, for it
alone tells the old time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, ScalarSelect, and_, func, or_, select, update

from calfeed.ledger.schema import SENDING, attempt, delivery
from calfeed.ledger.sql import AnyRow, batches
from calfeed.ledger.values import Result, State

LATER = timedelta(seconds=2)
"""Until a message is looked at again that must wait for another."""

_NO_DATE = "||"  # after the UID, in what a plan calls a reminder: there is no recurrence-id
_once = func.substr(delivery.c.subject, func.length(delivery.c.uid) + 1, len(_NO_DATE)) == _NO_DATE
TELLING = or_(delivery.c.kind == "change", and_(delivery.c.kind == "reminder", _once))
"""What tells a reader of an event."""

UID = delivery.c.uid.concat("")
"""Not to be looked up by: an event may have 100,000 copies, a subscription has few."""

About = tuple[str, str | None]
"""A reader's name and an event's UID."""


def _unsure() -> ScalarSelect[datetime]:
    """When it was last tried without anybody knowing whether it arrived."""
    lost = attempt.c.outcome.in_((Result.LOST, Result.RETRY)) & attempt.c.status.is_(None)
    return select(func.max(attempt.c.ended)).where(attempt.c.delivery == delivery.c.id, lost).scalar_subquery()


SAID = (
    *(delivery.c[name] for name in ("id", "kind", "state", "before", "revision", "sent_at", "reached")),
    _unsure().label("unsure_at"),
)
"""The columns that `knowledge` needs."""


def knowledge(rows: Sequence[AnyRow]) -> tuple[int | None, ...]:
    """The revisions of an event that one reader knows or may know, the surest first; None is the last published.

    ``rows`` have the columns `SAID`, of all that was ever to tell the reader of the event. They are put in order by
    their revisions, which rise also between processes whose clocks differ.
    """
    sent = [row for row in rows if row.sent_at and row.revision]
    told = max(sent, key=lambda row: (row.sent_at, row.revision), default=None)
    open_ = [row for row in rows if row.state != State.SENT]
    first = min((row for row in open_ if row.kind == "change"), key=lambda row: row.revision, default=None)
    sure = told.revision if told else first and first.before
    return tuple(dict.fromkeys((sure, *(row.revision for row in open_ if _doubtful(row, told)))))


def _doubtful(row: AnyRow, told: AnyRow | None) -> bool:
    """Whether it may have arrived, after all that is known to have."""
    if row.state == State.SENDING or row.reached:
        return True
    return row.unsure_at is not None and (told is None or bool(row.unsure_at >= told.sent_at))


class Due(NamedTuple):
    """A delivery that may be claimed; ``tells`` is what `TELLING` says of it."""

    id: str
    kind: str
    about: About
    tells: bool


@dataclass(frozen=True, slots=True)
class Readers:
    """One sort of readers: the columns that name them and the event, and what is theirs."""

    name: ColumnElement[str]
    uid: ColumnElement[str]
    mine: ColumnElement[bool]


CHANNELS = Readers(delivery.c.channel, delivery.c.uid, delivery.c.subscription.is_(None))
SUBSCRIPTIONS = Readers(delivery.c.subscription, UID, delivery.c.subscription.is_not(None))


def apart(
    connection: Connection, readers: Readers, due: Sequence[Due], now: datetime
) -> tuple[list[str], dict[str, tuple[int | None, ...]]]:
    """(ids that may be claimed now, in the same order; by notice what its reader knows, as `knowledge` gives it).

    ``due`` are deliveries that the caller has locked, the first of them first. What must wait for another is put off.
    """
    telling = sorted((one for one in due if one.tells), key=lambda one: one.kind != "change")
    about = {one.about for one in telling if one.kind == "change"}
    found = said(connection, readers, {name for name, _ in about}, {uid for _, uid in about if uid})
    locked = _locked_by_others(
        connection, {row.id for rows in found.values() for row in rows if row.state == State.PENDING}
    )
    noticed = _on_their_way(connection, readers) if telling else set()
    known: dict[str, tuple[int | None, ...]] = {}
    begun: set[About] = set()
    wait = set()
    for one in telling:
        others = [row for row in found.get(one.about, ()) if row.id != one.id]
        if one.kind == "change":
            known[one.id] = knowledge(others)
            held = one.about in begun or any(row.state == State.SENDING or row.id in locked for row in others)
        else:
            held = one.about in noticed
        if held:
            wait.add(one.id)
            continue
        begun.add(one.about)
        if one.kind == "change":
            noticed.add(one.about)
    put_off(connection, sorted(wait), now + LATER)
    return [one.id for one in due if one.id not in wait], known


def put_off(connection: Connection, ids: Sequence[str], at: datetime) -> None:
    """These are not to be looked at again before then."""
    for some in batches(ids):
        connection.execute(update(delivery).where(delivery.c.id.in_(some)).values(at=at))


def said(
    connection: Connection, readers: Readers, names: Collection[str], uids: Collection[str]
) -> dict[About, list[AnyRow]]:
    """All that was ever to tell these readers of these events: rows of the columns `SAID`."""
    found: dict[About, list[AnyRow]] = {}
    query = select(readers.name.label("reader"), delivery.c.uid, *SAID).where(readers.mine, TELLING)
    for some in batches(sorted(uids)):
        for row in connection.execute(query.where(readers.name.in_(names), readers.uid.in_(some))):
            found.setdefault((row.reader, row.uid), []).append(row)
    return found


def _locked_by_others(connection: Connection, waiting: set[str]) -> set[str]:
    """What waits and cannot be locked, or waits no more: another process claims it at this moment."""
    still = delivery.c.state.concat("") == State.PENDING  # not to be looked up by: see `claims`
    for some in batches(sorted(waiting)):
        query = select(delivery.c.id).where(delivery.c.id.in_(some), still).with_for_update(skip_locked=True)
        waiting = waiting.difference(connection.execute(query).scalars())
    return waiting


def _on_their_way(connection: Connection, readers: Readers) -> set[About]:
    """Whom a notice is being sent, and of what."""
    query = select(readers.name, delivery.c.uid).where(SENDING, readers.mine, delivery.c.kind == "change")
    return {(reader, uid) for reader, uid in connection.execute(query)}
