"""A PostgreSQL cluster of its own for the tests, on a free port, gone afterwards."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

PLACES = ("/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/15/bin", "/usr/bin")
_names = count(1)


def programs() -> Path:
    """Where `initdb` is; the test is skipped, saying so, when it is nowhere."""
    for place in PLACES:
        if (Path(place) / "initdb").exists():
            return Path(place)
    found = shutil.which("initdb")
    if found is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    return Path(found).parent


@contextmanager
def cluster() -> Iterator[str]:
    """A running cluster; its URL without a database's name.

    Not below pytest's directory: every session of pytest closes that to others, and the server runs as another user.
    """
    binaries = programs()
    with tempfile.TemporaryDirectory(prefix="hub-postgres-") as made:
        yield from _running(binaries, Path(made))


def _running(binaries: Path, directory: Path) -> Iterator[str]:
    data = directory / "data"
    account: dict[str, object] = {}
    if os.geteuid() == 0:  # initdb refuses root
        try:
            person = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        account = {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}
        os.chown(directory, person.pw_uid, person.pw_gid)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = directory / "log"
    run = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "cwd": directory, **account}
    subprocess.run([binaries / "initdb", "-D", data, "-U", "hub", "-A", "trust", "-N"], **run)  # type: ignore[call-overload]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=120"
    subprocess.run([binaries / "pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start"], **run)  # type: ignore[call-overload]
    try:
        yield f"postgresql+asyncpg://hub@127.0.0.1:{port}"
    finally:
        subprocess.run([binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], **run)  # type: ignore[call-overload]


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


def emptied(url: str) -> None:
    """Take everything out of a database, and leave its tables."""
    import asyncpg

    async def take() -> None:
        at = await asyncpg.connect(url.replace("+asyncpg", ""))
        found = await at.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [row["tablename"] for row in found if row["tablename"] != "alembic_version"]
        await at.execute(f"TRUNCATE {', '.join(names)} CASCADE")
        await at.close()

    asyncio.run(take())
