"""`solo-unicorn hub` as a person types it: what it says, what stands in its way, and how it ends."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import solo_unicorn
from solo_unicorn.hub.settings import OPTIONS, OWN

from .. import outside
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
    """The next line, but for those about a slow start."""
    assert process.stderr
    while (said := process.stderr.readline()).startswith("still starting: "):
        pass
    return said


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


@pytest.mark.parametrize("hanging", [True, False], ids=["hanging", "down"])
def test_a_bucket_that_does_not_answer_is_named_before_the_hub_listens(
    home: Path, silent: int, hanging: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"http://127.0.0.1:{silent if hanging else free_port()}"
    aws = {"ACCESS_KEY_ID": "ann", "SECRET_ACCESS_KEY": "secret", "REGION": "eu-central-1", "ALLOW_HTTP": "true"}
    for name, value in (aws | {"ENDPOINT_URL": place}).items():
        monkeypatch.setenv(f"AWS_{name}", value)
    with hub(home, "--port", "0", upload_url="s3://files/here") as process:
        assert line(process).startswith("waiting for the store of files s3://files/here")
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=20)
        assert "Traceback" not in rest and "listens" not in rest


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
        (("--port", "99999"), "99999 is not a valid port"),
        (("--port", "-1"), "-1 is not a valid port"),
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
    assert process.returncode == 2 and "waiting for" not in told and "hub restore BACKUP" in told


def test_a_second_hub_on_the_same_database_says_who_has_it(home: Path, tmp_path: Path) -> None:
    with hub(home, "--port", "0") as first:
        url = line(first).split()[4].rstrip(",")
        same = f"sqlite:///{home / 'hub' / 'hub.sqlite3'}"
        elsewhere = ("--port", "0", "--data-dir", str(tmp_path / "other"), "--database-url", same)
        for words in (elsewhere, ("--port", url.rpartition(":")[2])):  # the second: the same command again
            with hub(home, *words) as second:
                _, told = second.communicate(timeout=60)
            assert second.returncode == 75 and "is in use" in told and url in told and str(first.pid) in told
        first.kill()  # the lock goes with the process, however it ends
        first.wait()
    with hub(home, "--port", "0") as third:
        assert "The hub listens at" in line(third)


def test_a_setting_that_does_not_exist_is_said_with_the_nearest_that_does(home: Path) -> None:
    with hub(home, databse_url="postgresql+asyncpg://hub@db/hub") as process:
        _, told = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "SOLO_UNICORN_HUB_DATABSE_URL" in told and "set SOLO_UNICORN_HUB_DATABASE_URL instead" in told


def test_every_setting_of_the_environment_is_in_the_page_about_them() -> None:
    page = (Path(solo_unicorn.__file__).parent / "docs" / "deploy" / "README.md").read_text()
    page = page[page.index("## Settings") : page.index("## Watching it")]
    told = {name for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    told |= {"RATE_LIMIT_USER", "RATE_LIMIT_CONTRIBUTOR"}  # as `_USER`, `_CONTRIBUTOR`
    assert told - {"_USER", "_CONTRIBUTOR"} == {name.upper() for name in (*OWN, *OPTIONS)}


def test_a_port_that_is_for_the_system_alone_is_said(home: Path) -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    without_rights = ["unshare", "--user"]  # as nobody, whoever runs the tests
    if lowest <= 80 or subprocess.run([*without_rights, "true"], check=False).returncode:
        pytest.skip("everybody may listen at port 80 here, or rights cannot be given up")
    command = [*without_rights, sys.executable, "-m", "solo_unicorn", "hub", "--port", "80"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "may not listen" in done.stderr and "1024 or more" in done.stderr


async def asks_for_a_password(url: str) -> None:
    """From now on `ann` needs hers."""
    import asyncpg

    at = await asyncpg.connect(url)
    await at.execute("CREATE ROLE ann LOGIN PASSWORD 'right'")
    await at.execute(
        "COPY (SELECT 'host all ann 127.0.0.1/32 scram-sha-256') TO PROGRAM "
        "'cat - pg_hba.conf > pg_hba.new && mv pg_hba.new pg_hba.conf'"
    )
    await at.execute("SELECT pg_reload_conf()")
    await at.close()


def test_a_wrong_password_of_postgresql_is_said_at_once(home: Path) -> None:
    with outside.postgres() as url:
        asking = url.replace("hub@", "ann:wrong@").replace("postgresql:", "postgresql+asyncpg:")
        asyncio.run(asks_for_a_password(url))
        with hub(home, "--port", "0", "--database-url", asking) as process:
            _, told = process.communicate(timeout=60)
    assert process.returncode == 2 and "waiting for" not in told and "correct the user or the password" in told
    assert "wrong@" not in told
