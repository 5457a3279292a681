"""Versions of memory documents are numbers of the feed, which need 64 bits (SQLite's integers have them)."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
TABLES = ("memory_documents", "memory_versions")


def upgrade() -> None:
    """Widen them."""
    if op.get_bind().dialect.name == "postgresql":
        for table in TABLES:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN version TYPE bigint")


def downgrade() -> None:
    """Leave them wide: the numbers in them would not fit any more."""
