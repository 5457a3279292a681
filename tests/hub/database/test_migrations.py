"""A database that was migrated is like a new one, and both are what the hub's own tables say."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from solo_unicorn.hub import app, audit
from solo_unicorn.hub.storage.database import metadata, open_database
from solo_unicorn.hub.storage.migrate import newest, revision_of, upgrade
from solo_unicorn.hub.uploads import attachments
from solo_unicorn.hub.webhooks import github

from ..rest.postgres import new_database

DECLARING = (app, audit, attachments, github)
"""Modules with tables, so that all of them are in the metadata."""
FIRST = Path(__file__).with_name("first_format.sql")
POSTGRES_ONLY = {"rate_buckets"}


def schema(at: Connection) -> dict[str, object]:
    """What a database has, whatever the order in which it was made."""
    found = inspect(at)
    return {
        table: (
            sorted(
                (one["name"], str(one["type"]), one["nullable"], one["default"]) for one in found.get_columns(table)
            ),
            found.get_pk_constraint(table)["constrained_columns"],
            sorted((one["name"], one["column_names"], bool(one["unique"])) for one in found.get_indexes(table)),
            sorted(tuple(one["column_names"]) for one in found.get_unique_constraints(table)),
        )
        for table in found.get_table_names()
    }


def first_format(at: Connection) -> None:
    for statement in FIRST.read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            at.exec_driver_sql(statement)
    if at.dialect.name == "postgresql":
        at.exec_driver_sql(
            "CREATE UNLOGGED TABLE rate_buckets (name varchar(300) PRIMARY KEY, level float8 NOT NULL, "
            "at float8 NOT NULL, allowed boolean NOT NULL)"
        )


def differences(at: Connection) -> list[object]:
    told = compare_metadata(MigrationContext.configure(at, opts={"compare_type": True}), metadata)
    return [one for one in told if not (one[0] == "remove_table" and one[1].name in POSTGRES_ONLY)]


async def check(old_url: str, new_url: str) -> None:
    old, new = open_database(old_url), open_database(new_url)
    try:
        await old.migrate(first_format)
        for opened in (old, new):
            await upgrade(opened)
            await upgrade(opened)  # twice is as good as once
            assert await opened.read(revision_of) == newest()
            assert await opened.read(differences) == [], "a table differs from what its migrations make"
        assert await old.read(schema) == await new.read(schema)
    finally:
        await old.close()
        await new.close()


async def test_a_database_on_sqlite_that_was_migrated_is_like_a_new_one(tmp_path: Path) -> None:
    await check(f"sqlite:///{tmp_path / 'old'}", f"sqlite:///{tmp_path / 'new'}")


async def test_a_database_on_postgresql_that_was_migrated_is_like_a_new_one(postgres: str) -> None:
    old, new = await asyncio.to_thread(new_database, postgres), await asyncio.to_thread(new_database, postgres)
    await check(old, new)
