"""`solo-unicorn hub` as a person types it: what it says, what stands in its way, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ..outside import free_port

pytestmark = pytest.mark.slow


@contextmanager
def hub(home: Path, *words: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "solo_unicorn", "hub", *words],
        env=os.environ | {f"SOLO_UNICORN_HUB_{name.upper()}": value for name, value in settings.items()},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stderr
    return process.stderr.readline()


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a program that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        yield int(listening.getsockname()[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_that_it_listens_when_it_does_and_ends_when_it_is_told(home: Path, number: int) -> None:
    port = free_port()
    with hub(home, port=str(port)) as process:
        assert "The hub listens at" in line(process)
        assert httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
        process.send_signal(number)
        assert process.wait(20) == 0


def test_a_port_that_is_taken_is_said(home: Path, silent: int) -> None:
    with hub(home, port=str(silent)) as process:
        _, told = process.communicate(timeout=60)
    assert process.returncode == 75 and f"cannot listen at 127.0.0.1:{silent}" in told and "another --port" in told
    assert "The hub listens" not in told


@pytest.mark.parametrize("setting", ["database_url", "bus_url"])
@pytest.mark.parametrize("hanging", [True, False], ids=["hanging", "down"])
def test_what_it_waits_for_is_named_and_a_signal_ends_the_wait(
    home: Path, silent: int, setting: str, hanging: bool
) -> None:
    place = f"127.0.0.1:{silent if hanging else free_port()}"
    url = f"postgresql+asyncpg://hub:secret@{place}/hub" if setting == "database_url" else f"redis://:secret@{place}/0"
    with hub(home, port=str(free_port()), **{setting: url}) as process:
        told = line(process)
        assert told.startswith("waiting for") and place in told and "secret" not in told
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=20)
        assert process.returncode == 0 and "Traceback" not in rest and "listens" not in rest


def test_a_data_directory_that_is_a_file_is_said(home: Path) -> None:
    (home / "hub").write_text("")
    with hub(home) as process:
        _, told = process.communicate(timeout=60)
    assert process.returncode == 2 and "data directory" in told and "--data-dir" in told


def test_a_port_of_the_environment_that_is_not_a_number_is_said(home: Path) -> None:
    with hub(home, port="http") as process:
        _, told = process.communicate(timeout=60)
    assert process.returncode == 2 and "SOLO_UNICORN_HUB_PORT" in told


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--port", "99999"), "99999 is not a port"),
        (("--port", "-1"), "-1 is not a port"),
        (("--port", "0", "--public-url", "nonsense"), "'nonsense' is not a public URL"),
        (("--port", "0", "--public-url", "https://hub:99999"), "is not a public URL"),
    ],
)
def test_where_a_hub_cannot_be_is_said(home: Path, words: tuple[str, ...], named: str) -> None:
    with hub(home, *words) as process:
        _, told = process.communicate(timeout=60)
    assert process.returncode == 2 and named in told and "now: give" in told


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_port_0_is_a_free_one_and_it_is_the_one_that_is_said(home: Path, host: str) -> None:
    with hub(home, "--port", "0", "--host", host) as process:
        url = line(process).split()[4].rstrip(",")
        assert httpx.get(f"{url}/readyz").status_code == 200


@pytest.mark.parametrize("content", [b"garbage", b"SQLite format 3\0" + bytes(5000)], ids=["another file", "damaged"])
def test_a_database_that_is_damaged_is_said_at_once(home: Path, content: bytes) -> None:
    (home / "hub").mkdir(parents=True)
    (home / "hub" / "hub.sqlite3").write_bytes(content)
    with hub(home, "--port", "0") as process:
        _, told = process.communicate(timeout=60)
    assert process.returncode == 2 and "waiting for" not in told and "hub restore FILE" in told
