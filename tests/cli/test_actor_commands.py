"""Personas of a project: made, changed, made the default, and removed when nobody speaks through them."""

from __future__ import annotations

import pytest

from .conftest import Run


@pytest.fixture
def project(run: Run) -> None:
    run("project", "create", "Shop")


def test_made_listed_changed_and_removed(run: Run, project: None) -> None:
    assert "actor add" in run("actor", "list").err
    made = run("actor", "add", "Tester", "--methodology", "-", "--focus", "Edge cases", "--json", stdin="Test first.")
    assert (made.data["methodology"], made.data["focus"]) == ("Test first.", "Edge cases")
    assert run("actor", "list").out == "Tester\t-\tEdge cases\t\n"
    assert run("actor", "edit", "tester", "--rename", "Breaker", "--description", "Looks for trouble").code == 0
    (told,) = run("actor", "list", "--json").data
    assert (told["name"], told["methodology"], told["isDefault"]) == ("Breaker", "Test first.", False)
    assert run("actor", "remove", "Breaker").code == 0
    assert run("actor", "list", "--json").data == []


def test_the_default_of_a_project(run: Run, project: None) -> None:
    run("actor", "add", "Tester", "--default")
    actor = run("actor", "list", "--json").data[0]
    assert actor["isDefault"]
    run("mission", "create", "Retry payments")
    assert run("mission", "show", "M-1", "--json").data["actorId"] == actor["id"]
    used = run("actor", "remove", "Tester")
    assert used.code == 4 and "open mission" in used.err
    assert run("actor", "edit", "Tester", "--no-default").code == 0
    assert not run("actor", "list", "--json").data[0]["isDefault"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("edit", "Nobody", "--focus", "x"), 3),
        (("remove", "Nobody"), 3),
        (("edit", "Tester"), 2),
        (("edit", "Tester", "--default", "--no-default"), 2),
        (("add", "Tester"), 4),
        (("add", " "), 2),
        (("add", "Other", "--focus", "-", "--methodology", "-"), 2),
    ],
)
def test_bad_input_is_told_and_changes_nothing(run: Run, project: None, arguments: tuple[str, ...], code: int) -> None:
    run("actor", "add", "Tester")
    before = run("actor", "list", "--json").data
    refused = run("actor", *arguments)
    assert refused.code == code and refused.err
    assert run("actor", "list", "--json").data == before
