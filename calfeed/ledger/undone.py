"""What an edit took away comes back when the edit is undone; so does what a channel missed that was out of the list.

A row is what `planning` makes of a reminder or a digest; those given here fell due and were missed: no row is open for
them, and what they tell of has not begun.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Update, func, literal, or_, select, update

from calfeed.events.model import Channel
from calfeed.ledger.audiences import is_audience
from calfeed.ledger.readers import TELLING, UID
from calfeed.ledger.schema import delivery
from calfeed.ledger.sql import batches
from calfeed.reminders.plan import SLACK

Row = Mapping[str, Any]

_OUTDATED = (
    delivery.c.state == "superseded",
    delivery.c.settled.is_not(None),
    delivery.c.subscription.is_not(None),
)
"""Copies of which nobody was told."""


def identity(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    """Which start is told to whom, and when.

    An edit may give what was due before it another key. What is past is not planned anew, so the row that stands is
    all there is of that reminder.
    """
    return *_start(row), row["due"]


def _start(row: Mapping[Any, Any]) -> tuple[str, str | None, str]:
    return row["channel"], row["uid"], row["key"].rpartition("|")[2]


def last(missed: Iterable[Row]) -> list[Row]:
    """Of each start the row due last: to tell of it twice would be once too often."""
    return [*{_start(row): row for row in sorted(missed, key=lambda row: row["due"])}.values()]


def withdrawn(connection: Connection, missed: Sequence[Row]) -> Iterator[Row]:
    """Those that were withdrawn, with the key they had then, and whose readers were told nothing since."""
    for some in batches(missed):
        uids = [row["uid"] for row in some]
        before = _before(connection, some)
        told = (
            select(delivery.c.channel, delivery.c.uid, func.max(delivery.c.sent_at).label("at"))
            .where(
                delivery.c.uid.in_(uids), TELLING, delivery.c.subscription.is_(None), delivery.c.sent_at.is_not(None)
            )
            .group_by(delivery.c.channel, delivery.c.uid)
        )
        since = {(row.channel, row.uid): row.at for row in connection.execute(told)}
        for row in some:
            was = before.get(identity(row)) or before.get(row["key"])
            heard = since.get((row["channel"], row["uid"]))
            if was is None:
                continue
            # some of an audience were told nothing
            if heard is None or heard <= was["settled"] or is_audience(row["channel"]):
                yield {**row, "key": was["key"], "subject": was["subject"]}


def _before(connection: Connection, missed: Sequence[Row]) -> dict[object, Mapping[Any, Any]]:
    """What these were when they were withdrawn: by start and due time, and by key.

    Not those that wait, or have another outcome. Of several the one that was tried counts: it may have arrived, and is
    to come again under its own id. What was copied to subscriptions is itself under its key alone: under another, its
    copies would be made twice.
    """
    wanted = ("key", "subject", "channel", "uid", "due", "state", "settled", "reached", "attempt")
    same = delivery.c.key.in_([row["key"] for row in missed])
    alike = delivery.c.uid.in_([row["uid"] for row in missed])
    query = select(*(delivery.c[name] for name in wanted)).where(or_(same, alike), delivery.c.subscription.is_(None))
    found = connection.execute(query.order_by(delivery.c.attempt, delivery.c.settled)).mappings().all()
    standing = {identity(row) for row in found if row["state"] != "superseded"}
    gone = [row for row in found if identity(row) not in standing]
    return {**{row["key"]: row for row in gone}, **{identity(row): row for row in gone if row["reached"] is None}}


def revive_copies(connection: Connection, missed: Sequence[Row], now: datetime) -> None:
    """The same for subscriptions: their copies are not withdrawn by an edit, but outdated when they are claimed.

    The audience's own row was sent long ago. Few have outdated copies, and those few are found first.
    """
    missed = [row for row in missed if is_audience(row["channel"])]
    if not missed:
        return
    copies = *_OUTDATED, delivery.c.kind == "reminder"
    dues = [row["due"] for row in missed]
    query = select(delivery.c.channel, delivery.c.due).where(*copies, delivery.c.due.between(min(dues), max(dues)))
    found = {(row.channel, row.due) for row in connection.execute(query.distinct())}
    notice = delivery.alias()
    of_it = notice.c.subscription == delivery.c.subscription, notice.c.uid.concat("") == delivery.c.uid
    told = select(notice.c.id).where(*of_it, notice.c.kind == "change", notice.c.sent_at > delivery.c.settled).exists()
    for row in missed:
        if (row["channel"], row["due"]) in found:
            mine = delivery.c.channel == row["channel"], delivery.c.due == row["due"], row["uid"] == UID
            start = literal(f"|{_start(row)[2]}|").concat(delivery.c.subscription)  # an edit may have given another key
            connection.execute(_again(now).where(*copies, *mine, delivery.c.key.endswith(start), ~told))


def revive_all_copies(connection: Connection, back: Iterable[Channel], now: datetime) -> None:
    """All that was outdated while the feed of an audience was not in public; each is judged when it is claimed."""
    audiences = [one.id for one in back if is_audience(one.id)]
    lately = delivery.c.settled > now - SLACK, or_(delivery.c.ends.is_(None), delivery.c.ends > now)
    for some in batches(audiences):
        connection.execute(_again(now).where(*_OUTDATED, *lately, delivery.c.channel.in_(some)))


def _again(now: datetime) -> Update:
    return update(delivery).values(state="pending", at=now, tries=0, tried_since=None, settled=None)
