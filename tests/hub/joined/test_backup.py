"""`hub backup`, `verify`, `restore`: made while the hub serves, refused while it serves, and nothing is thrown away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from .test_starting import free_port, hub, line

pytestmark = pytest.mark.slow


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "solo_unicorn", "hub", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_backup_is_made_checked_and_put_back(home: Path, tmp_path: Path) -> None:
    run("user", "add", "you@example.com")
    token, backup = run("token", "create", "you@example.com").stdout.strip(), tmp_path / "backup"
    headers, port = {"Authorization": f"Bearer {token}"}, free_port()
    url = f"http://127.0.0.1:{port}/api/v1/projects"
    with hub(home, port=str(port)) as process:
        assert "listens" in line(process)
        httpx.post(url, json={"name": "Kept"}, headers=headers)
        made = run("backup", str(backup))
        assert made.returncode == 0 and backup.stat().st_mode & 0o777 == 0o600, made.stderr
        assert run("backup", str(backup)).returncode == 4, "a backup is not overwritten"
        httpx.post(url, json={"name": "Lost"}, headers=headers)
        refused = run("restore", str(backup))
        assert refused.returncode == 75 and "stop the hub" in refused.stderr
        process.terminate()
        process.wait(20)
    assert run("verify", str(backup)).returncode == run("verify").returncode == 0
    restored = run("restore", str(backup))
    assert restored.returncode == 0, restored.stderr
    assert list((home / "hub").glob("hub.sqlite3.before-*"))
    with hub(home, port=str(port)) as process:
        assert "listens" in line(process)
        names = [one["name"] for one in httpx.get(url, headers=headers).json()["items"]]
        assert names == ["Kept"]


def test_what_is_not_a_backup_is_refused_and_changes_nothing(home: Path, tmp_path: Path) -> None:
    run("migrate")
    (tmp_path / "other").write_bytes(b"something else" * 1000)
    refused = run("restore", str(tmp_path / "other"))
    assert refused.returncode == 1 and "not a database of a hub" in refused.stderr
    assert run("verify").returncode == 0
