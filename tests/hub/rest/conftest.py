"""Hubs for tests: on SQLite always, and as two processes on PostgreSQL where it is installed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .postgres import emptied, new_database
from .serving import command, end, free_port, start
from .world import World, world


@dataclass(frozen=True)
class Place:
    """Where the hub of a test keeps its data, and who answers its requests."""

    database_url: str = ""
    """Empty for SQLite in the test's directory."""
    processes: tuple[str, ...] = ()
    """Addresses of hubs that answer in turn; empty for the one in the process of the test."""


@pytest.fixture(scope="session")
def pair(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Two hub processes on one database of PostgreSQL."""
    url = new_database(postgres)
    directories = [tmp_path_factory.mktemp(f"hub{number}") for number in (1, 2)]
    command(directories[0], "migrate", database_url=url)
    ports = [free_port(), free_port()]
    processes = [start(*place, url) for place in zip(directories, ports, strict=True)]
    try:
        yield Place(url, tuple(f"http://127.0.0.1:{port}" for port in ports))
    finally:
        end(processes)


@pytest.fixture(params=["sqlite", pytest.param("two processes on postgresql", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest) -> Place:
    """SQLite in this process, or two processes on PostgreSQL; a test may also ask for one on `postgresql`."""
    match request.param:
        case "sqlite":
            return Place()
        case "postgresql":
            return Place(new_database(request.getfixturevalue("postgres")))
    shared: Place = request.getfixturevalue("pair")
    emptied(shared.database_url)
    return shared


@pytest.fixture
async def hub(tmp_path: Path, place: Place) -> AsyncIterator[World]:
    """A running hub with people in every role."""
    async with world(tmp_path / "hub", place.database_url, place.processes) as made:
        yield made
