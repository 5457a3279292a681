"""Projects, repositories, agents, settings, memory, export: as a person and a script use them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from solo_unicorn.config.loading import load
from solo_unicorn.config.settings import SCHEMA
from solo_unicorn.workspace import queries
from solo_unicorn.workspace.workspace import Workspace

from .conftest import Run


def test_a_project_is_made_changed_paused_and_removed(run: Run) -> None:
    assert run("project", "create", "Acme shop", "-d", "Sells things", "-q").out == "acme-shop\n"
    assert run("project", "list").out == "acme-shop\tAcme shop\t0\tactive\n"
    assert run("project", "edit", "--limit", "doing=3", "--pr-mode", "enabled").code == 0
    shown = run("project", "show", "--json").data
    assert shown["wipLimits"] == {"doing": 3} and shown["prModeDefault"] == "enabled"
    assert [flow["name"] for flow in shown["flows"]] == ["Standard", "Quick fix", "Research", "Direct"]
    assert "clarify → plan → code" in run("project", "show").out
    run("project", "pause")
    assert run("project", "list").out.endswith("paused\n")
    run("project", "resume", "acme-shop")
    run("project", "edit", "--limit", "doing=none")
    assert (
        "wipLimits" not in run("project", "show", "--json").data
        or not run("project", "show", "--json").data["wipLimits"]
    )
    assert run("project", "delete", "acme-shop", "--yes").code == 0
    empty = run("project", "list")
    assert empty.out == "" and "project create" in empty.err


def test_a_repository_is_linked_listed_and_unlinked(run: Run, project: str, repository: Path) -> None:
    linked = run("repo", "add", str(repository / "."), "--max", "2", "--json").data
    assert linked["name"] == "shop" and linked["defaultBranch"] == "main" and linked["maxConcurrentMissions"] == 2
    assert run("repo", "list").out == f"shop\tmain\t2\tactive\t{repository}\n"
    assert run("repo", "add", str(repository)).code == 4
    assert run("repo", "remove", "shop").code == 0
    assert run("repo", "list", "-q").out == "" and (repository / "readme.md").exists()


def test_a_url_is_cloned_and_linked(run: Run, project: str, repository: Path, home: Path) -> None:
    linked = run("repo", "add", f"file://{repository}", "--json")
    assert linked.code == 0, linked.err
    assert linked.data["isManagedClone"] and linked.data["localPath"] == str(home / "clones" / "shop")
    assert (home / "clones" / "shop" / "readme.md").exists()


def test_agents_are_scanned_listed_and_added(run: Run, home: Path) -> None:
    assert "rehearsal\tready" in run("agent", "list").out  # the first look is made now
    scanned = {one["name"]: one for one in run("agent", "scan", "--json").data}
    assert scanned["rehearsal"]["state"] == "ready"
    assert run("agent", "scan", "rehearsal").code == 0
    added = run("agent", "add", "second", "--type", "rehearsal", "--slots", "2")
    assert added.code == 0, added.err
    assert load().agent("second").type == "rehearsal" and load().agent("second").slots == 2
    assert run("agent", "add", "second", "--type", "rehearsal").code == 4
    assert {row.split("\t")[0] for row in run("agent", "list").out.splitlines()} >= {"rehearsal", "second"}


def test_settings_are_listed_set_read_and_reset(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("config", "get", "workstation.slots").out == "4\n"
    assert run("config", "set", "workstation.slots", "2").out == "workstation.slots = 2\n"
    assert run("config", "set", "keys.board.new", "n,insert").code == 0
    run("config", "set", "agents.claude.slots", "3")
    assert run("config", "get", "keys.board.new").out == "n,insert\n"
    listed = {one["key"]: one for one in run("config", "list", "--json").data}
    assert listed["workstation.slots"]["value"] == 2 and listed["workstation.slots"]["source"] == "file"
    assert listed["agents.claude.slots"]["value"] == 3 and listed["agents.claude.model"]["source"] == "default"
    assert len(listed) == len(SCHEMA)
    monkeypatch.setenv("SOLO_UNICORN_WORKSTATION_SLOTS", "8")
    assert run("config", "get", "workstation.slots", "--json").data == {
        "key": "workstation.slots",
        "value": 8,
        "source": "environment",
    }
    assert "overrides" in run("config", "set", "workstation.slots", "3").err
    changed = [row.split("\t")[0] for row in run("config", "list", "--changed").out.splitlines()]
    assert changed == ["workstation.slots", "agents.claude.slots", "keys.board.new"]
    assert run("config", "reset", "agents").code == 0
    assert run("config", "reset", "--yes").code == 0
    monkeypatch.delenv("SOLO_UNICORN_WORKSTATION_SLOTS")
    assert run("config", "list", "--changed").out == ""


def test_the_markdown_of_the_settings_is_the_committed_page(run: Run) -> None:
    page = Path(__file__).parents[2] / "docs" / "configuration.md"
    assert run("config", "list", "--markdown").out == page.read_text()


def test_memory_is_written_read_and_searched(run: Run, project: str) -> None:
    run("memory", "append", "decisions", "Use SQLite.")
    run("memory", "append", "decisions", "-", "--heading", "Money", stdin="Amounts are integers.\n")
    assert "Use SQLite." in run("memory", "read", "decisions").out
    assert "# Money" in run("memory", "read", "decisions").out
    assert run("memory", "search", "integers", "-q").out == "decisions\n"
    version = run("memory", "read", "decisions", "--json").data["version"]
    assert run("memory", "replace", "decisions", "Anew.", "--if-version", str(version)).code == 0
    assert run("memory", "replace", "decisions", "Late.", "--if-version", str(version)).code == 4
    assert run("memory", "replace", "decisions", "Newer.").code == 0
    assert run("memory", "read", "decisions").out == "Newer.\n"
    assert run("memory", "list").out.startswith("decisions\t")


def test_a_project_goes_out_and_comes_back_whole(run: Run, project: str, tmp_path: Path) -> None:
    run("mission", "create", "One", "--ready")
    run("mission", "create", "Two", "--blocked-by", "1")
    run("memory", "append", "decisions", "Use SQLite.")
    file = tmp_path / "acme.json"
    assert run("export", "-o", str(file)).code == 0
    assert run("export", "-o", str(file)).code == 4
    assert json.loads(run("export").out) == json.loads(file.read_text())
    assert run("import", str(file)).code == 4
    assert run("import", str(file), "--copy", "-q").out == "acme-shop-2\n"
    run("project", "delete", "acme-shop", "--yes")
    run("project", "delete", "acme-shop-2", "--yes")
    assert run("import", "-", stdin=file.read_text()).code == 0
    assert [one["title"] for one in run("mission", "list", "--json").data] == ["One", "Two"]
    assert run("mission", "show", "2", "--json").data["dependencyCount"] == 1
    assert run("memory", "read", "decisions").out == "Use SQLite.\n"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 99}'])
def test_a_file_that_is_no_export_brings_nothing_in(run: Run, text: str) -> None:
    refused = run("import", "-", stdin=text)
    assert refused.code in (2, 75) and "Traceback" not in refused.err and refused.err
    assert run("project", "list", "-q").out == ""


def test_worktrees_are_listed_and_cleaned(run: Run, project: str, repository: Path) -> None:
    assert "There are no worktrees" in run("worktree", "list").err
    run("repo", "add", str(repository))
    assert run("worktree", "clean", "--dry-run", "--json").meta["dryRun"] is True


def test_doctor_finds_nothing_wrong_with_a_fresh_home_and_says_what_is_wrong_with_a_bad_one(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = run("doctor", "--json")
    assert fresh.code == 0, fresh.out
    assert {"python", "git", "home", "sockets", "settings", "workspace", "service"} <= {
        one["what"] for one in fresh.data
    }
    agents = {one["what"]: one for one in fresh.data if one["what"].startswith("agent ")}
    assert agents["agent rehearsal"]["state"] == "ok"
    absent = [one for one in agents.values() if "not installed" in one["detail"]]
    assert all(one["state"] == "missing" and one["todo"] for one in absent)
    (home / "config.toml").write_text("[workstation]\nslots = 'x'\nnope = 1\n")
    home.chmod(0o755)
    wrong = run("doctor", "--json")
    assert wrong.code == 1
    settings = [one for one in wrong.data if one["what"] == "settings"]
    assert [one["state"] for one in settings] == ["error", "error"] and all(one["todo"] for one in settings)
    assert next(one for one in wrong.data if one["what"] == "home")["state"] == "warning"


def test_an_edit_in_the_persons_editor(run: Run, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from solo_unicorn.cli.editor import edited

    script = tmp_path / "editor.py"
    script.write_text("import sys, pathlib; p = pathlib.Path(sys.argv[1]); p.write_text(p.read_text() + 'more\\n')")
    run("config", "set", "editor", f"{sys.executable} {script}")
    with edited("text\n") as text:
        assert text == "text\nmore\n"
    run("config", "set", "editor", "/does/not/exist")
    with pytest.raises(Exception, match="did not finish") as caught:
        edited("kept text").__enter__()
    name = str(caught.value).split("your text is in ")[1].split(";")[0]
    assert Path(name).read_text() == "kept text"
    Path(name).unlink()


def test_pausing_the_machine_is_seen_by_everyone(run: Run) -> None:
    run("workstation", "pause")
    with Workspace.open() as opened:
        assert opened.read(queries.workstation.paused)
    assert run("workstation", "status", "--json").data["paused"] is True
    run("workstation", "resume")
    assert run("workstation", "status", "--json").data["paused"] is False


def test_a_machine_has_the_name_its_person_gives_it(run: Run, home: Path) -> None:
    assert run("workstation", "status", "--json").data["workstation"]["name"]
    run("config", "set", "workstation.name", "laptop-7")
    assert run("workstation", "status", "--json").data["workstation"]["name"] == "laptop-7"
    (home / "config.toml").write_text("broken")
    assert run("workstation", "status").code == 0
