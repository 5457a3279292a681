"""What a person may add as a repository, and what each refusal says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from solo_unicorn.missions.errors import InvalidValue, NotFound, SoloUnicornError
from solo_unicorn.worktrees.repositories import UnusableRepository, check_branch_name, inspect, parse_github


def three_parts(error: SoloUnicornError) -> bool:
    return bool(error.what and error.why and error.todo)


def test_a_checkout_is_described(repo):
    facts = inspect(repo.path)
    assert facts.root == repo.path
    assert facts.name == "shop"
    assert facts.default_branch == facts.current_branch == "main"
    assert facts.head_commit == repo.head()
    assert not (facts.dirty or facts.linked or facts.detached or facts.submodules or facts.lfs or facts.sparse)
    assert facts.remote is None


def test_a_folder_inside_a_checkout_means_the_checkout(repo):
    repo.commit("a/b/c.txt", "x")
    assert inspect(repo.path / "a" / "b").root == repo.path


@pytest.mark.parametrize("name", ["with space", "ünïcode-日本", "quote'\"$(x)", "-dash"])
def test_any_folder_name_works(make_repo, name):
    repo = make_repo(name)
    assert inspect(repo.path).root == repo.path


def test_no_such_directory(tmp_path: Path):
    with pytest.raises(NotFound) as caught:
        inspect(tmp_path / "nothing")
    assert three_parts(caught.value) and str(tmp_path / "nothing") in str(caught.value)


def test_a_plain_directory_is_refused(tmp_path: Path):
    with pytest.raises(UnusableRepository, match="is not a git repository") as caught:
        inspect(tmp_path)
    assert three_parts(caught.value) and caught.value.exit_code == 2


def test_a_bare_repository_is_refused(repo, tmp_path: Path):
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    with pytest.raises(UnusableRepository, match="bare") as caught:
        inspect(tmp_path / "bare.git")
    assert three_parts(caught.value)


def test_the_git_directory_itself_is_refused(repo):
    with pytest.raises(UnusableRepository, match=r"inside a \.git directory"):
        inspect(repo.path / ".git")


def test_a_shallow_clone_is_refused(repo, tmp_path: Path):
    repo.commit("a.txt", "2")
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    with pytest.raises(UnusableRepository, match="shallow") as caught:
        inspect(tmp_path / "shallow")
    assert "--unshallow" in caught.value.todo


def test_no_commits_yet_is_refused(make_repo):
    with pytest.raises(UnusableRepository, match="no commits") as caught:
        inspect(make_repo("empty", first=None).path)
    assert three_parts(caught.value)


def test_a_detached_head_is_a_fact(repo):
    repo.git("switch", "-q", "--detach")
    facts = inspect(repo.path)
    assert facts.detached and facts.current_branch is None and facts.default_branch == "main"


def test_a_dirty_checkout_is_a_fact(repo):
    repo.write("new.txt", "x")
    assert inspect(repo.path).dirty
    assert repo.status() == "?? new.txt"


def test_a_linked_worktree_is_a_fact(repo, tmp_path: Path):
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    facts = inspect(tmp_path / "linked")
    assert facts.linked and facts.name == "shop" and facts.common_dir == repo.path / ".git"


def test_the_remote_decides_the_default_branch(repo, tmp_path: Path):
    repo.git("branch", "-m", "trunk")
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "clone"))
    facts = inspect(tmp_path / "clone")
    assert (facts.remote, facts.default_branch) == ("origin", "trunk")


def test_a_password_in_the_remote_is_never_shown(repo):
    repo.git("remote", "add", "origin", "https://me:secret@github.com/acme/shop.git")
    facts = inspect(repo.path)
    assert "secret" not in repr(facts)
    assert facts.github_full_name == "acme/shop"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://github.com/acme/shop.git", ("github.com", "acme", "shop")),
        ("git@github.com:acme/shop.js.git", ("github.com", "acme", "shop.js")),
        ("ssh://git@github.example.com:2222/acme/shop", ("github.example.com", "acme", "shop")),
        ("https://gitlab.com/acme/shop.git", None),
        ("/home/me/github.com/acme", None),
        ("file:///srv/github/acme.git", None),
    ],
)
def test_github_urls(url, found):
    assert parse_github(url) == found


@pytest.mark.parametrize("name", ["-x", "a..b", "a b", "x.lock", "", "a~1"])
def test_names_git_refuses_for_a_branch(name):
    with pytest.raises(InvalidValue):
        check_branch_name(name)


def test_a_repository_of_somebody_else_says_how_to_trust_it(repo, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(SoloUnicornError) as caught:
        inspect(repo.path)
    assert "safe.directory" in caught.value.todo


def test_a_repository_we_were_started_in_is_not_taken_for_the_one_asked_for(repo, make_repo, monkeypatch):
    """A git hook sets GIT_DIR; a command started from it must not work in the hook's repository."""
    other = make_repo("other")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    assert inspect(repo.path).common_dir == repo.path / ".git"


def test_importing_the_package_loads_no_gitpython(repo):
    program = (
        "import sys, solo_unicorn.worktrees.pool, solo_unicorn.worktrees.landing, solo_unicorn.worktrees.diff\n"
        "import solo_unicorn.worktrees.cloning, solo_unicorn.worktrees.cleaning\n"
        "sys.exit('git' in sys.modules or 'psutil' in sys.modules)"
    )
    import sys

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
