"""What changes nothing wakes nobody, and takes no write transaction where it can tell before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from solo_unicorn.missions.entities import SYSTEM, Mission
from solo_unicorn.missions.rules.change_state import ChangeMeasure
from solo_unicorn.missions.rules.eligibility import WorkstationLimits
from solo_unicorn.sync import replica
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.sync_state import last_heard
from solo_unicorn.workspace.workspace import Workspace

from .conftest import AGENT, Clock

HUB_PROJECT = "01J00000000000000000000000"
ANN = Account("ann@hub", "hub", "https://hub", "ann", "ann@example.org", "token", True, {})
REPEATED: dict[str, Callable[[Workspace], Any]] = {
    "put_account": lambda w: replica.connecting.put_account(w, replace(ANN, email="new@example.org")),
    "set_signed_in": lambda w: replica.connecting.set_signed_in(w, "ann@hub", False),
    "mark_failing": lambda w: replica.sync_steps.mark_failing(w, [HUB_PROJECT], "unreachable", "no route"),
    "mark_synced": lambda w: replica.sync_steps.mark_synced(w, [HUB_PROJECT]),
    "set_capabilities": lambda w: replica.sync_steps.set_capabilities(w, "https://hub", {"changes": True}),
    "set_meta": lambda w: w.set_meta("anything", "1"),
    "set_workstation_paused": lambda w: operations.workstation.set_paused(w, True),
    "set_workstation_limits": lambda w: operations.workstation.set_limits(w, WorkstationLimits(slots=3)),
    "set_agents": lambda w: w.write_as(SYSTEM, operations.workstation.set_agents, [AGENT]),
    "change_measured": lambda w: w.write_as(
        SYSTEM,
        operations.change_measures.keep_change,
        w.read(queries.missions.get, "M-1").id,
        ChangeMeasure(w.now(), "c0ffee", "m-1", 2, 0, 0),
    ),
    "release_stale_claims": lambda w: operations.dispatch.release_stale_claims(w),
    "edit_mission": lambda w: w.write(operations.missions.edit, "M-1", {"title": "Another"}),
    "ready": lambda w: w.write(operations.missions.set_ready, "M-1", True),
}
"""Operations of a program that is idle, and some that a person repeats."""


@pytest.fixture
def rung(workspace: Workspace, mission: Mission, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The rings of the workspace's bell; a project is connected in it."""
    replica.connecting.put_account(workspace, ANN)
    workspace.write(replica.connecting.connect, ANN, {"id": HUB_PROJECT, "name": "Shared", "slug": "shared"}, {})
    rings: list[str] = []
    monkeypatch.setattr("solo_unicorn.workspace.workspace.ring", lambda directory: rings.append("ring"))
    return rings


@pytest.mark.parametrize("name", list(REPEATED))
def test_what_is_said_twice_is_told_once(name: str, workspace: Workspace, clock: Clock, rung: list[str]) -> None:
    REPEATED[name](workspace)
    first, events = len(rung), workspace.read(queries.board.last_seq)
    assert first == 1 or name == "release_stale_claims"
    clock.forward(seconds=5)
    REPEATED[name](workspace)
    assert (len(rung), workspace.read(queries.board.last_seq)) == (first, events)


def test_a_transaction_that_changes_no_row_rings_no_bell(workspace: Workspace, rung: list[str]) -> None:
    with workspace._store.writing() as connection:
        connection.execute("UPDATE mission SET doc = doc WHERE id = 'nobody'")
    assert rung == []
    with workspace._store.writing() as connection:
        connection.execute("INSERT INTO meta (key, value) VALUES ('any', 'row')")
    assert rung == ["ring"]


def test_a_transaction_that_is_undone_rings_no_bell(workspace: Workspace, rung: list[str]) -> None:
    with pytest.raises(ZeroDivisionError), workspace._store.writing() as connection:
        connection.execute("INSERT INTO meta (key, value) VALUES ('any', 'row')")
        raise ZeroDivisionError
    assert rung == []


def test_when_the_hub_answered_is_read_by_other_processes_and_wakes_nobody(
    workspace: Workspace, clock: Clock, rung: list[str]
) -> None:
    replica.sync_steps.mark_synced(workspace, [HUB_PROJECT])
    rung.clear()
    with Workspace.open(clock=clock) as other:
        before = other.data_version()
        clock.forward(minutes=30)
        replica.sync_steps.hear(workspace, "ann@hub", answered=True, due_in=4)
        assert rung == [] and other.data_version() == before
        assert queries.connection.sync_state(other).synced_at == clock.now
        replica.sync_steps.mark_failing(other, [HUB_PROJECT], "gone", "no such project")
        assert queries.connection.sync_state(other).synced_at != clock.now, (
            "the account's hub answers, this project was not read"
        )
    program = """if True:
        from solo_unicorn.workspace import queries
        from solo_unicorn.workspace.workspace import Workspace
        print(queries.connection.sync_state(Workspace.open()).links[0].heard.answered_at)"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.strip() == str(clock.now)


def test_a_file_of_answers_that_was_cut_off_counts_as_none(workspace: Workspace, rung: list[str]) -> None:
    replica.sync_steps.hear(workspace, "ann@hub", answered=True, due_in=4)
    file = last_heard.file_of(workspace.path)
    file.write_text(file.read_text()[:-5])
    assert last_heard.read(workspace.path) == {}
    replica.sync_steps.hear(workspace, "bob@hub", answered=True, due_in=4)
    assert list(last_heard.read(workspace.path)) == ["bob@hub"]
