"""Hubs for tests: on SQLite always, on PostgreSQL where it is installed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from .postgres import cluster
from .world import World, world

_names = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A cluster's URL without a database's name."""
    with cluster() as url:
        yield url


def new_database(url: str) -> str:
    """The URL of a fresh database in a cluster."""
    import asyncpg

    name = f"hub{next(_names)}"

    async def make() -> None:
        at = await asyncpg.connect(url.replace("+asyncpg", "") + "/postgres")
        await at.execute(f"CREATE DATABASE {name}")
        await at.close()

    asyncio.run(make())
    return f"{url}/{name}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest) -> str:
    """Empty for SQLite in the test's directory, else a fresh PostgreSQL database."""
    if request.param == "sqlite":
        return ""
    return new_database(request.getfixturevalue("postgres"))


@pytest.fixture
async def hub(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """A running hub with people in every role."""
    async with world(tmp_path / "hub", database_url) as made:
        yield made
