"""Sign-in, files and web hooks."""

from __future__ import annotations

from alembic import op

from solo_unicorn.hub.signin import tables as signin
from solo_unicorn.hub.uploads.attachments import attachments
from solo_unicorn.hub.webhooks import github

revision = "0002"
down_revision = "0001"

TABLES = (
    signin.passwords,
    signin.secrets_kept,
    signin.signing_keys,
    signin.clients,
    signin.codes,
    signin.refresh_tokens,
    signin.families,
    signin.web_sessions,
    attachments,
    github.deliveries,
    github.pull_request_times,
)


def upgrade() -> None:
    """Make the tables."""
    for table in TABLES:
        table.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Take them away."""
    for table in reversed(TABLES):
        table.drop(op.get_bind(), checkfirst=True)
