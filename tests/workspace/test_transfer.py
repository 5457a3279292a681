"""A project leaves one workspace as JSON and enters another unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import SYSTEM, Project
from solo_unicorn.missions.errors import Conflict, InvalidValue
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace


@pytest.fixture
def filled(workspace: Workspace, project: Project) -> Project:
    a = workspace.write(operations.missions.create, project.id, MissionDraft(title="a", description="Straße"))
    b = workspace.write(operations.missions.create, project.id, MissionDraft(title="b"))
    workspace.write(operations.missions.link, a.id, b.id)
    workspace.write(operations.missions.set_ready, a.id, True)
    workspace.write(operations.memory.append, project.id, "index", "remember")
    return project


def test_everything_but_the_machines_own_comes_back(workspace: Workspace, filled: Project, tmp_path: Path) -> None:
    exported = json.loads(json.dumps(workspace.read(queries.exports.export_project, filled.id)))
    assert "/somewhere/private" not in json.dumps(exported)
    with Workspace.open(tmp_path / "other" / "workspace.db") as other:
        imported = other.write(operations.imports.import_project, exported)
        assert imported.id == filled.id
        assert [mission.title for mission in other.read(queries.missions.page, filled.id).items] == ["a", "b"]
        assert other.read(queries.missions.get, "M-1").ready is False
        assert other.read(queries.missions.get, "M-2").dependency_count == 1
        assert (
            other.read(queries.memory.get, filled.id, "index").text
            == workspace.read(queries.memory.get, filled.id, "index").text
        )
        assert [e.kind for e in other.read(queries.missions.history, "M-1")] == [
            e.kind for e in workspace.read(queries.missions.history, "M-1")
        ]
        assert other.read(queries.missions.search, "Straße")[0].ref == "M-1"
        assert other.write(operations.missions.create, filled.id, MissionDraft(title="c")).number == 3
        with pytest.raises(Conflict, match="already"):
            other.write(operations.imports.import_project, exported)


def test_a_copy_gets_ids_of_its_own(workspace: Workspace, filled: Project) -> None:
    copy = workspace.write(
        operations.imports.import_project, workspace.read(queries.exports.export_project, filled.id), copy=True
    )
    assert copy.id != filled.id and copy.slug == "acme-shop-2"
    numbers = [mission.number for mission in workspace.read(queries.missions.page, copy.id).items]
    assert numbers == [3, 4]
    assert (
        workspace.read(queries.missions.dependencies, "M-4")[0].other_id
        == workspace.read(queries.missions.get, "M-3").id
    )


@pytest.mark.parametrize("content", [{}, {"format": "other"}, {"format": "solo-unicorn-project", "version": 99}])
def test_what_is_no_export_is_refused(workspace: Workspace, content: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        workspace.write(operations.imports.import_project, content)  # type: ignore[arg-type]
    assert workspace.read(queries.projects.list_all) == []


def test_a_broken_export_changes_nothing(workspace: Workspace, filled: Project) -> None:
    exported = json.loads(json.dumps(workspace.read(queries.exports.export_project, filled.id)))
    exported["missions"][1]["list"] = "nowhere"
    workspace.write(operations.projects.delete, filled.id)
    with pytest.raises(InvalidValue, match="list"):
        workspace.write(operations.imports.import_project, exported)
    assert workspace.read(queries.projects.list_all) == []


def test_the_sample_project_comes_and_goes(workspace: Workspace) -> None:
    sample = workspace.write_as(SYSTEM, operations.sample.create)
    assert sample.is_sample
    counts = workspace.read(queries.board.list_counts, sample.id)
    assert all(counts[name].total for name in ("todo", "doing", "review", "done", "loop"))
    assert [entry.kind for entry in workspace.read(queries.missions.waiting, sample.id)] == ["review"]
    workspace.write(operations.projects.delete, sample.id)
    assert workspace.read(queries.projects.list_all) == [] and workspace.read(queries.missions.waiting) == []
