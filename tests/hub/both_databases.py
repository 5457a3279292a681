"""A hub on SQLite, and in the slow tests on PostgreSQL too: fixtures that a conftest.py takes in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from .rest.postgres import cluster, new_database
from .rest.world import World, world


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "sqlite" else new_database(request.getfixturevalue("postgres"))


@pytest.fixture
async def hub(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path / "hub", database_url) as made:
        yield made
