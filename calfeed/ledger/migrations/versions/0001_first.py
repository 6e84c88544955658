"""The first tables: publications and revisions, deliveries and attempts, channels, feeds and processes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Makes every table."""
    op.create_table(
        "change",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_change"),
    )
    op.create_index("ix_change_uid_number", "change", ["uid", "number"], unique=False)
    op.create_table(
        "channel",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("failing_since", INSTANT, nullable=True),
        sa.Column("broken_since", INSTANT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("failed_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_channel"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("before", sa.Integer(), nullable=True),
        sa.Column("due", INSTANT, nullable=False),
        sa.Column("expires", INSTANT, nullable=True),
        sa.Column("ends", INSTANT, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tried_since", INSTANT, nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("withdrawn", sa.Boolean(), server_default=text("false"), nullable=False),
        sa.Column("planned", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("late", sa.Float(), nullable=True),
        sa.Column("settled", INSTANT, nullable=True),
        sa.Column("provider_ref", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.UniqueConstraint("key", name="uq_delivery_key"),
    )
    op.create_index("ix_delivery_channel_state_at", "delivery", ["channel", "state", "at"], unique=False)
    op.create_index(
        "ix_delivery_late",
        "delivery",
        ["late"],
        unique=False,
        sqlite_where=text("late IS NOT NULL"),
        postgresql_where=text("late IS NOT NULL"),
    )
    op.create_index(
        "ix_delivery_pending",
        "delivery",
        ["at", "id"],
        unique=False,
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    )
    op.create_index(
        "ix_delivery_sending",
        "delivery",
        ["lease_until"],
        unique=False,
        sqlite_where=text("state = 'sending'"),
        postgresql_where=text("state = 'sending'"),
    )
    op.create_index(
        "ix_delivery_settled",
        "delivery",
        ["settled"],
        unique=False,
        sqlite_where=text("settled IS NOT NULL"),
        postgresql_where=text("settled IS NOT NULL"),
    )
    op.create_index(
        "ix_delivery_outcome",
        "delivery",
        ["state", "due"],
        unique=False,
        sqlite_where=text("settled IS NOT NULL"),
        postgresql_where=text("settled IS NOT NULL"),
    )
    op.create_index("ix_delivery_uid_channel", "delivery", ["uid", "channel"], unique=False)
    op.create_table(
        "process",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("started", INSTANT, nullable=False),
        sa.Column("seen", INSTANT, nullable=False),
        sa.Column("ticked", INSTANT, nullable=True),
        sa.Column("holds", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_process"),
    )
    op.create_table(
        "publication",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("seen", INSTANT, nullable=False),
        sa.Column("published", INSTANT, nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("frame", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_publication"),
        sa.UniqueConstraint("number", name="uq_publication_number"),
    )
    op.create_index(
        "ix_publication_current",
        "publication",
        ["current"],
        unique=True,
        sqlite_where=text("current"),
        postgresql_where=text("current"),
    )
    op.create_table(
        "revision",
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created", INSTANT, nullable=False),
        sa.Column("modified", INSTANT, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("removed", INSTANT, nullable=True),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("uid", "number", name="pk_revision"),
    )
    op.create_index(
        "ix_revision_current",
        "revision",
        ["uid"],
        unique=True,
        sqlite_where=text("current"),
        postgresql_where=text("current"),
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("started", INSTANT, nullable=True),
        sa.Column("ended", INSTANT, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("retry_after", sa.Float(), nullable=True),
        sa.Column("excerpt", sa.Text(), nullable=True),
        sa.Column("overtaken", sa.Boolean(), server_default=text("false"), nullable=False),
        sa.ForeignKeyConstraint(["delivery"], ["delivery.id"], name="fk_attempt_delivery", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_attempt"),
    )
    op.create_index("ix_attempt_delivery_outcome", "attempt", ["delivery", "outcome"], unique=False)
    op.create_index("ix_attempt_outcome", "attempt", ["outcome"], unique=False)
