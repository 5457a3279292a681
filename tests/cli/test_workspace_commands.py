"""`workspace backup`, `verify` and `restore`, typed as they stand."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from solo_unicorn.cli import main as cli
from solo_unicorn.system.locks import Lock
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace


def names(workspace: Workspace) -> list[str]:
    return [one.name for one in workspace.read(queries.projects.list_all)]


def test_a_backup_of_a_workspace_in_use_has_all_that_was_acknowledged_and_comes_back(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Workspace.open() as used:
        for number in range(20):
            used.write(operations.projects.create, f"Kept {number}")
        used.write(operations.projects.create, "Last")
        assert cli.main(["workspace", "backup", "--json"]) == 0
        made = Path(json.loads(capsys.readouterr().out)["data"]["place"])
        used.write(operations.projects.create, "Later")
    with Workspace.open() as crashed:  # a log of another time lies beside the file
        crashed.write(operations.projects.create, "Much later")
        assert cli.main(["workspace", "verify", str(made)]) == 0
        assert cli.main(["workspace", "restore", str(made)]) == 0
        with Workspace.open() as back:
            assert len(names(back)) == 21 and "Later" not in names(back) and back.check() == []
    (before,) = [one for one in home.glob("workspace.db.before-*") if not one.name.endswith(("-wal", "-shm"))]
    with sqlite3.connect(before) as former:
        assert former.execute("SELECT count(*) FROM project").fetchone() == (23,)
    former.close()


def test_a_flipped_bit_in_a_backup_is_found_and_not_put_back(home: Path, tmp_path: Path) -> None:
    Workspace.open().close()
    made = tmp_path / "copy"
    assert cli.main(["workspace", "backup", str(made)]) == 0
    content = bytearray((made / "workspace.db").read_bytes())
    content[len(content) // 2] ^= 1
    (made / "workspace.db").write_bytes(content)
    before = (home / "workspace.db").read_bytes()
    assert cli.main(["workspace", "verify", str(made)]) == 1
    assert cli.main(["workspace", "restore", str(made)]) == 1
    assert (home / "workspace.db").read_bytes() == before


def test_a_file_of_a_backup_that_changed_is_found(home: Path, tmp_path: Path) -> None:
    Workspace.open().close()
    (home / "attachments" / "ab").mkdir(parents=True)
    (home / "attachments" / "ab" / "abc").write_bytes(b"as it was")
    made = tmp_path / "copy"
    assert cli.main(["workspace", "backup", str(made)]) == 0
    (made / "attachments" / "ab" / "abc").write_bytes(b"as it waz")
    assert cli.main(["workspace", "verify", str(made)]) == 1


def test_what_is_restored_works_as_before_and_the_log_of_the_former_one_goes_with_it(
    home: Path, tmp_path: Path
) -> None:
    with Workspace.open() as opened:
        opened.write(operations.projects.create, "Shop")
        assert cli.main(["workspace", "backup", str(tmp_path / "copy")]) == 0
        opened.write(operations.projects.create, "Later")
        kept = (home / "workspace.db-wal").read_bytes()
    (home / "workspace.db-wal").write_bytes(kept)
    assert cli.main(["workspace", "restore", str(tmp_path / "copy")]) == 0
    (aside,) = home.glob("workspace.db.before-*-wal")
    assert aside.read_bytes() == kept and not (home / "workspace.db-wal").exists()
    with Workspace.open() as restored:
        assert [one.name for one in restored.read(queries.projects.list_all)] == ["Shop"]
        assert restored._store.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_nothing_is_put_back_while_a_service_runs(home: Path, tmp_path: Path) -> None:
    Workspace.open().close()
    assert cli.main(["workspace", "backup", str(tmp_path / "copy")]) == 0
    with Lock(home / "service.lock") as held:
        assert held.take()
        assert cli.main(["workspace", "restore", str(tmp_path / "copy")]) == 75
    assert cli.main(["workspace", "verify"]) == 0
