"""Versions of memory documents as differences from the next one."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Versions that are there stay whole."""
    op.execute("ALTER TABLE memory_versions ADD COLUMN kept_start INTEGER")
    op.execute("ALTER TABLE memory_versions ADD COLUMN kept_end INTEGER")
