"""A project leaves one workspace as JSON and enters another unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from solo_unicorn.missions.creating import MissionDraft
from solo_unicorn.missions.entities import Project
from solo_unicorn.missions.errors import Conflict, InvalidValue
from solo_unicorn.workspace.workspace import Workspace


@pytest.fixture
def filled(workspace: Workspace, project: Project) -> Project:
    a = workspace.create_mission(project.id, MissionDraft(title="a", description="Straße"))
    b = workspace.create_mission(project.id, MissionDraft(title="b"))
    workspace.link(a.id, b.id)
    workspace.set_ready(a.id, True)
    workspace.append_memory(project.id, "index", "remember")
    return project


def test_everything_but_the_machines_own_comes_back(workspace: Workspace, filled: Project, tmp_path: Path) -> None:
    exported = json.loads(json.dumps(workspace.export_project(filled.id)))
    assert "/somewhere/private" not in json.dumps(exported)
    with Workspace.open(tmp_path / "other" / "workspace.db") as other:
        imported = other.import_project(exported)
        assert imported.id == filled.id
        assert [mission.title for mission in other.missions(filled.id).items] == ["a", "b"]
        assert other.mission("M-1").ready is False
        assert other.mission("M-2").dependency_count == 1
        assert other.memory(filled.id, "index").text == workspace.memory(filled.id, "index").text
        assert [e.kind for e in other.history("M-1")] == [e.kind for e in workspace.history("M-1")]
        assert other.search("Straße")[0].ref == "M-1"
        assert other.create_mission(filled.id, MissionDraft(title="c")).number == 3
        with pytest.raises(Conflict, match="already"):
            other.import_project(exported)


def test_a_copy_gets_ids_of_its_own(workspace: Workspace, filled: Project) -> None:
    copy = workspace.import_project(workspace.export_project(filled.id), copy=True)
    assert copy.id != filled.id and copy.slug == "acme-shop-2"
    numbers = [mission.number for mission in workspace.missions(copy.id).items]
    assert numbers == [3, 4]
    assert workspace.dependencies("M-4")[0].other_id == workspace.mission("M-3").id


@pytest.mark.parametrize("content", [{}, {"format": "other"}, {"format": "solo-unicorn-project", "version": 99}])
def test_what_is_no_export_is_refused(workspace: Workspace, content: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        workspace.import_project(content)  # type: ignore[arg-type]
    assert workspace.projects() == []


def test_a_broken_export_changes_nothing(workspace: Workspace, filled: Project) -> None:
    exported = json.loads(json.dumps(workspace.export_project(filled.id)))
    exported["missions"][1]["list"] = "nowhere"
    workspace.delete_project(filled.id)
    with pytest.raises(InvalidValue, match="list"):
        workspace.import_project(exported)
    assert workspace.projects() == []


def test_the_sample_project_comes_and_goes(workspace: Workspace) -> None:
    sample = workspace.create_sample_project()
    assert sample.is_sample
    counts = workspace.list_counts(sample.id)
    assert all(counts[name].total for name in ("todo", "doing", "review", "done", "loop"))
    assert [entry.kind for entry in workspace.waiting(sample.id)] == ["review"]
    workspace.delete_project(sample.id)
    assert workspace.projects() == [] and workspace.waiting() == []
