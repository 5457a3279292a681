"""Connected projects in the real service: what is done here gets to the hub, and back, without a command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.sync import replica
from solo_unicorn.sync.client import tokens
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.messages import Request
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.workstation import client

from ..sync.simulation.hub import SimulatedHub
from ..sync.simulation.served import PAT, ServedHub
from .conftest import until

pytestmark = pytest.mark.slow
PROJECT = {"id": "01J00000000000000000000000", "name": "Shared", "slug": "shared"}


@pytest.fixture
def served() -> Iterator[ServedHub]:
    with ServedHub(SimulatedHub(PROJECT["id"]), project=dict(PROJECT)) as hub:
        yield hub


def test_the_service_synchronises_by_itself(workstation: Path, served: ServedHub) -> None:
    account = Account("ann@hub", "hub", served.url, "ann", "ann@example.org", "token", True, {})
    client.ensure_running(stay=True)
    with Workspace.open() as workspace:
        tokens.write(account.id, tokens.Tokens(access=PAT), in_file=True)
        replica.connecting.put_account(workspace, account)
        workspace.write(replica.connecting.connect, account, {**PROJECT}, {})
        mission = workspace.write(operations.missions.create, PROJECT["id"], MissionDraft(title="By the service"))
        until(lambda: mission.id in served.hub.state.missions, "the mission reached the hub")
        with served.lock:
            path = f"/api/v1/missions/{mission.id}"
            served.hub.handle(Request("PATCH", path, {}, {"if-match": '"1"'}, {"title": "And back"}))
        number = workspace.write(operations.workstation.request, "sync")
        until(lambda: int(workspace.meta("sync.answered") or 0) >= number, "the request was answered")
        assert workspace.read(queries.missions.get, mission.id).title == "And back"
        until(
            lambda: queries.connection.sync_state(workspace).word == "synced by polling",
            "a hub without a socket is told of as such",
        )
