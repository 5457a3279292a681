"""A section of the memory is doubted when the files it speaks of changed a lot since, until somebody confirms it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import SYSTEM, Author, Mission
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.missions.search.sources import files_in
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.workstation.session.doubting import doubts
from solo_unicorn.worktrees.git import Git

WRITTEN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def workspace(home: Path) -> Iterator[Workspace]:
    with Workspace.open(clock=lambda: WRITTEN) as opened:
        yield opened


@pytest.fixture
def mission(workspace: Workspace) -> Mission:
    project = workspace.write(operations.projects.create, "Shop").id
    text = (
        "# Pay\n\n## Retries\n\nA charge is retried thrice: src/pay.py.\n\n## Names\n\nSee src/names.py on charges.\n"
    )
    workspace.write_as(Author("agent", "claude"), operations.memory.append, project, "pay", text)
    return workspace.write(operations.missions.create, project, MissionDraft("Retry the charge by other names"))


@pytest.fixture
def worktree(tmp_path: Path) -> Path:
    place = tmp_path / "tree"
    (place / "src").mkdir(parents=True)
    git = Git(place, {f"GIT_{who}_{what}": "a" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")})
    git.run("init", "-q")
    for number, day in enumerate(("2026-02-01", "2026-04-01")):
        (place / "src" / "pay.py").write_text(f"x = {number}\n" * 30)
        (place / "src" / "names.py").write_text("y = 1\n" * 30 + "z\n" * number)
        git.run("add", "-A")
        git.having(GIT_COMMITTER_DATE=f"{day}T12:00:00Z").run("commit", "-qm", day)
    return place


def test_a_section_whose_file_changed_a_lot_is_doubted_until_it_is_confirmed(
    workspace: Workspace, mission: Mission, worktree: Path
) -> None:
    found = doubts(worktree, workspace.read(queries.memory.speaking_of_files, mission))
    assert set(found.values()) == {"60 lines of src/pay.py changed since", ""}
    workspace.write_as(SYSTEM, operations.doubts.mark, mission.project_id, found)
    said = workspace.read(queries.memory.for_mission, mission)
    assert said.count("This may no longer hold: 60 lines of src/pay.py changed since.") == 1
    assert '<quoted source="memory pay, by the agent claude, 2026-03-01">\nA charge is retried thrice' in said
    (hit,) = [one for one in workspace.read(queries.memory.search, mission.project_id, "thrice") if one.doubt]
    assert (hit.heading, hit.source) == ("Pay › Retries", "by the agent claude, 2026-03-01")
    passage = "A charge is retried thrice: src/pay.py."
    version = workspace.write(operations.memory.edit, mission.project_id, "pay", passage, passage).version
    assert version == 1
    assert "no longer hold" not in workspace.read(queries.memory.for_mission, mission)


def test_a_section_that_is_written_anew_is_not_doubted(workspace: Workspace, mission: Mission, worktree: Path) -> None:
    found = doubts(worktree, workspace.read(queries.memory.speaking_of_files, mission))
    workspace.write_as(SYSTEM, operations.doubts.mark, mission.project_id, found)
    workspace.write(operations.memory.edit, mission.project_id, "pay", "thrice", "twice")
    said = workspace.read(queries.memory.for_mission, mission)
    assert "no longer hold" not in said
    assert 'source="memory pay, by a person, 2026-03-01">\nA charge is retried twice' in said
    assert 'source="memory pay, by the agent claude, 2026-03-01">\nSee src/names.py' in said


def test_names_of_files_are_seen_in_a_text() -> None:
    text = "See `src/pay.py`, ./web/App.tsx and Makefile.am; not 3.14, e.g. or https://example.com/a.html, v1.2."
    assert files_in(text)[:3] == ["src/pay.py", "web/App.tsx", "Makefile.am"]
