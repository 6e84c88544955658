"""Who polls the feeds, and how much each address has left to ask for: one view of all processes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Adds the tables."""
    op.create_table(
        "poll",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("polls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("path", "family", name="pk_poll"),
    )
    op.create_table(
        "allowance",
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("policy", "place", name="pk_allowance"),
    )
    op.create_index("ix_allowance_at", "allowance", ["at"], unique=False)
    op.create_table(
        "salt",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_salt"),
    )
