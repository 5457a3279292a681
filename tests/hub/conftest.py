"""For all tests of the hub: passwords are hashed cheaply, and PostgreSQL is there for those that ask for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from solo_unicorn.hub.storage.database import open_database
from solo_unicorn.hub.storage.migrate import upgrade

from .rest.postgres import cluster, emptied, new_database


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("solo_unicorn.hub.signin.accounts._hasher", cheap)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A cluster's URL without a database's name."""
    with cluster() as url:
        yield url


@pytest.fixture(scope="session")
def made_database(postgres: str) -> str:
    """A database with a hub's tables."""
    url = new_database(postgres)

    async def make() -> None:
        opened = open_database(url)
        await upgrade(opened)
        await opened.close()

    asyncio.run(make())
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest) -> str:
    """Empty for SQLite in the test's directory, else that of an emptied database on PostgreSQL."""
    if request.param == "sqlite":
        return ""
    url: str = request.getfixturevalue("made_database")
    emptied(url)
    return url
