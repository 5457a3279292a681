"""Mirrors in a checkout: the memory both ways with conflicts kept, solutions and tasks outwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solo_unicorn.missions.entities import Author
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.workstation import client
from solo_unicorn.workstation.checkout_files import memory_files, mission_files
from solo_unicorn.workstation.checkout_files.memory_files import FOLDER, mirror
from solo_unicorn.workstation.checkout_files.mirroring import mirrors_of
from solo_unicorn.worktrees.git import Git

from .conftest import until


class Desk:
    """A project with a checkout, and both sides of its memory."""

    def __init__(self, workspace: Workspace, checkout: Path) -> None:
        self.workspace = workspace
        self.checkout = checkout
        checkout.mkdir(exist_ok=True)
        self.project = workspace.write(operations.projects.create, "Shop").id
        workspace.write(operations.projects.add_repository, self.project, "shop", local_path=str(checkout))

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.checkout / FOLDER

    def write(self, name: str, text: str) -> None:
        """As a person's editor does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{name}.md").write_text(text)

    def remember(self, name: str, text: str) -> None:
        """As an agent does."""
        there = {one.name: one.version for one in self.workspace.read(queries.memory.list_all, self.project)}
        self.workspace.write(operations.memory.replace, self.project, name, text, there.get(name, 0))

    def texts(self) -> dict[str, str]:
        """The workspace's side."""
        return {one.name: one.text for one in self.workspace.read(queries.memory.list_all, self.project)}

    def files(self) -> dict[str, str]:
        """The folder's side, without what a conflict left."""
        return {one.stem: one.read_text() for one in self.folder.glob("*.md") if ".conflict-" not in one.name}

    def conflicts(self) -> list[str]:
        """Texts that a conflict left."""
        return [one.read_text() for one in self.folder.glob("*.conflict-*.md")]

    def mirror(self) -> memory_files.Merged:
        """One look."""
        return mirror(self.workspace, self.project, self.checkout)


@pytest.fixture
def desk(home: Path, tmp_path: Path) -> Desk:
    """Nothing remembered yet."""
    return Desk(Workspace.open(), tmp_path / "checkout")


def test_what_a_file_brings_is_of_its_commit_or_of_a_file_and_never_a_persons(desk: Desk) -> None:
    """A file that an agent wrote, or a pull brought, was memory by "user" within a quarter of a second."""
    git = Git(desk.checkout)
    git.run("init", "-q")
    for name in ("committed", "changed"):
        desk.write(name, "# One\n")
    git.run("add", "-A")
    git.run("commit", "-qm", "one", settings=("user.name=Ann", "user.email=ann@example.com"))
    desk.write("changed", "# Two\n")
    desk.write("loose", "# Three\n")
    desk.mirror()
    authors = {one.name: one.updated_by for one in desk.workspace.read(queries.memory.list_all, desk.project)}
    assert authors == {
        "committed": Author("system", "git, committed by Ann <ann@example.com>"),
        "changed": Author("system", "a file"),
        "loose": Author("system", "a file"),
    }


def test_a_document_that_was_deleted_takes_its_file_along(desk: Desk) -> None:
    desk.remember("old", "# Old\n")
    desk.mirror()
    desk.workspace.write(operations.memory.delete, desk.project, "old")
    for _ in range(2):
        desk.mirror()
        assert desk.texts() == desk.files() == {}
    desk.write("old", "# Again\n")
    desk.mirror()
    assert desk.texts() == desk.files() == {"old": "# Again\n"}
    desk.write("old", "# A person's\n")
    desk.workspace.write(operations.memory.delete, desk.project, "old")
    desk.mirror()
    assert (desk.texts(), desk.conflicts()) == ({}, ["# A person's\n"])


