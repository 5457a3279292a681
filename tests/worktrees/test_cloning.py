"""Cloning: any URL, progress, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.missions.errors import Conflict, InvalidValue
from solo_unicorn.worktrees.git import GitError
from solo_unicorn.worktrees.repository.cloning import check_url, clone, clone_name
from solo_unicorn.worktrees.repository.repositories import UnusableRepository

from .conftest import Repo


def test_a_clone_with_progress(repo: Repo, tmp_path: Path) -> None:
    for number in range(20):
        repo.commit(f"{number}.txt", f"{number}\n" * 100)
    seen: list[tuple[str, float | None]] = []
    facts = clone(f"file://{repo.path}", tmp_path / "new" / "shop copy", progress=lambda *step: seen.append(step))
    assert facts.root == tmp_path / "new" / "shop copy" and facts.head_commit == repo.head()
    assert facts.remote == "origin" and facts.default_branch == "main"
    assert ("receiving objects", 1.0) in seen and all(share is None or 0 <= share <= 1 for _, share in seen)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["shop copy"]


def test_a_blobless_clone_fetches_contents_later(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    facts = clone(f"file://{repo.path}", tmp_path / "new", blobless=True)
    assert type(repo)(facts.root).git("config", "remote.origin.partialclonefilter") == "blob:none"


@pytest.mark.parametrize("url", ["--upload-pack=touch /tmp/x", "ext::sh -c true", "", "a\nb", "fd::17"])
def test_what_is_no_url_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue):
        clone(url, tmp_path / "new")


def test_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidValue) as caught:
        check_url("https://me:hunter2@example.com/x.git")
    assert "hunter2" not in str(caught.value) and "credential" in caught.value.todo


def test_nothing_is_left_of_a_clone_that_failed(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="does not appear to be a git repository") as caught:
        clone(f"file://{tmp_path}/nothing.git", tmp_path / "new" / "x")
    assert list((tmp_path / "new").iterdir()) == [] and "address" in caught.value.todo


def test_an_empty_repository_is_refused_and_not_kept(repo: Repo, tmp_path: Path) -> None:
    repo.git("init", "-q", "--bare", str(tmp_path / "empty.git"))
    with pytest.raises(UnusableRepository, match="no commits"):
        clone(str(tmp_path / "empty.git"), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_target_that_exists_is_not_overwritten(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    with pytest.raises(Conflict, match="exists already"):
        clone(str(repo.path), tmp_path / "new")


@pytest.mark.parametrize(
    ("url", "name"),
    [("https://x.y/a/shop.git", "shop"), ("git@h:a/b.git/", "b"), ("/srv/git/c", "c"), ("h:repo", "repo")],
)
def test_folder_names(url: str, name: str) -> None:
    assert clone_name(url) == name
