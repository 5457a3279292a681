"""Files of missions: kept by content, shown by name, never half there."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from solo_unicorn.config import paths
from solo_unicorn.missions.errors import Conflict, InvalidValue, NotFound
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.operations import attachments
from solo_unicorn.workspace.queries.attachments import content_path, shown_path
from solo_unicorn.workspace.workspace import Workspace


@pytest.fixture
def two(home: Path) -> tuple[Workspace, str, str]:
    """A workspace with two missions."""
    workspace = Workspace.open()
    project = workspace.write(operations.projects.create, "Shop").id
    ids = [
        workspace.write(operations.missions.create, project, MissionDraft(title=title)).id for title in ("One", "Two")
    ]
    return workspace, ids[0], ids[1]


def kept() -> list[Path]:
    """Every file below the attachments folder."""
    return sorted(path for path in paths.attachments_dir().rglob("*") if path.is_file())


def test_a_file_is_kept_once_for_all_missions_and_goes_with_the_last(
    two: tuple[Workspace, str, str], tmp_path: Path
) -> None:
    workspace, one, other = two
    source = tmp_path / "sketch.png"
    source.write_bytes(b"picture" * 1000)
    made = operations.attachments.attach(workspace, one, source)
    assert (made.name, made.mime, made.size) == ("sketch.png", "image/png", 7000)
    assert made.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    operations.attachments.attach(workspace, other, source, name="again.png")
    source.unlink()
    assert content_path(made).read_bytes() == b"picture" * 1000
    assert kept() == [content_path(made)]
    assert shown_path(made).name == "sketch.png"
    workspace.write(operations.attachments.detach, one, "sketch.png")
    assert kept() == [content_path(made)] and workspace.read(queries.attachments.of_mission, one) == []
    workspace.write(operations.attachments.detach, other, "again.png")
    assert kept() == []
    assert [event.kind for event in workspace.read(queries.missions.history, one)][-2:] == [
        "file_attached",
        "file_detached",
    ]
    workspace.close()


def test_the_same_again_is_the_same_and_another_content_is_refused(
    two: tuple[Workspace, str, str], tmp_path: Path
) -> None:
    workspace, one, _ = two
    source = tmp_path / "log.txt"
    source.write_text("first")
    made = operations.attachments.attach(workspace, one, source)
    assert operations.attachments.attach(workspace, one, source) == made
    source.write_text("second")
    with pytest.raises(Conflict, match=r"different content"):
        operations.attachments.attach(workspace, one, source)
    assert workspace.read(queries.attachments.of_mission, one) == [made]
    workspace.close()


def test_what_cannot_be_attached_leaves_nothing(
    two: tuple[Workspace, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, one, _ = two
    large = tmp_path / "large"
    large.write_bytes(b"x" * 2048)
    monkeypatch.setattr(attachments, "SIZE_MAX", 1024)
    for path, error in ((large, InvalidValue), (tmp_path / "none", NotFound), (tmp_path, InvalidValue)):
        with pytest.raises(error):
            operations.attachments.attach(workspace, one, path)
    with pytest.raises(InvalidValue):
        operations.attachments.attach(workspace, one, large, name="../etc")
    with pytest.raises(NotFound):
        workspace.write(operations.attachments.detach, one, "none")
    assert kept() == [] and workspace.read(queries.attachments.of_mission, one) == []
    workspace.close()
