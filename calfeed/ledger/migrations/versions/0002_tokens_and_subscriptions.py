"""Secret links of private feeds, and self-service subscriptions with the audiences they are planned by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def _partial(name: str, table: str, columns: list[str], condition: str) -> None:
    op.create_index(name, table, columns, unique=False, sqlite_where=text(condition), postgresql_where=text(condition))


def upgrade() -> None:
    """Adds the tables, and what a delivery to a subscription needs."""
    op.create_table(
        "token",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created", INSTANT, nullable=False),
        sa.Column("used", INSTANT, nullable=True),
        sa.Column("revoked", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
        sa.UniqueConstraint("digest", name="uq_token_digest"),
    )
    op.create_table(
        "audience",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audience"),
    )
    op.create_table(
        "subscription",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("home", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("created", INSTANT, nullable=False),
        sa.Column("since", INSTANT, nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("failing_since", INSTANT, nullable=True),
        sa.Column("failed_at", INSTANT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["audience"], ["audience.id"], name="fk_subscription_audience"),
        sa.PrimaryKeyConstraint("id", name="pk_subscription"),
    )
    _partial("ix_subscription_members", "subscription", ["audience", "id"], "state = 'active'")
    _partial("ix_subscription_unverified", "subscription", ["host"], "state = 'unverified'")
    op.create_index("ix_subscription_place", "subscription", ["place"], unique=False)
    op.add_column("delivery", sa.Column("subscription", sa.Text(), nullable=True))
    op.add_column("delivery", sa.Column("reached", sa.Text(), nullable=True))
    op.drop_index("ix_delivery_pending", table_name="delivery")
    _partial("ix_delivery_pending", "delivery", ["at", "id"], "state = 'pending' AND subscription IS NULL")
    _partial("ix_delivery_copies", "delivery", ["at", "id"], "state = 'pending' AND subscription IS NOT NULL")
    _partial("ix_delivery_subscription", "delivery", ["subscription"], "subscription IS NOT NULL")
