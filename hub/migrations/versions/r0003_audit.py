"""The audit log as a table."""

from __future__ import annotations

from alembic import op

from solo_unicorn.hub.audit import entries

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make it."""
    entries.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Take it away."""
    entries.drop(op.get_bind(), checkfirst=True)
