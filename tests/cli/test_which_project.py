"""Which project a command means that names none, and what it says to words that name nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ..typed import parse
from .conftest import Run


@pytest.fixture
def two(run: Run, repository: Path) -> Path:
    """Two projects, one of which has linked the repository."""
    assert run("project", "create", "Other").code == 0
    assert run("project", "create", "Shop", "--repo", str(repository)).code == 0
    return repository


def test_in_a_repository_of_no_project_it_says_how_one_begins(
    run: Run, two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = tmp_path / "a fresh one"
    subprocess.run(["git", "init", "-q", str(fresh)], check=True)
    monkeypatch.chdir(fresh)
    for words in (("mission", "list"), ("mission", "create", "Retry")):
        refused = run(*words)
        assert refused.code == 2 and "`solo-unicorn project create NAME`" in refused.err
    refused = run("repo", "add", "-p", "shop")
    assert f"`solo-unicorn repo add '{fresh}' --first-commit`" in refused.err


@pytest.mark.parametrize(
    "words",
    [
        ("project", "show"),
        ("project", "edit", "-d", "x"),
        ("project", "pause"),
        ("project", "resume"),
        ("project", "disconnect"),
        ("export",),
        ("memory", "list"),
        ("actor", "list"),
        ("filter", "list"),
        ("member", "list"),
        ("repo", "list"),
        ("inbox", "rules"),
        ("mission", "undo"),
    ],
)
def test_without_a_name_the_project_of_the_directory_is_meant(
    run: Run, two: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(two.parent)
    nowhere = run(*words)
    assert nowhere.code == 2 and "choose" not in nowhere.out and "other, shop" in nowhere.err
    worktree = two.parent / "beside"
    subprocess.run(["git", "-C", str(two), "worktree", "add", "-q", str(worktree)], check=True)
    (worktree / "deep" / "er").mkdir(parents=True)
    for place in (two, worktree / "deep" / "er"):
        monkeypatch.chdir(place)
        assert "Which project?" not in run(*words).err
    monkeypatch.chdir(two.parent)
    assert "Which project?" not in run(*words, "-p", "shop").err


def test_without_a_linked_repository_the_project_made_in_the_directory_last_is_meant(
    run: Run, two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    assert run("project", "create", "Third").code == 0
    assert run("project", "show", "--json").data["slug"] == "third"
    assert run("project", "create", "Fourth").code == 0
    assert run("project", "show", "--json").data["slug"] == "fourth"
    monkeypatch.chdir(two)  # what is linked goes first
    assert run("project", "create", "Fifth").code == 0
    assert run("project", "show", "--json").data["slug"] == "shop"


def test_nothing_is_added_to_a_project_that_the_directory_is_not_of(
    run: Run, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The only project is read from anywhere; what is written in another repository is not its own."""
    assert run("project", "create", "Shop", "--repo", str(repository)).code == 0
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    monkeypatch.chdir(other)
    refused = run("mission", "create", "Astray")
    assert refused.code == 2 and "--project shop" in refused.err
    assert run("mission", "list", "--json").data == []
    assert run("mission", "create", "Meant", "-p", "shop").code == 0
    monkeypatch.chdir(repository)
    assert run("mission", "create", "At home").code == 0


def test_the_only_project_is_meant_anywhere(run: Run, project: str) -> None:
    assert run("project", "show", "--json").data["slug"] == project
    assert run("project", "delete", "--yes").code == 0
    assert run("project", "list", "-q").out == ""


@pytest.mark.parametrize("verb", ["show", "edit", "pause", "resume", "delete", "publish", "disconnect", "connect"])
def test_a_project_is_a_word_or_an_option(verb: str) -> None:
    assert parse("project", verb).project is None
    assert parse("project", verb, "shop").project == "shop"
    assert parse("project", verb, "-p", "shop").project == "shop"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("mission", "create", "x", "--prioritty", "4"), "`mission create` does not take the option --prioritty"),
        (("mission", "create", "x", "--prioritty", "4"), "the nearest one is '--priority'"),
        (("mission", "create", "x", "--priority"), "`mission create`: --priority: expected one argument"),
        (("mission", "create", "x", "--flow", "Standrd"), "the nearest one is 'Standard'"),
        (("mission", "create", "x", "--flow", "Standrd"), "Quick fix"),
        (("mission", "create", "x", "--agent", "rehersal"), "the nearest one is 'rehearsal'"),
        (("mission", "create", "x", "--list", "tod"), "the nearest one is 'todo'"),
        (("mission", "move", "M-1", "don"), "choose from todo, doing, review, done, loop"),
        (("mission", "list", "-p", "acme-shp"), "the nearest one is 'acme-shop'"),
        (("whoami",), "`solo-unicorn auth whoami`"),
        (("approve",), "`solo-unicorn mission approve` or `solo-unicorn member approve`"),
    ],
)
def test_a_misspelt_word_is_answered_with_the_right_ones(
    run: Run, project: str, words: tuple[str, ...], told: str
) -> None:
    refused = run(*words)
    assert refused.code in (2, 3)
    assert told in refused.err
    assert "solo-unicorn: solo-unicorn" not in refused.err
