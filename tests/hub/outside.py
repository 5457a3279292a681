"""A PostgreSQL and a Redis of a test's own: real servers on free ports, in a directory of the test, gone afterwards."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgres() -> Iterator[str]:
    """`postgresql://…`, or the test is skipped with a reason."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").exists() else []
    found = shutil.which("postgres")
    where = programs[-1] if programs else Path(found).parent if found else None
    if where is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="su-pg-") as name:
        base = Path(name)
        if user:
            known = pwd.getpwnam(user)
            os.chown(base, known.pw_uid, known.pw_gid)
        data, port = base / "data", free_port()
        made = [where / "initdb", "-D", data, "-A", "trust", "-U", "hub", "-E", "UTF8", "--locale=C", "-N"]
        subprocess.run([str(part) for part in made], check=True, capture_output=True, user=user, cwd=base)
        settings = ["fsync=off", f"unix_socket_directories={base}", "listen_addresses=127.0.0.1", "max_connections=200"]
        options = [part for setting in settings for part in ("-c", setting)]
        serving = [str(where / "postgres"), "-D", str(data), "-p", str(port), *options]
        with (base / "log").open("wb") as log:
            server = subprocess.Popen(serving, stdout=log, stderr=log, user=user, cwd=base)
        try:
            _until_open(port, server)
            ready = [str(where / "psql"), "-h", "127.0.0.1", "-p", str(port), "-U", "hub", "-d", "postgres", "-c"]
            deadline = time.monotonic() + 30
            while subprocess.run([*ready, "SELECT 1"], capture_output=True, cwd=base).returncode:
                assert time.monotonic() < deadline, (base / "log").read_text()
            yield f"postgresql://hub@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(3)  # immediate: what is inside goes with the directory
            server.wait(20)


async def fresh(server: str) -> str:
    """An empty database of that server, as the hub is told of it."""
    import asyncpg

    name = f"hub_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return server.replace("postgresql://", "postgresql+asyncpg://").rpartition("/")[0] + f"/{name}"


@contextmanager
def redis() -> Iterator[str]:
    """`redis://…`, or the test is skipped with a reason."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("Redis is not installed (Debian: apt install redis-server)")
    with tempfile.TemporaryDirectory(prefix="su-redis-") as name:
        port = free_port()
        serving = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", name]
        server = subprocess.Popen(serving, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _until_open(port, server)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(20)


def _until_open(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert server.poll() is None and time.monotonic() < deadline, "the server did not come up"
            time.sleep(0.02)
