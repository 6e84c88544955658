"""The tables: one schema for SQLite and PostgreSQL. Instants are UTC; ids are short, sortable and safe in URLs.

A revision, once written, is the same for every replica: the first writer wins. A delivery is one reminder, change
notice or digest on its way to one channel; its ``key`` is unique, which is what makes two planners plan it once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    literal_column,
    text,
)
from sqlalchemy.types import TypeEngine

HEAD = "0003"
"""The migration that leads to these tables."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware datetime in UTC. SQLite keeps it as text that sorts; SQLAlchemy's own codec for it is far slower."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite, ``timestamptz`` on PostgreSQL."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To UTC. Raises ValueError for a time without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone reached the ledger")
        if dialect.name != "sqlite":
            return value.astimezone(UTC)
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        if value is None:
            return None
        if dialect.name != "sqlite":
            return cast("datetime", value).astimezone(UTC)
        return datetime.fromisoformat(value).replace(tzinfo=UTC)


def _when(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


publication = Table(
    "publication",
    metadata,
    Column("digest", Text, primary_key=True),  # of the whole source
    Column("number", Integer, nullable=False, unique=True),  # rises with each publication, also of an old source
    Column("seen", Instant, nullable=False),  # when this source was first published
    Column("published", Instant, nullable=False),  # when it last was; rises with number, also between skewed clocks
    Column("current", Boolean, nullable=False),
    Column("frame", JSON, nullable=False),  # calendar, feeds and channels, without any channel's URL
    Index("ix_publication_current", "current", unique=True, **_when("current")),
)

revision = Table(
    "revision",
    metadata,
    Column("uid", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sequence", Integer, nullable=False),
    Column("created", Instant, nullable=False),
    Column("modified", Instant, nullable=False),
    Column("digest", Text, nullable=False),
    Column("record", JSON, nullable=False),
    Column("removed", Instant),
    Column("current", Boolean, nullable=False),
    Index("ix_revision_current", "uid", unique=True, **_when("current")),
)

change = Table(
    "change",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("uid", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("before", Integer),  # revision it differs from; none when the event was added
    Column("fields", JSON, nullable=False),
    Index(None, "uid", "number"),
)

channel = Table(
    "channel",
    metadata,
    Column("id", Text, primary_key=True),
    Column("since", Instant, nullable=False),  # first sight; nothing before it is owed
    Column("until", Instant, nullable=False),  # planned until
    Column("fingerprint", Text),  # of kind, address and secret, one way: another one means it was mended
    Column("failing_since", Instant),
    Column("broken_since", Instant),
    Column("reason", Text),
    Column("sent_at", Instant),
    Column("failed_at", Instant),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),  # reminder | change | digest
    Column("channel", Text, nullable=False),
    Column("uid", Text),  # none for a digest
    Column("subject", Text, nullable=False),  # what plan and messages know it by
    Column("revision", Integer),  # of its event: the one a change tells of, the one that was spoken of when it was sent
    Column("before", Integer),  # a change: the revision that its readers know
    Column("due", Instant, nullable=False),
    Column("expires", Instant),  # from then on a first attempt comes too late
    Column("ends", Instant),  # from then on nothing is tried again
    Column("state", Text, nullable=False),
    Column("at", Instant, nullable=False),  # when to try next
    Column("attempt", Integer, nullable=False, server_default="0"),  # counts for ever; fences together with owner
    Column("tries", Integer, nullable=False, server_default="0"),  # of this round; a retry by hand begins a new one
    Column("tried_since", Instant),
    Column("owner", Text),
    Column("lease_until", Instant),
    Column("withdrawn", Boolean, nullable=False, server_default=text("false")),  # superseded while it was on its way
    Column("planned", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("late", Float),  # seconds from due to sent
    Column("settled", Instant),
    Column("provider_ref", Text),
    Column("last_error", Text),
    Column("subscription", Text),  # self-service: whom it goes to; ``channel`` is then the audience it is one of
    Column("reached", Text),  # an audience's: the last subscription that was given its copy
    Index("ix_delivery_pending", "at", "id", **_when("state = 'pending' AND subscription IS NULL")),
    Index("ix_delivery_copies", "at", "id", **_when("state = 'pending' AND subscription IS NOT NULL")),
    Index("ix_delivery_subscription", "subscription", **_when("subscription IS NOT NULL")),
    Index("ix_delivery_sending", "lease_until", **_when("state = 'sending'")),
    Index(None, "channel", "state", "at"),
    Index(None, "uid", "channel"),
    Index("ix_delivery_outcome", "state", "due", **_when("settled IS NOT NULL")),
    Index("ix_delivery_late", "late", **_when("late IS NOT NULL")),
    Index("ix_delivery_settled", "settled", **_when("settled IS NOT NULL")),
)

# Literals, not parameters: only from them can SQLite see that its partial indexes apply.
PENDING = delivery.c.state == literal_column("'pending'")
SENDING = delivery.c.state == literal_column("'sending'")
WAITING = (PENDING & delivery.c.subscription.is_(None), PENDING & delivery.c.subscription.is_not(None))
"""To be sent to a channel, or to a subscription."""

attempt = Table(
    "attempt",
    metadata,
    Column("id", Text, primary_key=True),
    Column("delivery", Text, ForeignKey("delivery.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("owner", Text, nullable=False),
    Column("started", Instant),
    Column("ended", Instant, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer),  # HTTP
    Column("error", Text),
    Column("retry_after", Float),  # seconds
    Column("excerpt", Text),  # beginning of the answer's body
    Column("overtaken", Boolean, nullable=False, server_default=text("false")),  # its lease had run out
    Index(None, "delivery", "outcome"),
    Index(None, "outcome"),
)

process = Table(
    "process",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("place", Text, nullable=False),  # where its pid means something
    Column("pid", Integer, nullable=False),
    Column("role", Text, nullable=False),  # web | remind | up
    Column("started", Instant, nullable=False),
    Column("seen", Instant, nullable=False),
    Column("ticked", Instant),  # last turn of its scheduler; none in a web process
    Column("holds", Text),  # digest of the source it has read
)

token = Table(
    "token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("feed", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),  # SHA-256 of the token, which is kept nowhere
    Column("created", Instant, nullable=False),
    Column("used", Instant),  # to the hour
    Column("revoked", Instant),
)

audience = Table(
    "audience",  # what many subscriptions ask for alike; planned once, as if it were a channel
    metadata,
    Column("id", Text, primary_key=True),
    Column("feed", Text, nullable=False),
    Column("categories", JSON, nullable=False),
    Column("before", JSON, nullable=False),  # lead times, as the TOML writes them
)

subscription = Table(
    "subscription",
    metadata,
    Column("id", Text, primary_key=True),
    Column("audience", Text, ForeignKey("audience.id"), nullable=False),
    Column("state", Text, nullable=False),  # unverified | active | paused | gone
    Column("kind", Text, nullable=False),  # webhook | slack
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),  # signs what is sent, so it is kept as it is
    Column("seed", Text, nullable=False),  # key of the challenge and the links; never told to anybody
    Column("digest", Text, nullable=False),  # SHA-256 of its owner's token
    Column("host", Text, nullable=False),
    Column("place", Text, nullable=False),  # SHA-256 of the URL
    Column("home", Text, nullable=False),  # where the page was that it was made on, for links back
    Column("language", Text),
    Column("timezone", Text),
    Column("created", Instant, nullable=False),
    Column("since", Instant),  # when it was proved, or taken up again: nothing due before is told
    Column("sent_at", Instant),
    Column("failing_since", Instant),
    Column("failed_at", Instant),
    Column("reason", Text),
    Index("ix_subscription_members", "audience", "id", **_when("state = 'active'")),
    Index("ix_subscription_unverified", "host", **_when("state = 'unverified'")),
    Index(None, "place"),
)

poll = Table(
    "poll",
    metadata,
    Column("path", Text, primary_key=True),  # of the feed
    Column("family", Text, primary_key=True),  # of clients, by what they call themselves
    Column("at", Instant, nullable=False),
    Column("etag", Text, nullable=False),  # of the version that was given last
    Column("polls", BigInteger, nullable=False),
)

allowance = Table(
    "allowance",
    metadata,
    Column("policy", Text, primary_key=True),
    Column("place", Text, primary_key=True),  # hash of a network under the salt of the day
    Column("tokens", Float, nullable=False),
    Column("at", Instant, nullable=False),  # when so many were left
    Index(None, "at"),
)

salt = Table(
    "salt",
    metadata,
    Column("day", Text, primary_key=True),
    Column("salt", Text, nullable=False),
)
