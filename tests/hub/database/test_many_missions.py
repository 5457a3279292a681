"""What a hub asks every second must not read every mission."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, event, insert

from solo_unicorn.hub.housekeeping import silent
from solo_unicorn.hub.storage.database import open_database
from solo_unicorn.hub.storage.tables import metadata, missions

NOW = 1_000_000.0


async def test_leases_that_ran_out_are_found_by_an_index(tmp_path: Path) -> None:
    """A pass of a hub with 100,000 missions read them all, twice a second while anything changed."""
    database = open_database(f"sqlite:///{tmp_path / 'hub.sqlite3'}")
    await database.write(metadata.create_all)

    def add(at: Connection) -> None:
        for number, (status, ready, until) in enumerate(
            (
                ("ACTIVE", True, NOW - 601),
                ("ACTIVE", False, NOW - 601),
                ("ACTIVE", False, NOW - 60),
                ("PUSHING", True, NOW - 1),
                ("PUSHING", True, NOW + 1),
                ("INACTIVE", True, NOW - 601),
                ("ACTIVE", True, None),
            )
        ):
            at.execute(
                insert(missions).values(
                    id=str(number),
                    project_id="board",
                    seq=number,
                    number=number,
                    deleted=False,
                    list="doing",
                    list_order=0,
                    priority=3,
                    ready=ready,
                    session_status=status,
                    stage="code",
                    title="",
                    fence=0,
                    lease_until=until,
                    doc="{}",
                )
            )

    await database.write(add)
    assert sorted(await database.read(lambda at: silent(at, NOW))) == [("board", "0"), ("board", "1"), ("board", "3")]

    def plan(at: Connection) -> list[str]:
        asked: list[tuple[str, object]] = []
        event.listen(at.engine, "before_cursor_execute", lambda _c, _k, text, given, *_: asked.append((text, given)))
        silent(at, NOW)
        driver = at.connection.driver_connection
        assert driver is not None
        return [row[3] for text, given in asked for row in driver.execute(f"EXPLAIN QUERY PLAN {text}", given)]

    found = await database.read(plan)
    assert found and all("SEARCH missions USING INDEX missions_ready" in step for step in found), found
    await database.close()