def test_each_side_gets_what_is_new_on_the_other(desk: Desk) -> None:
    desk.remember("decisions", "# Decisions\n")
    desk.write("glossary", "# Glossary\n")
    desk.mirror()
    assert desk.texts() == desk.files() == {"decisions": "# Decisions\n", "glossary": "# Glossary\n"}
    desk.remember("decisions", "# Decisions\n\nWe retry.\n")
    desk.write("glossary", "# Glossary\n\nMission: work.\n")
    desk.mirror()
    assert desk.texts() == desk.files()
    assert desk.texts()["decisions"].endswith("We retry.\n")
    assert desk.texts()["glossary"].endswith("Mission: work.\n")
    assert desk.conflicts() == []
    assert desk.workspace.read(queries.memory.versions, desk.project, "glossary")[-1].updated_by.name == "a file"


def test_a_change_on_both_sides_keeps_both_texts(desk: Desk) -> None:
    desk.remember("decisions", "common\n")
    desk.mirror()
    desk.remember("decisions", "the agent's\n")
    desk.write("decisions", "the person's\n")
    merged = desk.mirror()
    assert desk.texts() == desk.files() == {"decisions": "the agent's\n"}
    assert desk.conflicts() == ["the person's\n"]
    (name,) = merged.keep
    assert name.startswith("decisions.conflict-")
    assert desk.mirror().write == {}
    assert desk.conflicts() == ["the person's\n"], "told once"


def test_different_texts_at_the_first_meeting_are_a_conflict(desk: Desk) -> None:
    desk.remember("index", "ours\n")
    desk.write("index", "theirs\n")
    desk.mirror()
    assert desk.files() == {"index": "ours\n"}
    assert desk.conflicts() == ["theirs\n"]


def test_a_file_that_was_removed_or_emptied_takes_no_document_with_it(desk: Desk) -> None:
    desk.remember("index", "kept\n")
    desk.mirror()
    (desk.folder / "index.md").unlink()
    desk.mirror()
    assert desk.files() == {"index": "kept\n"}
    desk.write("index", "")  # an editor in the middle of saving
    desk.mirror()
    assert desk.texts() == {"index": "kept\n"}
    assert desk.conflicts() == []
    desk.write("index", "saved\n")
    desk.mirror()
    assert desk.texts() == {"index": "saved\n"}


