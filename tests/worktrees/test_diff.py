"""What a mission changed, as the board and `mission diff` show it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import ProjectRepository
from solo_unicorn.missions.errors import NotFound
from solo_unicorn.missions.review_marks import Reading
from solo_unicorn.worktrees.diff.differences import mission_diff
from solo_unicorn.worktrees.diff.model import Diff, FileDiff, side_by_side
from solo_unicorn.worktrees.noted_states import note_state, same_content
from solo_unicorn.worktrees.pool.pool import Pool

from .conftest import MakeMission, Repo


@pytest.fixture
def mission(pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission) -> Repo:
    """A worktree with committed and uncommitted work; main has gone on meanwhile."""
    repo.commit("kept.txt", "".join(f"line {number}\n" for number in range(40)))
    repo.commit("moved.txt", "content that stays\n" * 20)
    repo.commit("gone.txt", "bye\n")
    lease = pool.acquire(repository, make_mission(1), branch="m1")
    there = type(repo)(lease.path)
    there.commit("committed.txt", "one\ntwo\n")
    repo.commit("main-only.txt", "not the mission's")
    return there


def by_path(diff: Diff) -> dict[str, FileDiff]:
    return {one.path: one for one in diff.files}


def test_committed_and_uncommitted_together_against_the_merge_base(mission: Repo, repo: Repo) -> None:
    mission.write("new dir/ünt\tracked.txt", "x\n")
    mission.write("kept.txt", (mission.path / "kept.txt").read_text().replace("line 20\n", "line twenty\n"))
    (mission.path / "gone.txt").unlink()
    mission.git("mv", "moved.txt", "elsewhere.txt")
    index = (repo.path / ".git" / "worktrees" / mission.path.name / "index").read_bytes()
    diff = mission_diff(mission.path, "main")
    found = by_path(diff)
    assert {path: one.status for path, one in found.items()} == {
        "committed.txt": "added",
        "new dir/ünt\tracked.txt": "added",
        "kept.txt": "modified",
        "gone.txt": "deleted",
        "elsewhere.txt": "renamed",
    }
    assert found["elsewhere.txt"].old_path == "moved.txt" and found["elsewhere.txt"].hunks == ()
    assert (diff.added, diff.removed) == (4, 2)
    assert [path for path, one in found.items() if not one.uncommitted] == ["committed.txt"]
    assert (repo.path / ".git" / "worktrees" / mission.path.name / "index").read_bytes() == index
    assert mission.git("count-objects") == mission.git("count-objects")


def test_hunks_carry_line_numbers_of_both_sides(mission: Repo) -> None:
    text = (mission.path / "kept.txt").read_text()
    mission.write("kept.txt", text.replace("line 20\n", "line twenty\nline twenty and a half\n"))
    [hunk] = by_path(mission_diff(mission.path, "main"))["kept.txt"].hunks
    assert (hunk.old_start, hunk.old_count, hunk.new_start, hunk.new_count) == (18, 7, 18, 8)
    changed = [(line.kind, line.text, line.old, line.new) for line in hunk.lines if line.kind != " "]
    assert changed == [
        ("-", "line 20", 21, None),
        ("+", "line twenty", None, 21),
        ("+", "line twenty and a half", None, 22),
    ]
    rows = side_by_side(hunk)
    assert [(row.left and row.left.text, row.right and row.right.text) for row in rows[3:5]] == [
        ("line 20", "line twenty"),
        (None, "line twenty and a half"),
    ]
    assert len(rows) == 8


def test_binary_files_have_no_hunks(mission: Repo) -> None:
    mission.write("image.png", b"\x89PNG\x00\x01\x02")
    found = by_path(mission_diff(mission.path, "main"))["image.png"]
    assert found.binary and found.hunks == () and (found.added, found.removed) == (0, 0)


def test_content_that_looks_like_a_diff(mission: Repo) -> None:
    mission.write("patch.txt", "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n")
    mission.write("kept.txt", "-- removed\n")
    found = by_path(mission_diff(mission.path, "main"))
    [hunk] = found["patch.txt"].hunks
    assert [line.text for line in hunk.lines][:3] == ["diff --git a/x b/x", "--- a/x", "+++ b/x"]
    assert found["patch.txt"].added == 6 == len(hunk.lines)


def test_a_file_without_a_last_newline(mission: Repo) -> None:
    mission.write("kept.txt", "no newline")
    [hunk] = by_path(mission_diff(mission.path, "main"))["kept.txt"].hunks
    assert [line.kind for line in hunk.lines][-2:] == ["+", "\\"]


def test_a_file_that_becomes_a_link(mission: Repo) -> None:
    (mission.path / "kept.txt").unlink()
    (mission.path / "kept.txt").symlink_to("gone.txt")
    mission.write("zzz.txt", "after it\n")
    found = by_path(mission_diff(mission.path, "main"))
    assert found["kept.txt"].status == "type changed"
    assert found["zzz.txt"].hunks[0].lines[0].text == "after it"
    assert found["kept.txt"].hunks[-1].lines[0].text == "gone.txt"


def test_unmerged_files_are_shown_as_they_stand(mission: Repo, repo: Repo) -> None:
    mission.commit("readme.md", "ours\n")
    repo.commit("readme.md", "theirs\n")
    mission.git("merge", "-q", "main", check=False)
    found = by_path(mission_diff(mission.path, "main"))
    assert any(line.text.startswith("<<<<<<<") for hunk in found["readme.md"].hunks for line in hunk.lines)


def test_long_diffs_are_cut_and_paged(mission: Repo) -> None:
    mission.write("long.txt", "".join(f"{number}\n" for number in range(10_000)))
    mission.write("other.txt", "x\n")
    listed = mission_diff(mission.path, "main", hunks=False)
    assert by_path(listed)["long.txt"].added == 10_000 and not any(one.hunks for one in listed.files)
    [one] = mission_diff(mission.path, "main", paths=["long.txt"], max_lines=200).files
    assert one.truncated and sum(len(hunk.lines) for hunk in one.hunks) == 200 and one.added == 10_000


def test_names_that_are_patterns_are_names(mission: Repo) -> None:
    mission.write("*.txt", "star\n")
    assert [one.path for one in mission_diff(mission.path, "main", paths=["*.txt"]).files] == ["*.txt"]


def test_no_changes(pool: Pool, repository: ProjectRepository, make_mission: MakeMission) -> None:
    lease = pool.acquire(repository, make_mission(2), branch="m2")
    diff = mission_diff(lease.path, "main")
    assert diff.files == () and diff.added == diff.removed == 0


def test_json_is_plain_json(mission: Repo) -> None:
    name = b"caf\xe9.txt".decode("utf-8", "surrogateescape")
    (mission.path / name).write_bytes(b"\xff line\n")
    told = json.loads(json.dumps(mission_diff(mission.path, "main").to_json(Reading("M"))).encode())
    [one] = [file for file in told["files"] if file["path"].startswith("caf")]
    assert one["path"] == "caf\\xe9.txt" and one["hunks"][0]["lines"][0]["text"] == "\\xff line"
    assert one["uncommitted"] is True and told["added"] == 3


def test_the_persons_diff_settings_do_not_change_it(mission: Repo, repo: Repo) -> None:
    for name, value in (("diff.external", "/bin/false"), ("diff.noprefix", "true"), ("diff.algorithm", "patience")):
        repo.git("config", name, value)
    repo.git("config", "color.ui", "always")
    assert by_path(mission_diff(mission.path, "main"))["committed.txt"].hunks[0].lines[0].text == "one"


def test_a_worktree_that_is_gone_or_a_base_nobody_knows(mission: Repo, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="is gone"):
        mission_diff(tmp_path / "nowhere", "main")
    with pytest.raises(NotFound, match="not a valid commit"):
        mission_diff(mission.path, "nowhere")


def test_only_what_changed_since_a_state_is_shown_and_nothing_that_a_merge_brought(mission: Repo, repo: Repo) -> None:
    mission.write("kept.txt", (mission.path / "kept.txt").read_text().replace("line 20\n", "line twenty\n"))
    state = note_state(mission.path, "M")
    assert same_content(mission.path, state, note_state(mission.path, "M"))
    mission.commit("kept.txt", (mission.path / "kept.txt").read_text())
    assert same_content(mission.path, state, note_state(mission.path, "M")), "committing alone changes nothing"
    mission.git("merge", "-q", "--no-edit", "main")
    (mission.path / "committed.txt").unlink()
    mission.write("fresh.txt", "new\n")
    since = mission_diff(mission.path, "main", since=state)
    assert {path: one.status for path, one in by_path(since).items()} == {
        "committed.txt": "deleted",
        "fresh.txt": "added",
    }
    assert by_path(since)["committed.txt"].hunks and since.base == state
    assert "main-only.txt" not in by_path(mission_diff(mission.path, "main"))
    assert mission_diff(mission.path, "main", since=note_state(mission.path, "M")).files == ()
