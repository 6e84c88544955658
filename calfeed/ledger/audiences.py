"""Audiences: what many subscriptions ask for alike, planned once, as if each audience were a channel.

An audience's delivery is sent nowhere: when it falls due it is copied to each of its subscriptions (`copies`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256

from sqlalchemy import ColumnElement, Connection, delete, func, literal_column, select

from calfeed.errors import TooMany
from calfeed.events.model import Catalog, Channel, Duration
from calfeed.ledger.schema import audience, channel, subscription
from calfeed.ledger.sql import AnyRow, upsert

SIGN = "@"
"""What an audience's id begins with, and no id of a source does."""

ACTIVE = subscription.c.state == literal_column("'active'")  # SQLite takes a partial index for a literal only

MOST = 256
"""Audiences with somebody in them: each costs as much to plan as a channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """A feed, the categories within it (any of them; all when empty) and the lead times."""

    feed: str
    categories: tuple[str, ...]
    before: tuple[Duration, ...]

    @property
    def id(self) -> str:
        """The same for whoever asks for the same."""
        return SIGN + sha256(json.dumps(self._values()).encode()).hexdigest()[:16]

    def channel(self, catalog: Catalog) -> Channel | None:
        """The audience as a channel; None when its feed is not there for the public (any more)."""
        feed = catalog.feed_by_id.get(self.feed)
        if feed is None or feed.visibility == "private":
            return None
        return Channel(
            id=self.id,
            kind="webhook",
            url="",
            categories=self.categories,
            within=feed.categories,
            exclude=feed.exclude,
            before=self.before,
        )

    def _values(self) -> list[object]:
        return [self.feed, list(self.categories), [str(lead) for lead in self.before]]

    @classmethod
    def of(cls, row: AnyRow) -> Audience:
        """From a row that has the columns of the table."""
        before = tuple(Duration.parse(lead) for lead in row.before)
        return cls(feed=row.feed, categories=tuple(row.categories), before=before)


def joined(connection: Connection, catalog: Catalog) -> Catalog:
    """The catalog with a channel more for each audience that somebody is in."""
    found = (Audience.of(row).channel(catalog) for row in connection.execute(select(audience).where(_attended())))
    channels = tuple(one for one in found if one is not None)
    return replace(catalog, channels=(*catalog.channels, *channels)) if channels else catalog


def is_audience(channel_id: str) -> bool:
    """Whether this is an audience's id rather than a channel's."""
    return channel_id.startswith(SIGN)


def unplanned(connection: Connection) -> bool:
    """Whether somebody is in an audience that was never planned for."""
    query = select(audience.c.id).where(_attended(), audience.c.id.not_in(select(channel.c.id))).limit(1)
    return connection.execute(query).first() is not None


def join(connection: Connection, one: Audience) -> str:
    """The audience's id, which is there from now on. Raises TooMany."""
    if not _is_attended(connection, one.id):
        attended = select(func.count()).select_from(audience).where(_attended())
        if connection.execute(attended).scalar_one() >= MOST:
            raise TooMany("too many different filters are subscribed to; choose a feed without one", 86_400)
    values = {"feed": one.feed, "categories": list(one.categories), "before": [str(lead) for lead in one.before]}
    connection.execute(upsert(connection, audience).values(id=one.id, **values).on_conflict_do_nothing())
    return one.id


def forget(connection: Connection) -> None:
    """Drops the audiences that nobody asks for any more."""
    asked = select(subscription.c.id).where(subscription.c.audience == audience.c.id).exists()
    connection.execute(delete(audience).where(~asked))


def _is_attended(connection: Connection, id_: str) -> bool:
    return connection.execute(select(audience.c.id).where(audience.c.id == id_, _attended())).first() is not None


def _attended() -> ColumnElement[bool]:
    members = select(subscription.c.id).where(subscription.c.audience == audience.c.id, ACTIVE)
    return members.correlate(audience).exists()
