"""What a person may add as a repository, and what each refusal says."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from solo_unicorn.missions.errors import InvalidValue, NotFound, SoloUnicornError
from solo_unicorn.worktrees.git import hide_secrets
from solo_unicorn.worktrees.landing.landing import Landed, land
from solo_unicorn.worktrees.repository.addresses import parse_github, real
from solo_unicorn.worktrees.repository.repositories import (
    UnusableRepository,
    check_branch_name,
    check_worktrees,
    inspect,
)

from .conftest import MakeRepo, Repo


def three_parts(error: SoloUnicornError) -> bool:
    return bool(error.what and error.why and error.todo)


def test_a_checkout_is_described(repo: Repo) -> None:
    facts = inspect(repo.path)
    assert facts.root == repo.path
    assert facts.name == "shop"
    assert facts.default_branch == facts.current_branch == "main"
    assert facts.head_commit == repo.head()
    assert not (facts.dirty or facts.linked or facts.detached or facts.submodules or facts.lfs or facts.sparse)
    assert facts.remote is None


def test_a_folder_inside_a_checkout_means_the_checkout(repo: Repo) -> None:
    repo.commit("a/b/c.txt", "x")
    assert inspect(repo.path / "a" / "b").root == repo.path


@pytest.mark.parametrize("name", ["with space", "ünïcode-日本", "quote'\"$(x)", "-dash"])
def test_any_folder_name_works(make_repo: MakeRepo, name: str) -> None:
    repo = make_repo(name)
    assert inspect(repo.path).root == repo.path


def test_no_such_directory(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        inspect(tmp_path / "nothing")
    assert three_parts(caught.value) and str(tmp_path / "nothing") in str(caught.value)


def test_a_plain_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableRepository, match="is not a git repository") as caught:
        inspect(tmp_path)
    assert three_parts(caught.value) and caught.value.exit_code == 2


def test_a_bare_repository_is_refused(repo: Repo, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    with pytest.raises(UnusableRepository, match="bare") as caught:
        inspect(tmp_path / "bare.git")
    assert three_parts(caught.value)


def test_the_git_directory_itself_is_refused(repo: Repo) -> None:
    with pytest.raises(UnusableRepository, match=r"inside a \.git directory"):
        inspect(repo.path / ".git")


def test_a_shallow_clone_is_worked_with_and_deepened_as_needed(repo: Repo, tmp_path: Path) -> None:
    """The remote went another way than the one commit that is here: what they have in common is fetched."""
    for number in range(3):
        repo.commit("f.txt", f"{number}")
    repo.git("branch", "old", "HEAD~2")
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "origin.git"))
    repo.git("clone", "-q", "--depth=1", "--no-single-branch", f"file://{tmp_path / 'origin.git'}", str(tmp_path / "s"))
    shallow = type(repo)(tmp_path / "s")
    assert inspect(shallow.path).shallow
    shallow.git("switch", "-qc", "m1", "origin/old")
    shallow.commit("mine.txt", "mine")
    shallow.git("switch", "-q", "main")
    landed = land(
        shallow.path, branch="m1", target="main", strategy="merge", message="M", scratch_root=tmp_path / "worktrees"
    )
    assert isinstance(landed, Landed) and landed.pushed
    assert (shallow.path / "mine.txt").exists() and (shallow.path / "f.txt").read_text() == "2"


def test_a_checkout_whose_core_bare_was_set_names_it(repo: Repo) -> None:
    repo.git("config", "core.bare", "true")
    with pytest.raises(UnusableRepository, match=r"core\.bare") as caught:
        inspect(repo.path)
    assert "core.bare false" in caught.value.todo


def test_a_bare_repository_in_a_project_folder(repo: Repo, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    repo.git("clone", "-q", "--bare", str(repo.path), str(folder / ".bare"))
    (folder / ".git").write_text("gitdir: ./.bare\n")
    repo.git("worktree", "add", "-q", "trunk", "main", cwd=folder)
    assert inspect(folder / "trunk").name == "project"
    with pytest.raises(UnusableRepository) as caught:
        inspect(folder)
    assert str(folder / "trunk") in caught.value.todo


def test_a_default_branch_that_the_remote_renamed(repo: Repo, tmp_path: Path) -> None:
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "clone"))
    clone = type(repo)(tmp_path / "clone")
    clone.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/master")
    assert inspect(clone.path).default_branch == "main"


def test_worktrees_that_would_all_be_the_checkout_are_refused_before_anything_is_written(
    repo: Repo, tmp_path: Path
) -> None:
    repo.git("init", "-q", "-b", "main", str(tmp_path / "outer"))
    outer = type(repo)(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repo.path), "lib")
    check_worktrees(inspect(outer.path / "lib"))
    outer.git("config", "extensions.worktreeConfig", "true", cwd=outer.path / "lib")
    with pytest.raises(UnusableRepository, match=r"extensions\.worktreeConfig") as caught:
        check_worktrees(inspect(outer.path / "lib"))
    for command in re.findall(r"`(git [^`]*)`", caught.value.todo):
        subprocess.run(shlex.split(command), check=True)
    check_worktrees(inspect(outer.path / "lib"))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("git@github.com-work:acme/app.git", "git@github.com:acme/app.git"),
        ("ssh://git@gh-work/acme/app.git", "ssh://git@github.com/acme/app.git"),
        ("git@github.com:acme/app.git", "git@github.com:acme/app.git"),
        ("https://gh-work/acme/app.git", "https://gh-work/acme/app.git"),
    ],
)
def test_an_alias_of_ssh_is_the_host_that_it_stands_for(repo: Repo, home: Path, given: str, wanted: str) -> None:
    assert real(given) == given, "without settings of ssh"
    (home.parent / ".ssh").mkdir(mode=0o700)
    (home.parent / ".ssh" / "config").write_text("Host github.com-work gh-*\n  HostName github.com\n")
    repo.git("remote", "add", "origin", given)
    facts = inspect(repo.path)
    assert facts.remote_url == hide_secrets(wanted) and (facts.github_full_name == "acme/app") is (
        "github.com" in wanted
    )
    assert real(given) == wanted


def test_no_commits_yet_is_refused(make_repo: MakeRepo) -> None:
    with pytest.raises(UnusableRepository, match="no commits") as caught:
        inspect(make_repo("empty", first=None).path)
    assert three_parts(caught.value)


def test_a_detached_head_is_a_fact(repo: Repo) -> None:
    repo.git("switch", "-q", "--detach")
    facts = inspect(repo.path)
    assert facts.detached and facts.current_branch is None and facts.default_branch == "main"


def test_a_dirty_checkout_is_a_fact(repo: Repo) -> None:
    repo.write("new.txt", "x")
    assert inspect(repo.path).dirty
    assert repo.status() == "?? new.txt"


def test_a_linked_worktree_is_a_fact(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    facts = inspect(tmp_path / "linked")
    assert facts.linked and facts.name == "shop" and facts.common_dir == repo.path / ".git"


def test_the_remote_decides_the_default_branch(repo: Repo, tmp_path: Path) -> None:
    repo.git("branch", "-m", "trunk")
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "clone"))
    facts = inspect(tmp_path / "clone")
    assert (facts.remote, facts.default_branch) == ("origin", "trunk")


def test_a_password_in_the_remote_is_never_shown(repo: Repo) -> None:
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
def test_github_urls(url: str, found: object) -> None:
    assert parse_github(url) == found


@pytest.mark.parametrize("name", ["-x", "a..b", "a b", "x.lock", "", "a~1"])
def test_names_git_refuses_for_a_branch(name: str) -> None:
    with pytest.raises(InvalidValue):
        check_branch_name(name)


def test_a_repository_of_somebody_else_says_how_to_trust_it(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(SoloUnicornError) as caught:
        inspect(repo.path)
    assert "safe.directory" in caught.value.todo


def test_a_repository_we_were_started_in_is_not_taken_for_the_one_asked_for(
    repo: Repo, make_repo: MakeRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A git hook sets GIT_DIR; a command started from it must not work in the hook's repository."""
    other = make_repo("other")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    assert inspect(repo.path).common_dir == repo.path / ".git"


def test_importing_the_package_loads_no_gitpython(repo: Repo) -> None:
    program = (
        "import sys, solo_unicorn.worktrees.pool.pool, solo_unicorn.worktrees.landing.landing\n"
        "import solo_unicorn.worktrees.diff.differences\n"
        "import solo_unicorn.worktrees.repository.cloning, solo_unicorn.worktrees.pool.cleaning\n"
        "sys.exit('git' in sys.modules or 'psutil' in sys.modules)"
    )
    import sys

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
