"""What bad input gets: three parts, the exit code, and nothing lost."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from solo_unicorn.config import paths
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import failures, operations, queries, store
from solo_unicorn.workspace.workspace import Workspace

from .conftest import Run

Program = Callable[..., subprocess.CompletedProcess[str]]


def parts(err: str) -> tuple[str, str, str]:
    """What happened, why, and what to do: the three lines of an error."""
    found = {"solo-unicorn": "", "why": "", "now": ""}
    for line in err.splitlines():
        name, _, text = line.strip().partition(": ")
        if name in found and not found[name]:
            found[name] = text
    return found["solo-unicorn"], found["why"], found["now"]


def test_a_title_of_501_characters(run: Run, project: str) -> None:
    refused = run("mission", "create", "x" * 501)
    what, why, now = parts(refused.err)
    assert refused.code == 2 and "501" in what and "500" in why and now
    assert run("mission", "list", "-q").out == ""
    assert run("mission", "create", "x" * 500).code == 0


@pytest.mark.parametrize("title", ["", "   ", "a\x1b[31mb", "nul\0byte"])
def test_a_title_that_is_none(run: Run, project: str, title: str) -> None:
    assert run("mission", "create", title).code == 2


def test_a_config_file_that_is_not_toml(run: Run, home: Path) -> None:
    (home / "config.toml").write_text("[workstation]\nslots = = 4\n")
    for command in (("config", "list"), ("config", "set", "editor", "vim"), ("agent", "scan")):
        refused = run(*command)
        what, why, now = parts(refused.err)
        assert refused.code == 2 and "line 2" in what and why and now
    assert (home / "config.toml").read_text() == "[workstation]\nslots = = 4\n"


def test_a_config_file_with_an_unknown_key(run: Run, home: Path) -> None:
    (home / "config.toml").write_text("# mine\n[workstation]\nslotz = 4\n")
    refused = run("config", "get", "workstation.slots")
    what, why, now = parts(refused.err)
    assert refused.code == 2
    assert "line 3" in what and "workstation.slotz" in what and "workstation.slots" in why and "config reset" in now
    assert run("config", "reset", "workstation.slotz").code == 0
    assert run("config", "get", "workstation.slots").out == "4\n"
    assert (home / "config.toml").read_text().startswith("# mine\n")


def test_missions_are_listed_whatever_is_wrong_with_the_settings(run: Run, project: str, home: Path) -> None:
    run("mission", "create", "One")
    (home / "config.toml").write_text("nonsense")
    assert run("mission", "list", "-q").out == "M-1\n"


def test_a_config_file_of_a_newer_version(run: Run, home: Path) -> None:
    (home / "config.toml").write_text("version = 99\n")
    assert run("config", "list").code == 75
    assert run("config", "set", "editor", "vim").code == 75


def test_a_store_that_is_corrupt_is_kept_and_named(run: Run, project: str, home: Path) -> None:
    database = home / "workspace.db"
    damaged = b"this is not a database, " * 500
    database.write_bytes(damaged)
    for leftover in home.glob("workspace.db-*"):
        leftover.unlink()
    refused = run("mission", "create", "One")
    what, why, now = parts(refused.err)
    assert refused.code == 1 and str(database) in what and why and "backups" in now
    assert database.read_bytes() == damaged
    told = run("doctor", "--json")
    assert told.code == 1
    assert next(one for one in told.data if one["what"] == "workspace")["state"] == "error"


def test_an_empty_store_is_not_taken_for_a_new_one(run: Run, home: Path) -> None:
    (home / "workspace.db").touch()
    refused = run("mission", "list")
    assert refused.code == 1 and "empty" in refused.err


def test_a_store_that_is_locked(run: Run, project: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "BUSY_MILLISECONDS", 50)
    other = sqlite3.connect(home / "workspace.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        refused = run("mission", "create", "One")
        assert run("mission", "list").code == 0  # reading goes on
    finally:
        other.execute("ROLLBACK")
        other.close()
    what, why, now = parts(refused.err)
    assert refused.code == 75 and "locked" in what and why and now
    assert run("mission", "create", "One").code == 0


def test_a_store_of_a_newer_version_is_read_and_never_written(run: Run, project: str, home: Path) -> None:
    run("mission", "create", "One")
    with sqlite3.connect(home / "workspace.db") as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()
    assert run("mission", "list", "-q").out == "M-1\n"
    refused = run("mission", "create", "Two")
    what, why, now = parts(refused.err)
    assert refused.code == 75 and "open read-only" in what and "newer" in why and "update" in now
    assert run("mission", "list", "-q").out == "M-1\n"
    assert run("doctor").code == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("mission", "show", "M-99"), 3),
        (("mission", "show", "nonsense"), 3),
        (("mission", "list", "--project", "nobody"), 3),
        (("mission", "create", "x", "--flow", "nobody"), 3),
        (("mission", "create", "x", "--repo", "nobody"), 3),
        (("mission", "create", "x", "--actor", "nobody"), 3),
        (("mission", "create", "x", "--blocked-by", "M-99"), 3),
        (("mission", "create", "x", "--stage", "nobody"), 2),
        (("mission", "create", "x", "--priority", "6"), 2),
        (("mission", "create", "x", "--priority", "high"), 2),
        (("mission", "create"), 2),
        (("mission", "list", "--cursor", "rubbish"), 2),
        (("mission", "move", "1", "nowhere"), 2),
        (("mission", "edit", "1"), 2),
        (("mission",), 2),
        (("mission", "nonsense"), 2),
        (("nonsense",), 2),
        (("memory", "read", "nobody"), 3),
        (("memory", "replace", "new", "text", "--if-version", "7"), 4),
        (("config", "get", "no.such"), 3),
        (("config", "set", "workstation.slots", "many"), 2),
        (("agent", "add", "nobody"), 3),
        (("agent", "add", "Bad Name"), 2),
        (("agent", "add", "claude", "--command", "/does/not/exist"), 3),
        (("agent", "scan", "nobody"), 3),
        (("repo", "remove", "nobody"), 3),
        (("worktree", "list", "--repo", "nobody"), 3),
        (("export", "nobody"), 3),
        (("import", "/does/not/exist.json"), 3),
        (("project", "create", " "), 2),
        (("project", "edit"), 2),
        (("project", "edit", "--limit", "nowhere=3"), 2),
        (("project", "delete", "acme-shop"), 2),
        (("config", "reset"), 2),
        (("completion", "tcsh"), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_said_with_what_to_do(run: Run, project: str, arguments: tuple[str, ...], code: int) -> None:
    run("mission", "create", "One")
    refused = run(*arguments)
    assert refused.code == code, refused
    if arguments != ("mission",):
        what, _, now = parts(refused.err)
        assert what and now, refused.err
        assert refused.out == ""
        told = run(*arguments, "--json")
        assert told.code == code
        assert told.error["what"] and told.error["todo"] and told.error["exitCode"] == code
    assert run("mission", "list", "-q").out == "M-1\n"
    assert "Traceback" not in refused.err


def test_a_missing_agent_is_named_with_how_to_install_it(run: Run, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("SOLO_UNICORN_AGENTS_CLAUDE_COMMAND", str(home / "no-such-claude"))
    assert run("agent", "scan").code == 0
    missing = run("agent", "scan", "claude")
    assert missing.code == 3
    assert missing.out.split("\t")[:2] == ["claude", "missing"]
    assert parts(missing.err)[2]


def git(path: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(path), *words], check=True, capture_output=True)


def test_repositories_that_missions_cannot_work_in(run: Run, project: str, tmp_path: Path) -> None:
    plain, bare, fresh = (tmp_path / name for name in ("plain", "bare", "fresh"))
    plain.mkdir()
    subprocess.run(["git", "init", "-q", "--bare", str(bare)], check=True)
    subprocess.run(["git", "init", "-q", str(fresh)], check=True)
    said = {"plain": "not a git repository", "bare": "bare", "fresh": "no commits", "gone": "no directory"}
    for name, words in said.items():
        refused = run("repo", "add", str(tmp_path / name))
        what, why, now = parts(refused.err)
        assert refused.code in (2, 3) and words in what and why and now, name
        assert run("project", "create", f"With {name}", "--repo", str(tmp_path / name)).code in (2, 3)
    assert run("repo", "list", "-q").out == "" and run("project", "list", "-q").out == "acme-shop\n"


def test_a_detached_head_and_a_dirty_checkout_are_taken_and_told(run: Run, project: str, repository: Path) -> None:
    git(repository, "switch", "-q", "--detach")
    (repository / "readme.md").write_text("changed\n")
    taken = run("repo", "add", str(repository))
    assert taken.code == 0 and "detached" in taken.err and "uncommitted" in taken.err
    assert (repository / "readme.md").read_text() == "changed\n"
    wrong = run("repo", "add", str(repository), "--name", "again", "--branch", "nowhere")
    assert wrong.code == 3 and "nowhere" in wrong.err


def test_a_full_disk_says_so_and_keeps_what_was_there(run: Run, project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run("mission", "create", "One")
    whole = store._connect

    def small(path: Path) -> sqlite3.Connection:
        connection = whole(path)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    monkeypatch.setattr(store, "_connect", small)
    refused = run("mission", "create", "Two", "-d", "long " * 50_000)
    what, why, now = parts(refused.err)
    assert refused.code == 1 and "no space" in what and why and now
    monkeypatch.undo()


def test_a_home_that_cannot_be_made(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SOLO_UNICORN_HOME", str(tmp_path / "file" / "home"))
    refused = run("mission", "list")
    assert refused.code == 1 and str(tmp_path / "file") in refused.err and "Traceback" not in refused.err


def test_the_board_without_a_terminal(program: Program) -> None:
    refused = program()
    what, why, now = parts(refused.stderr)
    assert refused.returncode == 2 and "terminal" in what and why and "mission list" in now


def test_nothing_is_asked_without_a_terminal(program: Program, home: Path) -> None:
    assert program("project", "create", "Acme").returncode == 0
    refused = program("project", "delete", "acme", input="y\n")
    assert refused.returncode == 2 and "--yes" in refused.stderr
    assert program("project", "delete", "acme", "--yes").returncode == 0


def test_a_reader_that_has_seen_enough_is_no_error(home: Path) -> None:
    with Workspace.open() as opened:
        project = opened.write(operations.projects.create, "Acme")
        for number in range(60):
            opened.write(operations.missions.create, project.id, MissionDraft(f"Mission {number} {'x' * 400}"))
    piped = subprocess.run(
        f'("{sys.executable}" -m solo_unicorn mission list --limit 0 --json; echo "code $?" >&2) | head -c 10',
        shell=True,
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env=dict(os.environ),
        check=False,
    )
    assert len(piped.stdout) == 10
    assert piped.stderr == "code 0\n"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_what_the_operating_system_refuses_is_told_as_such(
    run: Run, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), "/some/file")

    monkeypatch.setattr(Workspace, "read", refuse)
    refused = run("mission", "list")
    what, why, now = parts(refused.err)
    assert refused.code == 1 and what == f"{os.strerror(number)} (/some/file)" and why and now


def test_a_fault_of_our_own_is_logged_and_told_without_a_traceback(
    run: Run, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("api_key=abcdefghijklmnop")

    monkeypatch.setattr(queries.missions, "page", broken)
    failed = run("mission", "list")
    assert failed.code == 1 and "error in solo-unicorn" in failed.err and "Traceback" not in failed.err
    assert "abcdefghijklmnop" not in failed.err
    log = (paths.logs_dir() / "solo-unicorn.log").read_text()
    assert "ZeroDivisionError" in log and "abcdefghijklmnop" not in log


def test_a_theme_that_does_not_exist_is_refused_with_the_nearest_one(run: Run) -> None:
    found = run("config", "set", "ui.theme", "dracla")
    assert found.code == 2
    assert "did you mean dracula?" in found.err
    assert run("config", "set", "ui.theme", "dracula").code == 0
    assert run("config", "set", "ui.theme", "").code == 0
