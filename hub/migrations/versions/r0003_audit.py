"""The audit log as a table, and on PostgreSQL the buckets of rate limits."""

from __future__ import annotations

from alembic import op

from solo_unicorn.hub.audit import entries

revision = "0003"
down_revision = "0002"
BUCKETS = """CREATE UNLOGGED TABLE IF NOT EXISTS rate_buckets (
    name varchar(300) PRIMARY KEY, level float8 NOT NULL, at float8 NOT NULL, allowed boolean NOT NULL)"""


def upgrade() -> None:
    """Make them."""
    entries.create(op.get_bind(), checkfirst=True)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(BUCKETS)


def downgrade() -> None:
    """Take them away."""
    op.execute("DROP TABLE IF EXISTS rate_buckets")
    entries.drop(op.get_bind(), checkfirst=True)
