"""A project leaves one workspace as JSON and enters another unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from solo_unicorn.config import paths
from solo_unicorn.missions.entities import SYSTEM, Author, Mission, Project, Session, Usage
from solo_unicorn.missions.errors import Conflict, InvalidValue
from solo_unicorn.missions.ids import new_ulid
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import lookup, operations, queries, transfer
from solo_unicorn.workspace.queries import exports
from solo_unicorn.workspace.store import Connection
from solo_unicorn.workspace.workspace import Workspace

from .conftest import start


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


@pytest.fixture
def session(workspace: Workspace, ready: Mission) -> Session:
    """A running session on M-1, under an id as sessions have."""
    return start(workspace, ready.id, new_ulid())


def deleted_missions(connection: Connection) -> list[Mission]:
    found = connection.execute("SELECT id FROM mission WHERE deleted").fetchall()
    return [lookup.mission(connection, mission_id, deleted=True) for (mission_id,) in found]


def lived(workspace: Workspace, session: Session, tmp_path: Path) -> str:
    """A project with everything that an export takes; its id."""
    project, agent = session.project_id, Author("agent", session.agent_name, session.id)
    workspace.write_as(agent, operations.memory.append, project, "decisions", "one")
    workspace.write_as(agent, operations.memory.append, project, "decisions", "two")
    workspace.write_as(agent, operations.missions.add_note, "M-1", "decision", "As a queue")
    workspace.write_as(SYSTEM, operations.sessions.progress, session.id, usage=Usage(100, 10, 5, 0.25, 2))
    for name, size in (("empty.txt", 0), ("large.bin", exports.CHUNK * 2 + 1), ("exact.bin", exports.CHUNK)):
        (tmp_path / name).write_bytes(b"\x00\xff\n" * (size // 3) + b"x" * (size % 3))
        operations.attachments.attach(workspace, "M-1", tmp_path / name)
    gone = workspace.write(
        operations.missions.create, project, MissionDraft(title="Deleted", description="x\ny\u2028z")
    )
    workspace.write(operations.missions.delete, gone.id)
    workspace.write(operations.missions.link, "M-1", workspace.write(operations.missions.create, project, DRAFT).id)
    return project


ODD = "x\ny\u2028z"
DRAFT = MissionDraft(title="Blocked", ready=True)


def test_what_was_exported_and_imported_is_exported_as_the_same_bytes(
    workspace: Workspace, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = lived(workspace, session, tmp_path)
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    with first.open("w", encoding="utf-8") as file:
        workspace.read(exports.write_project, project, file.write)
    assert json.loads(first.read_text(encoding="utf-8")) == workspace.read(exports.export_project, project)
    monkeypatch.setenv("SOLO_UNICORN_HOME", str(tmp_path / "another home"))
    with Workspace.open() as other:
        with first.open(encoding="utf-8") as file:
            other.write(operations.imports.import_project, transfer.of_file(file))
        with second.open("w", encoding="utf-8") as file:
            other.read(exports.write_project, project, file.write)
        assert [one.title for one in other.read(deleted_missions)] == ["Deleted"]
        assert other.read(queries.sessions.get, session.id).usage.cost_usd == 0.25
        assert other.read(queries.sessions.get, session.id).phase == "ended"
        assert [one.version for one in other.read(queries.memory.versions, project, "decisions")] == [1, 2]
        for name in ("empty.txt", "large.bin", "exact.bin"):
            brought = queries.attachments.content_path(other.read(queries.attachments.get, "M-1", name))
            assert not (tmp_path / name).stat().st_size or brought.read_bytes() == (tmp_path / name).read_bytes()
    assert second.read_bytes() == first.read_bytes()


def test_a_file_that_is_laid_out_in_another_way_is_read_too(
    workspace: Workspace, session: Session, tmp_path: Path
) -> None:
    project = lived(workspace, session, tmp_path)
    exported = workspace.read(exports.export_project, project)
    laid_out = tmp_path / "sorted.json"
    laid_out.write_text(json.dumps(exported, indent=4, sort_keys=True), encoding="utf-8")
    with laid_out.open(encoding="utf-8") as file:
        copy = workspace.write(operations.imports.import_project, transfer.of_file(file), copy=True)
    assert len(workspace.read(queries.sessions.find)) == 2
    numbers = [mission.number for mission in workspace.read(queries.missions.page, copy.id).items]
    assert len(workspace.read(queries.attachments.of_mission, f"M-{min(numbers)}")) == 3


def test_bytes_that_are_not_those_of_their_hash_are_refused(
    workspace: Workspace, session: Session, tmp_path: Path
) -> None:
    exported = workspace.read(exports.export_project, lived(workspace, session, tmp_path))
    contents = exported["contents"]
    assert isinstance(contents, list) and isinstance(contents[-1], dict)
    contents[-1]["base64"] = "QUJD"
    before = sorted(paths.attachments_dir().rglob("*"))
    with pytest.raises(InvalidValue, match=r"contents\[\d\].*SHA-256"):
        workspace.write(operations.imports.import_project, exported, copy=True)
    assert sorted(paths.attachments_dir().rglob("*")) == before and len(workspace.read(queries.projects.list_all)) == 1


def test_a_file_that_was_cut_off_is_refused(workspace: Workspace, filled: Project, tmp_path: Path) -> None:
    lines: list[str] = []
    workspace.read(exports.write_project, filled.id, lines.append)
    cut = tmp_path / "cut.json"
    cut.write_text("".join(lines)[:-30], encoding="utf-8")
    with cut.open(encoding="utf-8") as file, pytest.raises(InvalidValue, match="cut.json is not JSON"):
        workspace.write(operations.imports.import_project, transfer.of_file(file), copy=True)
    assert len(workspace.read(queries.projects.list_all)) == 1
