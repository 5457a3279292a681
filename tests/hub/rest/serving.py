"""A hub in a process of its own, as an operator starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

READY_SECONDS = 60.0
KEY = "dGhlIGtleSBvZiB0aGUgaHVicyBvZiB0aGUgdGVzdHM="
"""Hubs of one database have directories of their own here."""


@dataclass
class Served:
    """A running hub with its owner's token, and things that are on it."""

    url: str
    token: str
    process: subprocess.Popen[bytes]
    ids: dict[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    """Further hubs on the same database."""
    asked: int = 0

    @property
    def address(self) -> str:
        """Where the next request goes: to each hub in turn."""
        self.asked += 1
        return (self.url, *self.others)[self.asked % (1 + len(self.others))]

    def use_present_ids(self, case: Any) -> None:
        """Let half of the requests meet something that is there."""
        kind = case.operation.path.removeprefix("/api/v1/").split("/")[0]
        wanted = self.ids.get(kind)
        if wanted and "id" in (case.path_parameters or {}) and len(str(case.path_parameters["id"])) % 2:
            case.path_parameters["id"] = wanted


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def environment(directory: Path) -> dict[str, str]:
    """A hub's own environment: its data in `directory`, no limits on how often it is asked."""
    return {
        **os.environ,
        "SOLO_UNICORN_HOME": str(directory / "home"),
        "SOLO_UNICORN_HUB_KEY": KEY,
        "SOLO_UNICORN_HUB_DATA_DIR": str(directory / "data"),
        "SOLO_UNICORN_HUB_RATE_LIMITS": "off",
    }


def command(directory: Path, *words: str, database_url: str = "") -> str:
    """One operator's command; what it printed."""
    more = ["--database-url", database_url] if database_url else []
    done = subprocess.run(
        [sys.executable, "-m", "solo_unicorn", "hub", *words, *more, "--data-dir", str(directory / "data")],
        env=environment(directory),
        capture_output=True,
        text=True,
        check=True,
        timeout=READY_SECONDS,
    )
    return done.stdout.strip()


def start(directory: Path, port: int, database_url: str = "") -> subprocess.Popen[bytes]:
    """Start a hub, and wait until it answers."""
    more = ["--database-url", database_url] if database_url else []
    where = ["--port", str(port), "--data-dir", str(directory / "data")]
    process = subprocess.Popen(
        [sys.executable, "-m", "solo_unicorn", "hub", *where, *more],
        env=environment(directory),
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + READY_SECONDS
    with httpx.Client(timeout=5) as client:
        while True:
            assert process.poll() is None, "the hub ended at its start"
            assert time.monotonic() < deadline, "the hub does not answer"
            try:
                if client.get(f"http://127.0.0.1:{port}/api/v1/meta/status").status_code == 200:
                    return process
            except httpx.TransportError:
                process_wait(process, 0.05)


def process_wait(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the process ended within so many seconds."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    """Ask hubs to end, and see that they do."""
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        if not process_wait(process, 20):
            process.kill()
            process.wait()


@contextmanager
def served(directory: Path, database_url: str = "") -> Iterator[Served]:
    """A hub with an owner, a project and something of every kind; ended with SIGTERM."""
    token = prepare(directory, database_url)
    port = free_port()
    process = start(directory, port, database_url)
    running = Served(f"http://127.0.0.1:{port}", token, process)
    try:
        furnish(running)
        yield running
    finally:
        end([process])


def prepare(directory: Path, database_url: str = "") -> str:
    """The first owner and a token."""
    command(directory, "user", "add", "owner@example.com", "--organization", "Team", database_url=database_url)
    return command(directory, "token", "create", "owner@example.com", database_url=database_url)


def furnish(running: Served) -> None:
    """Something of every kind."""
    with httpx.Client(
        base_url=running.url + "/api/v1", headers={"Authorization": f"Bearer {running.token}"}, timeout=30
    ) as client:
        who = client.get("/auth/whoami").json()
        project = client.post("/projects", json={"name": "Shop", "visibility": "public"}).json()
        path = f"/projects/{project['id']}"
        running.ids = {
            "organizations": who["organizations"][0]["id"],
            "projects": project["id"],
            "missions": client.post(path + "/missions", json={"title": "Pay by card"}).json()["id"],
            "flows": client.get(path + "/flows").json()["items"][0]["id"],
            "actors": client.post(path + "/actors", json={"name": "Critic"}).json()["id"],
            "repositories": client.post(path + "/repositories", json={"name": "shop"}).json()["id"],
            "workstations": client.post("/workstations", json={"name": "desk"}).json()["id"],
        }
