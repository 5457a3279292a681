"""Sign-in by an issuer elsewhere (provider and subject), device authorization, tokens for another hub."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from solo_unicorn.hub.signin.tables import devices

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make them; revision 2 makes tables as they are declared today."""
    devices.create(op.get_bind(), checkfirst=True)
    if "resource" not in {one["name"] for one in sa.inspect(op.get_bind()).get_columns("oauth_families")}:
        op.add_column("oauth_families", sa.Column("resource", sa.Text))
    op.add_column("users", sa.Column("provider", sa.String(500)))
    op.add_column("users", sa.Column("subject", sa.String(255)))
    op.create_index("users_identity", "users", ["provider", "subject"], unique=True)


def downgrade() -> None:
    """Take them away."""
    op.drop_index("users_identity", "users")
    op.drop_column("users", "subject")
    op.drop_column("users", "provider")
    op.drop_column("oauth_families", "resource")
    devices.drop(op.get_bind(), checkfirst=True)
