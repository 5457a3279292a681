"""Line comments on a real diff: they follow their lines through edits, commits, renames and deletions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from solo_unicorn.missions.comments import LineComment, Side
from solo_unicorn.missions.errors import InvalidValue, NotFound
from solo_unicorn.worktrees.diff.comments import anchor_of, place_comments
from solo_unicorn.worktrees.diff.measuring import measure

from .conftest import NOW, Repo

CODE = "".join(f"line {number}\n" for number in range(1, 21))


@pytest.fixture
def changed(repo: Repo) -> Repo:
    """A mission's branch with an edited file, on top of a main that has it, too."""
    repo.commit("Straße & co.py", CODE)
    repo.git("switch", "-qc", "m1")
    repo.commit("Straße & co.py", CODE.replace("line 7\n", "line seven\n"))
    return repo


def comment_on(repo: Repo, line: int, side: Side = "new", file: str = "Straße & co.py") -> LineComment:
    anchor = anchor_of(repo.path, "main", file, line, side)
    return LineComment(
        id=f"C{line}{side}", mission_id="M", file=file, line=line, side=side, text="?", created_at=NOW, anchor=anchor
    )


def test_a_comment_follows_its_line_through_commits_and_uncommitted_edits(changed: Repo) -> None:
    made = comment_on(changed, 7)
    assert made.anchor and made.anchor.content == "line seven"
    changed.commit("Straße & co.py", "# new\n# head\n" + CODE.replace("line 7\n", "line seven\n"))
    changed.write("Straße & co.py", "# one more\n# new\n# head\n" + CODE.replace("line 7\n", "line seven\n"))
    assert place_comments([made], changed.path, "main") == [replace(made, line=10)]
    changed.write("Straße & co.py", CODE)
    assert place_comments([made], changed.path, "main")[0].outdated


def test_the_old_side_is_the_merge_base_however_main_goes_on(changed: Repo) -> None:
    made = comment_on(changed, 7, "old")
    assert made.anchor and made.anchor.content == "line 7"
    changed.git("switch", "-q", "main")
    changed.commit("Straße & co.py", "# main went on\n" + CODE)
    changed.git("switch", "-q", "m1")
    assert place_comments([made], changed.path, "main") == [made]


def test_a_renamed_file_takes_its_comments_along_and_a_deleted_one_leaves_them_outdated(changed: Repo) -> None:
    made = comment_on(changed, 7)
    (changed.path / "lib").mkdir()
    changed.git("mv", "Straße & co.py", "lib/road.py")
    changed.git("commit", "-qm", "Move")
    assert place_comments([made], changed.path, "main") == [replace(made, file="lib/road.py")]
    changed.git("rm", "-q", "lib/road.py")
    assert place_comments([made], changed.path, "main") == [replace(made, outdated=True)]


def test_a_resolved_comment_stays_where_it_was(changed: Repo) -> None:
    done = replace(comment_on(changed, 7), resolved_at=NOW)
    changed.write("Straße & co.py", "other\n")
    assert place_comments([done], changed.path, "main") == [done]


def test_a_link_out_of_the_worktree_is_not_read(changed: Repo, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.txt").write_text("secret\n")
    (changed.path / "out").symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidValue):
        anchor_of(changed.path, "main", "out/key.txt", 1, "new")
    link = anchor_of(changed.path, "main", "out", 1, "new")
    assert link.content == str(tmp_path / "secret"), "a link is where it leads, as in the diff"


def test_what_is_not_there_is_said(changed: Repo, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="no line 99"):
        anchor_of(changed.path, "main", "Straße & co.py", 99, "new")
    with pytest.raises(NotFound):
        anchor_of(changed.path, "nowhere", "Straße & co.py", 1, "old")
    changed.write("raw.bin", b"\xff\xfe caf\xe9\n")
    assert anchor_of(changed.path, "main", "raw.bin", 1, "new").content == "\\xff\\xfe caf\\xe9"


def test_how_far_a_branch_is_from_its_target(changed: Repo) -> None:
    changed.git("switch", "-q", "main")
    changed.commit("other.txt", "x")
    changed.git("switch", "-q", "m1")
    changed.write("one.txt", "x")
    changed.git("mv", "Straße & co.py", "Weg.py")
    seen = measure(changed.path, "main", now=NOW)
    assert seen and (seen.ahead, seen.behind, seen.uncommitted) == (1, 1, 2)
    assert (seen.branch, seen.head) == ("m1", changed.head())
    changed.git("stash", "-qu")
    changed.git("switch", "-q", "--detach")
    seen = measure(changed.path, "nowhere", now=NOW)
    assert seen and (seen.branch, seen.ahead, seen.behind, seen.uncommitted) == ("", 0, 0, 0)
    assert measure(changed.path / "gone", "main", now=NOW) is None
