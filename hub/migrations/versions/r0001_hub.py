"""The tables of the first hub that was given out; on PostgreSQL with the buckets of rate limits."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
BUCKETS = """CREATE UNLOGGED TABLE rate_buckets (
    name varchar(300) PRIMARY KEY, level float8 NOT NULL, at float8 NOT NULL, allowed boolean NOT NULL)"""


def upgrade() -> None:
    for statement in Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            op.execute(statement)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(BUCKETS)
