"""`hub backup`, `verify`, `restore`: made while the hub serves, refused while it serves, and nothing is thrown away."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from ...docs.pages import ROOT, blocks
from .. import outside
from .test_starting import free_port, hub, line

pytestmark = pytest.mark.slow
CONTENT = b"The lamp is lit at dusk.\n" * 1_000


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "solo_unicorn", "hub", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def with_a_file(client: httpx.Client, project: str) -> str:
    """A mission with a file; the address of the file."""
    mission = client.post(f"/projects/{project}/missions", json={"title": "With a file"}).json()["id"]
    about = {"missionId": mission, "name": "lamp.txt", "mime": "text/plain", "size": len(CONTENT)}
    about["sha256"] = hashlib.sha256(CONTENT).hexdigest()
    made = client.post(f"/projects/{project}/attachments", json=about).json()
    assert client.put(made["uploadUrl"], content=CONTENT).status_code == 204
    identifier = made["attachment"]["id"]
    assert client.post(f"/attachments/{identifier}/complete").json()["state"] == "complete"
    return f"/attachments/{identifier}/content"


def test_a_backup_is_made_checked_and_put_back_with_its_files(home: Path, tmp_path: Path) -> None:
    run("user", "add", "you@example.com")
    token, backup = run("token", "create", "you@example.com").stdout.strip(), tmp_path / "backup"
    port = free_port()
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}/api/v1", headers={"Authorization": f"Bearer {token}"}, follow_redirects=True
    )
    with client, hub(home, port=str(port)) as process:
        assert "listens" in line(process)
        kept = with_a_file(client, client.post("/projects", json={"name": "Kept"}).json()["id"])
        made = run("backup", str(backup), "--json")
        assert made.returncode == 0 and backup.stat().st_mode & 0o777 == 0o700, made.stderr
        assert json.loads(made.stdout)["data"]["files"] == 1
        assert run("backup", str(backup)).returncode == 4, "a backup is not overwritten"
        client.post("/projects", json={"name": "Lost"})
        refused = run("restore", str(backup))
        assert refused.returncode == 75 and "stop the hub" in refused.stderr
        process.terminate()
        process.wait(20)
    assert run("verify", str(backup)).returncode == run("verify").returncode == 0
    uploads = home / "hub" / "uploads" / "files"
    for file in uploads.iterdir():
        file.unlink()
    missing = run("verify")
    assert missing.returncode == 1 and "MISSING" in missing.stdout
    restored = run("restore", str(backup))
    assert restored.returncode == 0, restored.stderr
    assert list((home / "hub").glob("hub.sqlite3.before-*"))
    with hub(home, port=str(port)) as process:
        assert "listens" in line(process)
        with httpx.Client(base_url=client.base_url, headers=client.headers, follow_redirects=True) as again:
            assert [one["name"] for one in again.get("/projects").json()["items"]] == ["Kept"]
            assert again.get(kept).content == CONTENT
    did = [row["action"] for row in json.loads(run("audit", "--json").stdout)["data"] if "operator" in row["caller"]]
    assert did == ["hub.restored", "hub.backup", "token.create", "user.add"], "what a backup holds ends with itself"


@pytest.mark.parametrize("name", ["hub.sqlite3", "manifest.json", "files"])
def test_a_backup_that_was_changed_is_refused_and_changes_nothing(home: Path, tmp_path: Path, name: str) -> None:
    run("migrate")
    backup = tmp_path / "backup"
    assert run("backup", str(backup)).returncode == 0
    if name == "files":
        manifest = json.loads((backup / "manifest.json").read_text())
        manifest["files"]["0" * 26] = {"size": 1, "sha256": "0" * 64}
        (backup / "manifest.json").write_text(json.dumps(manifest))
    else:
        with (backup / name).open("ab") as file:
            file.write(b"something else")
    before = (home / "hub" / "hub.sqlite3").read_bytes()
    for word in ("verify", "restore"):
        refused = run(word, str(backup))
        assert refused.returncode == 1 and "is damaged" in refused.stderr and "another backup" in refused.stderr
    assert (home / "hub" / "hub.sqlite3").read_bytes() == before


def test_what_is_not_a_backup_is_refused(home: Path, tmp_path: Path) -> None:
    run("migrate")
    (tmp_path / "other").mkdir()
    refused = run("restore", str(tmp_path / "other"))
    assert refused.returncode == 1 and "not a backup of a hub" in refused.stderr
    assert run("verify").returncode == 0


def commands_of(page: Path, program: str) -> list[str]:
    """What the page has typed in its block that begins with a program."""
    return next(
        [command for _, command, _ in block.commands]
        for block in blocks(page)
        if block.source.startswith(program) and block.language == "sh"
    )


def test_the_commands_of_the_page_for_postgresql_do_what_it_says(home: Path, tmp_path: Path) -> None:
    with outside.postgres() as server:
        url = asyncio.run(outside.fresh(server))
        run("user", "add", "you@example.com", "--database-url", url)
        token = run("token", "create", "you@example.com", "--database-url", url).stdout.strip()
        port = free_port()
        client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            follow_redirects=True,
        )

        def type_in(program: str) -> str:
            said = ""
            for command in commands_of(ROOT / "docs" / "hub.md", program):
                plain = url.replace("+asyncpg", "")
                command = command.replace("postgresql://hub@db/hub", plain)
                command = command.replace("postgresql+asyncpg://hub@db/hub", url)
                command = command.replace("solo-unicorn ", f"{sys.executable} -m solo_unicorn ")
                command = command.replace("~/.solo-unicorn", str(home))
                done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
                assert done.returncode == 0, f"{command}\n{done.stderr}"
                said = done.stdout
            return said

        with client:
            with hub(home, port=str(port), database_url=url) as process:
                assert "listens" in line(process)
                kept = with_a_file(client, client.post("/projects", json={"name": "Kept"}).json()["id"])
                type_in("pg_dump")
                client.post("/projects", json={"name": "Lost"})
                before = client.get("/auth/whoami").json()
                process.terminate()
                process.wait(20)
            for file in (home / "hub" / "uploads" / "files").iterdir():
                file.unlink()
            assert "Epoch 2 begins" in type_in("pg_restore")
            with hub(home, port=str(port), database_url=url) as process:
                assert "listens" in line(process)
                assert [one["name"] for one in client.get("/projects").json()["items"]] == ["Kept"]
                assert client.get(kept).content == CONTENT and client.get("/auth/whoami").json() == before
