"""Signing in, connecting, publishing, synchronising and settling conflicts, as a person types it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from solo_unicorn.sync.replica.messages import Request, Response
from solo_unicorn.workspace.workspace import Workspace

from ...sync.simulation.hub import SimulatedHub
from ...sync.simulation.served import PAT, ServedHub
from ..conftest import Run

PROJECT = {"id": "01J00000000000000000000000", "name": "Shared", "slug": "shared"}


@pytest.fixture
def served(home: Path) -> Iterator[ServedHub]:
    with ServedHub(SimulatedHub(PROJECT["id"]), project=dict(PROJECT)) as hub:
        yield hub


@pytest.fixture
def signed_in(run: Run, served: ServedHub) -> ServedHub:
    done = run(
        "auth", "login", "--hub", served.url, "--api-key", "-", "--store-in-file", "--profile", "work", stdin=PAT
    )
    assert done.code == 0 and "ann@example.org" in done.out and PAT not in done.out + done.err
    return served


def theirs(served: ServedHub, mission_id: str, **values: object) -> None:
    version = served.hub.state.missions[mission_id]["version"]
    path = f"/api/v1/missions/{mission_id}"
    done = served.hub.handle(Request("PATCH", path, {}, {"if-match": f'"{version}"'}, values))  # type: ignore[arg-type]
    assert done.ok


def test_from_signing_in_to_a_mission_on_the_hub_and_back(run: Run, signed_in: ServedHub) -> None:
    assert run("auth", "whoami", "--json").data[0]["state"] == "signed in"
    assert run("project", "connect", "--json").data[0]["slug"] == "shared"
    assert run("project", "connect", "shared", "-q").out.strip() == "shared"
    made = run("mission", "create", "-p", "shared", "Write it down", "--json").data
    assert run("sync", "--status", "--json").data["waiting"] == 1
    done = run("sync", "--once", "--json")
    assert done.code == 0 and done.data["word"] == "synced"
    assert signed_in.hub.state.missions[made["id"]]["title"] == "Write it down"
    theirs(signed_in, made["id"], title="Written")
    run("sync")
    assert run("mission", "show", "M-1", "--json").data["title"] == "Written"


def test_publishing_keeps_the_ids_and_disconnecting_keeps_everything(run: Run, signed_in: ServedHub) -> None:
    run("project", "create", "Mine")
    first = run("mission", "create", "-p", "mine", "one", "--json").data["id"]
    second = run("mission", "create", "-p", "mine", "two", "--json").data["id"]
    assert run("mission", "link", "M-1", "--blocks", "M-2").code == 0
    assert run("project", "publish", "mine").code == 0
    assert run("sync").code == 0
    assert signed_in.hub.state.missions.keys() == {first, second}
    assert signed_in.hub.state.missions[second]["blockedBy"] == [first]
    run("mission", "edit", "M-1", "--title", "one more")
    refused = run("project", "disconnect", "mine")
    assert refused.code == 4 and "1 edit(s)" in refused.err
    assert run("sync").code == 0
    assert run("project", "disconnect", "mine").code == 0
    assert run("mission", "show", "M-1", "--json").data["title"] == "one more"
    run("mission", "edit", "M-1", "--title", "local again")
    assert run("sync", "--status", "--json").data["waiting"] == 0


def test_a_conflict_is_listed_shown_and_settled(
    run: Run, signed_in: ServedHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run("project", "connect", "shared")
    made = run("mission", "create", "-p", "shared", "x", "-d", "first\nmiddle\nlast", "--json").data["id"]
    run("sync")
    run("mission", "edit", "M-1", "-d", "first\nmine\nlast")
    theirs(signed_in, made, description="first\ntheirs\nlast")
    run("sync")
    (listed,) = run("conflicts", "list", "--json").data
    assert (listed["field"], listed["mine"], listed["theirs"]) == (
        "description",
        "first\nmine\nlast",
        "first\ntheirs\nlast",
    )
    shown = run("conflicts", "show", listed["id"][-8:]).out
    assert "--- base\nfirst\nmiddle\nlast" in shown and "--- mine" in shown and "--- theirs" in shown
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\ngrep -v "^[<=>]" "$1" > "$1.new" && mv "$1.new" "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    assert run("conflicts", "resolve", listed["id"], "--merge").code == 0
    run("sync")
    assert signed_in.hub.state.missions[made]["description"].split() == ["first", "mine", "theirs", "last"]
    assert run("conflicts", "list", "--json").data == []


def test_mine_does_not_overwrite_what_came_after_it_was_shown(run: Run, signed_in: ServedHub) -> None:
    run("project", "connect", "shared")
    made = run("mission", "create", "-p", "shared", "x", "--json").data["id"]
    run("sync")
    run("mission", "edit", "M-1", "--title", "mine")
    theirs(signed_in, made, title="theirs")
    run("sync")
    (listed,) = run("conflicts", "list", "--json").data
    theirs(signed_in, made, title="theirs, later")
    run("sync")
    refused = run("conflicts", "resolve", listed["id"], "--mine")
    assert refused.code == 4 and "conflicts show" in refused.err
    seen = run("conflicts", "show", listed["id"], "--json").data["seen"]
    assert run("conflicts", "resolve", listed["id"], "--mine", "--seen", seen).code == 0
    run("sync")
    assert signed_in.hub.state.missions[made]["title"] == "mine"


def test_marks_left_in_a_merge_change_nothing_and_lose_nothing(
    run: Run, signed_in: ServedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("project", "connect", "shared")
    made = run("mission", "create", "-p", "shared", "x", "-d", "a", "--json").data["id"]
    run("sync")
    run("mission", "edit", "M-1", "-d", "b")
    theirs(signed_in, made, description="c")
    run("sync")
    (listed,) = run("conflicts", "list", "--json").data
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.delenv("VISUAL", raising=False)
    refused = run("conflicts", "resolve", listed["id"], "--merge")
    assert refused.code == 2
    kept = Path(refused.err.split("your text is in ")[1].strip())
    assert "b\n" in kept.read_text() and "c\n" in kept.read_text()
    kept.unlink()
    assert len(run("conflicts", "list", "--json").data) == 1


def test_a_refused_edit_is_listed_with_the_hubs_words(run: Run, signed_in: ServedHub) -> None:
    run("project", "connect", "shared")
    run("mission", "create", "-p", "shared", "too long for them")
    signed_in.before = lambda request: (
        Response(422, {}, {"error": {"code": "invalid", "message": "no such words"}})
        if request.method == "POST"
        else None
    )
    assert run("sync").code == 0
    (parked,) = run("sync", "--parked", "--json").data
    assert parked["said"] == "no such words" and parked["name"] == "M-1"
    signed_in.before = lambda request: None
    assert run("sync", "--retry", str(parked["number"])).code == 0
    assert run("sync", "--json").data["word"] == "synced"
    assert run("sync", "--discard", "999").code == 3


def test_without_a_network_it_says_so_and_keeps_everything(run: Run, signed_in: ServedHub) -> None:
    run("project", "connect", "shared")
    run("sync")
    run("mission", "create", "-p", "shared", "later")
    signed_in.shutdown()
    signed_in.server_close()
    answered = run("sync", "--json")
    assert answered.code == 6 and answered.error["code"] == "offline"
    state = run("sync", "--status", "--json").data
    assert state["waiting"] == 1 and "offline since" in state["word"]


def test_after_signing_out_nothing_is_sent_and_another_user_sends_nothing_of_it(run: Run, signed_in: ServedHub) -> None:
    run("project", "connect", "shared")
    run("sync")
    run("mission", "create", "-p", "shared", "Ann's secret plan")
    assert run("auth", "logout", "work").code == 0
    assert run("auth", "whoami").code == 5
    assert run("sync").code == 5
    signed_in.users["pat_bob"] = "bob"
    run(
        "auth",
        "login",
        "--hub",
        signed_in.url,
        "--api-key",
        "-",
        "--store-in-file",
        "--profile",
        "bob",
        stdin="pat_bob",
    )
    run("sync")
    assert signed_in.hub.effects == []
    run("auth", "login", "--hub", signed_in.url, "--api-key", "-", "--store-in-file", "--profile", "work", stdin=PAT)
    assert run("sync", "--json").data["word"] == "synced"
    assert len(signed_in.hub.effects) == 1


def test_only_the_chosen_lists_are_mirrored(run: Run, signed_in: ServedHub) -> None:
    run("project", "connect", "shared")
    for title, to_list in (("a", "todo"), ("b", "done")):
        run("mission", "create", "-p", "shared", title)
        run("mission", "move", "M-1" if title == "a" else "M-2", to_list)
    run("sync")
    assert run("sync", "-p", "shared", "--lists", "todo,doing").code == 0
    assert [one["title"] for one in run("mission", "list", "-p", "shared", "--json").data] == ["a"]
    assert run("sync", "-p", "shared", "--lists", "all").code == 0
    assert len(run("mission", "list", "-p", "shared", "--json").data) == 2
    assert len(signed_in.hub.state.missions) == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("auth", "login"), 2),
        (("auth", "login", "--hub", "http://example.org", "--api-key", "x"), 2),
        (("auth", "logout"), 3),
        (("auth", "whoami"), 5),
        (("project", "connect", "x"), 5),
        (("project", "publish", "nothing"), 5),
        (("project", "disconnect", "nothing"), 3),
        (("conflicts", "show", "ABCDEFGH"), 3),
        (("conflicts", "resolve", "ABCDEFGH"), 2),
        (("sync", "--lists", "todo"), 3),
        (("sync", "--retry", "7"), 3),
    ],
)
def test_wrong_requests_are_refused_with_a_sentence(run: Run, words: tuple[str, ...], code: int) -> None:
    refused = run(*words)
    assert refused.code == code and refused.err.strip()


def test_the_state_is_json_that_programs_can_read(run: Run, home: Path) -> None:
    with Workspace.open():
        pass
    assert json.loads(run("sync", "--status", "--json").out)["data"]["connected"] == 0
