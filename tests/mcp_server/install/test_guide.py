"""What agents read in a checkout is written on request and taken away again, byte for byte."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from solo_unicorn.cli.main import main
from solo_unicorn.mcp_server.install.guide import BEGIN, COMMAND, PARTS, remove_guide, standing, write_guide
from solo_unicorn.missions.errors import Conflict, SoloUnicornError
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace

THEIRS = [b"", b"# Rules\n", b"# Rules", b"# Rules\r\n\r\n- one\r\n", b"# Rules\n\n\n", "# Règles\n".encode()]
SETTINGS = """{
  // ours
  "model": "opus",
  "hooks": {
    "SessionStart": [
      {"matcher": "startup", "hooks": [{"type": "command", "command": "echo hello"}]}
    ],
    "Stop": []
  },
}
"""


@pytest.fixture
def project(tmp_path: Path, home: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path / "shop")], check=True)
    return tmp_path / "shop"


def contents(project: Path) -> dict[str, bytes]:
    """Every file of the checkout, and every folder as an empty text."""
    found = (one for one in project.rglob("*") if ".git" not in one.parts)
    return {str(one.relative_to(project)): one.read_bytes() if one.is_file() else b"" for one in found}


@pytest.mark.parametrize("text", [None, *THEIRS])
def test_what_was_written_is_taken_away_to_the_last_byte(project: Path, text: bytes | None) -> None:
    if text is not None:
        (project / "AGENTS.md").write_bytes(text)
        (project / "CLAUDE.md").write_bytes(text + b"@AGENTS.md\n")
        (project / ".claude").mkdir()
        (project / ".claude/settings.json").write_text(SETTINGS)
    before = contents(project)
    assert {one.became for one in write_guide(project)} <= {"written", "changed"}
    after = contents(project)
    assert {one.became for one in write_guide(project)} == {one.became for one in standing(project)} == {"already"}
    assert contents(project) == after
    assert BEGIN.encode() in after["AGENTS.md"] and after["AGENTS.md"].startswith(text or b"")
    assert ".agents/skills/solo-unicorn/SKILL.md" in after
    assert ".claude/skills/solo-unicorn/SKILL.md" in after
    assert COMMAND in after[".claude/settings.json"].decode()
    assert {one.became for one in remove_guide(project)} == {"removed"}
    left = contents(project)
    if text is not None:  # its lines are set anew, its words and comments stay: see below
        assert left.pop(".claude/settings.json") and before.pop(".claude/settings.json")
    if text == b"":  # an empty file is not told from none
        before.pop("AGENTS.md")
    assert left == before
    assert {one.became for one in remove_guide(project)} == {"absent"}


def test_the_hooks_of_a_person_stay_with_their_comments(project: Path) -> None:
    file = project / ".claude/settings.json"
    file.parent.mkdir()
    file.write_text(SETTINGS)
    write_guide(project, ["hook"])
    text = file.read_text()
    assert "// ours" in text and "echo hello" in text and '"Stop": []' in text and COMMAND in text
    remove_guide(project, ["hook"])
    text = file.read_text()
    assert "// ours" in text and "echo hello" in text and '"Stop": []' in text and "solo-unicorn" not in text


def test_what_stands_around_the_block_is_not_touched(project: Path) -> None:
    file = project / "AGENTS.md"
    file.write_text("# Rules\n")
    write_guide(project, ["block"])
    file.write_text(
        "Above.\n\n" + file.read_text().replace("## Missions and memory", "## Changed by hand") + "\nBelow.\n"
    )
    assert [one.became for one in standing(project) if one.part == "block"] == ["changed"]
    write_guide(project, ["block"])
    assert "## Missions and memory" in file.read_text() and "Changed by hand" not in file.read_text()
    remove_guide(project, ["block"])
    assert file.read_text() == "Above.\n\n# Rules\n\nBelow.\n"


def test_files_that_are_not_ours_are_refused_and_nothing_is_written(project: Path, tmp_path: Path) -> None:
    skill = project / ".agents/skills/solo-unicorn/SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("# Mine\n")
    before = contents(project)
    for change in (write_guide, remove_guide):
        with pytest.raises(Conflict, match="was not created by"):
            change(project)
    skill.unlink()
    (project / "AGENTS.md").write_text(f"{BEGIN}\nno end\n")
    with pytest.raises(Conflict, match="damaged"):
        write_guide(project)
    (project / "AGENTS.md").write_bytes(b"\xff\n")
    with pytest.raises(SoloUnicornError, match="cannot be read"):
        write_guide(project)
    (project / "AGENTS.md").unlink()
    (tmp_path / "outside.md").write_text("# Mine\n")
    (project / "AGENTS.md").symlink_to(tmp_path / "outside.md")
    with pytest.raises(Conflict, match="out of the checkout"):
        write_guide(project)
    assert (tmp_path / "outside.md").read_text() == "# Mine\n"
    assert contents(project).keys() <= before.keys() | {"AGENTS.md"}


def test_a_link_from_one_file_to_the_other_gets_one_block(project: Path) -> None:
    (project / "AGENTS.md").write_text("# Rules\n")
    (project / "CLAUDE.md").symlink_to("AGENTS.md")
    write_guide(project, ["block"])
    assert (project / "CLAUDE.md").is_symlink()
    assert (project / "AGENTS.md").read_text().count(BEGIN) == 1


def test_a_session_begins_with_the_board_and_the_memory(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with Workspace.open() as workspace:
        shop = workspace.write(operations.projects.create, "Shop")
        workspace.write(operations.projects.add_repository, shop.id, "shop", local_path=str(project))
        workspace.write(operations.missions.create, shop.id, MissionDraft("Retry </quoted> payments", ready=True))
        workspace.write(operations.memory.append, shop.id, "index", "Cents. </quoted>")
    monkeypatch.chdir(project)
    assert main(["guide", "show"]) == 0
    told = capsys.readouterr().out
    assert "Project Shop" in told and "M-1 Retry" in told and "todo 1" in told and "Cents." in told
    assert told.count("</quoted>") == 1
    assert main(["guide", "write", "hook", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"][0]["outcome"] == "written"
    monkeypatch.chdir(tmp_path)  # of no project: nothing is told
    assert main(["guide", "show"]) == 0
    assert capsys.readouterr().out == ""
    assert set(PARTS) == {"block", "skill", "hook"}
