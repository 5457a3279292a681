"""`hub user` as an operator types it, also twice and with a slip."""

from __future__ import annotations

import getpass
from typing import NoReturn

import pytest

from solo_unicorn.cli.hub import people

from .conftest import Run


def belongs(run: Run) -> dict[str, list[str]]:
    """By e-mail: the organisations with the roles there."""
    return {one["email"]: sorted(one["organizations"]) for one in run("hub", "user", "list", "--json").data}


def test_a_person_who_is_added_again_owns_what_they_owned_and_the_next_of_that_name_is_a_member(run: Run) -> None:
    for _ in range(2):
        done = run("hub", "user", "add", "ann@example.org", "--organization", "Your team")
        assert (done.code, done.out) == (0, "ann@example.org is on the hub, owner of Your team\n")
    done = run("hub", "user", "add", "ben@example.org", "--organization", "your TEAM")
    assert done.out == "ben@example.org is on the hub, member of Your team\n"
    assert belongs(run) == {"ann@example.org": ["your-team (owner)"], "ben@example.org": ["your-team (member)"]}


def test_a_password_is_judged_once_the_person_is_known(run: Run) -> None:
    refused = run("hub", "user", "password", "nobody@example.org", stdin="short\n")
    assert refused.code == 3 and "nobody@example.org" in refused.err
    assert run("hub", "user", "add", "ann@example.org").code == 0
    refused = run("hub", "user", "password", "ann@example.org", stdin="short\n")
    assert refused.code == 2 and "10 to 512 characters" in refused.err


def test_ctrl_c_at_a_question_ends_its_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(question: str) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(getpass, "getpass", interrupted)
    with pytest.raises(KeyboardInterrupt):
        people._asked("New password: ")
    assert capsys.readouterr().err == "\n"