def test_what_is_no_document_is_left_alone(desk: Desk, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do not read\n")
    desk.write("fine", "fine\n")
    (desk.folder / "linked.md").symlink_to(secret)
    (desk.folder / "Bad Name.md").write_text("x\n")
    (desk.folder / "note.txt").write_text("x\n")
    (desk.folder / "binary.md").write_bytes(b"\xff\xfe\x00")
    (desk.folder / "escape.md").write_text("a\x1b[31m")
    (desk.folder / "large.md").write_text("x" * 1_000_001)
    desk.mirror()
    assert desk.texts() == {"fine": "fine\n"}


@pytest.mark.parametrize("part", [".solo-unicorn", ".solo-unicorn/memory"])
def test_a_linked_folder_is_neither_read_nor_written(desk: Desk, tmp_path: Path, part: str) -> None:
    outside = tmp_path / "outside"
    (outside / "memory").mkdir(parents=True)
    (outside / "stolen.md").write_text("x\n")
    (desk.checkout / part).parent.mkdir(exist_ok=True)
    (desk.checkout / part).symlink_to(outside)
    desk.remember("index", "ours\n")
    desk.mirror()
    assert desk.texts() == {"index": "ours\n"}
    assert sorted(path.name for path in outside.rglob("*.md")) == ["stolen.md"]


def test_a_file_changed_while_it_was_looked_at_is_not_overwritten(desk: Desk) -> None:
    desk.remember("index", "one\n")
    desk.mirror()
    desk.remember("index", "two\n")
    found = memory_files.read(desk.checkout)
    where = memory_files.key(desk.checkout)
    merged = memory_files.merge(desk.workspace, desk.project, where, found, desk.workspace.now())
    desk.write("index", "typed this moment\n")
    memory_files.remember(desk.workspace, where, merged, memory_files.write(desk.checkout, merged, found))
    assert desk.files() == {"index": "typed this moment\n"}
    desk.mirror()
    assert desk.files() == {"index": "two\n"}
    assert desk.conflicts() == ["typed this moment\n"]


STEPS = st.lists(
    st.tuples(st.sampled_from(["agent", "person", "look"]), st.sampled_from("ab"), st.sampled_from(["1\n", "2\n"])),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_the_order_both_sides_agree_and_no_text_is_lost(desk: Desk, steps: list[tuple[str, str, str]]) -> None:
    said: set[str] = set()
    prefix = f"{len(list(desk.folder.glob('*')))}x"
    for number, (who, name, text) in enumerate(steps):
        unique = f"{prefix}{number} {text}"
        if who == "agent":
            desk.remember(name, unique)
        elif who == "person":
            overwritten = desk.files().get(name) if desk.folder.exists() else None
            said.discard(overwritten or "")  # a person's editor wrote over it
            desk.write(name, unique)
            said.add(unique)
        else:
            desk.mirror()
    desk.mirror()
    assert desk.texts() == desk.files()
    ever = {v.text for name in desk.texts() for v in desk.workspace.read(queries.memory.versions, desk.project, name)}
    assert said <= ever | set(desk.conflicts())


def test_solutions_and_tasks_are_written_and_follow_their_missions(desk: Desk) -> None:
    workspace = desk.workspace
    mission = workspace.write(operations.missions.create, desk.project, MissionDraft("Retry payments"))
    workspace.write(operations.missions.create, desk.project, MissionDraft("Nothing yet"))
    workspace.write(operations.missions.attach_solution, mission.id, "# Solution\n\nBack off.")
    workspace.write(operations.missions.update_tasks, mission.id, ["Read", "Write"], 1)
    files, newest = mission_files.changed(workspace, desk.project, None)
    assert mission_files.write(desk.checkout, files) == 2
    folder = desk.checkout / "solo-unicorn-docs" / "missions" / mission.id
    assert (folder / "solution.md").read_text() == "# Solution\n\nBack off.\n"
    assert (folder / "tasks.md").read_text() == "# M-1 Retry payments\n\n- [x] Read\n- [ ] Write\n"
    assert mission_files.write(desk.checkout, files) == 0, "the same again writes nothing"
    workspace.write(operations.missions.add_note, mission.id, "progress", "nothing that the files show")
    assert mission_files.changed(workspace, desk.project, newest)[0] == {}
    workspace.write(operations.missions.update_tasks, mission.id, [], 0)
    mission_files.write(desk.checkout, mission_files.changed(workspace, desk.project, newest)[0])
    assert not (folder / "tasks.md").exists()
    assert (folder / "solution.md").exists()


def test_a_project_wants_no_mirror_unless_it_says_so(desk: Desk) -> None:
    assert mirrors_of(desk.workspace) == []
    desk.workspace.write(operations.projects.edit, desk.project, {"mirror_memory": True})
    (one,) = mirrors_of(desk.workspace)
    assert (one.checkout, one.memory, one.documents) == (desk.checkout, True, False)


def test_the_service_keeps_the_mirrors(workstation: Path, tmp_path: Path) -> None:
    """With real files, a real service, and whoever writes first."""
    desk = Desk(Workspace.open(), tmp_path / "checkout")
    desk.workspace.write(operations.projects.edit, desk.project, {"mirror_memory": True, "mirror_documents": True})
    mission = desk.workspace.write(operations.missions.create, desk.project, MissionDraft("Retry payments"))
    desk.remember("index", "from the workspace\n")
    client.ensure_running(stay=True)
    until(lambda: desk.folder.exists() and desk.files() == {"index": "from the workspace\n"}, "written")
    desk.write("notes", "from an editor\n")
    until(lambda: desk.texts().get("notes") == "from an editor\n", "taken")
    desk.remember("notes", "from an agent\n")
    until(lambda: desk.files().get("notes") == "from an agent\n", "written again")
    desk.workspace.write(operations.missions.attach_solution, mission.id, "Back off.")
    solution = desk.checkout / "solo-unicorn-docs" / "missions" / mission.id / "solution.md"
    until(solution.exists, "the solution")
    desk.workspace.write(operations.projects.edit, desk.project, {"mirror_memory": False})
    desk.remember("index", "not for the folder\n")
    assert desk.files()["index"] == "from the workspace\n"
