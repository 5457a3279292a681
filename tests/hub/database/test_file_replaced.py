"""The file of a hub's database, deleted or replaced while the hub runs."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from solo_unicorn.hub.storage.database import open_database
from solo_unicorn.missions.errors import TryAgain


def _add(at: Connection) -> None:
    at.execute(text("INSERT INTO notes VALUES (1)"))


def _make(at: Connection) -> None:
    at.execute(text("CREATE TABLE notes (n INTEGER)"))


@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
def test_nothing_is_acknowledged_that_would_end_with_the_hub(tmp_path: Path, replaced: bool) -> None:
    file, copy = tmp_path / "hub.sqlite3", tmp_path / "copy"

    async def run() -> None:
        database = open_database(f"sqlite:///{file}")
        try:
            await database.write(_make)
            await database.write(_add)
            shutil.copy(file, copy)
            file.unlink()
            if replaced:
                copy.rename(file)
            for work in (database.write, database.read):
                with pytest.raises(TryAgain, match="deleted or replaced"):
                    await work(_add)
            assert file.exists() == replaced  # no empty one was made in its place
        finally:
            await database.close()

    asyncio.run(run())
