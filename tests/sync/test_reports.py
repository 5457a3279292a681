"""What whoever watches is told of a connection."""

from __future__ import annotations

from pathlib import Path

from solo_unicorn.sync import replica
from solo_unicorn.sync.client.happenings import Happening
from solo_unicorn.sync.client.reporting import Report
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.trouble import Trouble
from solo_unicorn.workspace.thread import WorkspaceThread

PROJECT = "01J00000000000000000000000"
ANN = Account("ann@hub", "hub", "https://hub", "ann", "", "token", True, {})


async def test_who_refuses_everything_is_not_said_to_lack_a_websocket_only(home: Path) -> None:
    """While a hub answered 403, the watch advised to have its proxy pass the Upgrade header."""
    told: list[Happening] = []
    async with WorkspaceThread() as thread:
        await thread.run(replica.connecting.put_account, ANN)
        await thread.write(replica.connecting.connect, ANN, {"id": PROJECT, "name": "Shared"}, {})
        report = Report(thread, ANN, told.append)
        await report.socket("refused", "HTTP 403 instead of a WebSocket")
        await report.looked(None, {PROJECT: Trouble("forbidden", "no member")}, 3.0, read=False)
        assert [one.kind for one in told] == ["connected", "forbidden"]
        await report.looked(None, {}, 3.0, read=True)
        assert [one.kind for one in told[2:]] == ["polling", "connected"]
