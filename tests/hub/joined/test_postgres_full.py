"""PostgreSQL whose own disk is full refuses with 53100: told as 507 `disk_full`, as SQLite, and heals by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection

from ..whole import whole

pytestmark = pytest.mark.slow
FULL = (
    "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
    "'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$",
    "CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON missions FOR EACH ROW EXECUTE FUNCTION no_room()",
)


async def test_a_full_disk_of_postgresql_is_told_as_such(made_database: str, tmp_path: Path) -> None:
    async with whole(tmp_path, database_url=made_database) as hub:

        def fill(at: Connection) -> None:
            for statement in FULL:
                at.exec_driver_sql(statement)

        def make_room(at: Connection) -> None:
            at.exec_driver_sql("DROP TRIGGER no_room ON missions")
            at.exec_driver_sql("DROP FUNCTION no_room")

        path = f"/api/v1/projects/{hub.project}/missions"
        await hub.hub.database.write(fill)
        try:
            refused = await hub.ask("POST", path, json={"title": "No room"})
            assert (refused.status_code, refused.json()["error"]["code"]) == (507, "disk_full")
            assert "127.0.0.1" not in refused.text
            assert hub.hub.database.full
            assert (await hub.ask("GET", path)).status_code == 200
        finally:
            await hub.hub.database.write(make_room)
        assert (await hub.ask("POST", path, json={"title": "Room"})).status_code == 201
        assert not hub.hub.database.full
