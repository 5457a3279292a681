"""A PostgreSQL cluster of its own for the tests, on a free port, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PLACES = ("/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/15/bin", "/usr/bin")


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
def cluster(directory: Path) -> Iterator[str]:
    """A running cluster; its URL without a database's name."""
    binaries, data = programs(), directory / "data"
    account: dict[str, object] = {}
    if os.geteuid() == 0:  # initdb refuses root
        try:
            person = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        account = {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}
        for part in (directory, *directory.parents):
            if part == Path(part.anchor):
                break
            if not part.stat().st_mode & 0o001 and part.owner() == "root":
                part.chmod(part.stat().st_mode | 0o011)
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
        stop = subprocess.run(
            [binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], **{**run, "check": False}
        )  # type: ignore[call-overload]
        assert stop.returncode == 0 or b"no server running" in stop.stderr, stop.stderr
