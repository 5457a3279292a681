"""What one account's connection does, told to whoever watches and kept for every process to see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Literal

from ...config.log import logger
from ...missions.connected import Kind
from ...workspace import queries
from ...workspace.thread import WorkspaceThread
from ...workspace.workspace import Workspace
from .. import replica
from ..replica.connecting import Account
from ..replica.trouble import Trouble
from .sync_events import SyncEvent, counted, stands


class Report:
    """The report of one account; `tell` hears of what happens, once each."""

    def __init__(self, workspace: WorkspaceThread, account: Account, tell: Callable[[SyncEvent], None]) -> None:
        self._workspace = workspace
        self._account = account
        self._tell = tell
        self._kind: Kind | None = None
        self._projects: dict[str, Kind] = {}
        self._socket = ""
        self._refused: str | None = None
        """Why there is no socket, until it is told: not before the hub has answered otherwise."""
        self._files_why: str | None = None
        self._counts: Counter[tuple[str, str]] = Counter()
        self._log = logger("sync")

    def count(self, kind: Literal["read", "sent", "parked", "conflict"], project_id: str, count: int = 1) -> None:
        """Something happened to missions of a project; told together by `flush`."""
        if count > 0:
            self._counts[kind, project_id] += count

    async def flush(self) -> None:
        """Tell what was counted."""
        counts, self._counts = self._counts, Counter()
        for (kind, project_id), count in counts.items():
            self._tell(counted(kind, self._account.hub, await self._name(project_id), count))

    async def looked(
        self, trouble: Trouble | None, projects: Mapping[str, Trouble], due_in: float, *, read: bool
    ) -> None:
        """A look at the hub is over; the next one begins in `due_in` seconds at the latest.

        `read`: some project could be read.
        """
        answered = trouble is None
        await self._kept(
            lambda workspace: replica.sync_steps.hear(workspace, self._account.id, answered=answered, due_in=due_in)
        )
        kind: Kind = "synced" if trouble is None else trouble.kind
        if kind != self._kind:
            self._kind = kind
            if trouble is None:
                account = self._account
                self._say(SyncEvent("connected", account.hub, f"connected to {account.hub} as {_who(account)}"))
            else:
                self._say(stands(kind, self._account.hub, trouble.reason))
        if trouble is None and read and self._refused is not None:  # what refuses everything is no matter of sockets
            self._say(stands("polling", self._account.hub, self._refused))
            self._refused = None
        for project_id in self._projects.keys() | projects.keys():
            await self._project(project_id, projects.get(project_id))
        await self.flush()

    async def _project(self, project_id: str, trouble: Trouble | None) -> None:
        known = self._projects.get(project_id)
        if trouble is None:
            del self._projects[project_id]
            name = await self._name(project_id)
            self._say(SyncEvent("connected", self._account.hub, f"{name} can be read again", project=name))
        elif trouble.kind != known:
            self._projects[project_id] = trouble.kind
            self._say(stands(trouble.kind, self._account.hub, trouble.reason, await self._name(project_id)))

    async def socket(self, state: Literal["", "open", "refused"], why: str = "") -> None:
        """The socket is open, is being made, or is answered with something that is not a WebSocket."""
        await self._kept(lambda workspace: replica.sync_steps.hear_socket(workspace, self._account.id, state, why))
        if state == self._socket or not state:
            return
        self._socket, self._refused = state, why if state == "refused" else None
        if state == "open":
            self._say(SyncEvent("live", self._account.hub, f"{self._account.hub} reports changes immediately"))

    async def heartbeat(self) -> None:
        """The hub took a heartbeat of this workstation."""
        await self._kept(lambda workspace: replica.sync_steps.hear_heartbeat(workspace, self._account.id))

    async def files(self, why: str) -> None:
        """Why files do not get to the hub; empty when they do."""
        before, self._files_why = self._files_why, why
        if why == before:
            return
        await self._kept(lambda workspace: replica.sync_steps.hear_files(workspace, self._account.id, why))
        hub = self._account.hub
        if before is None and not why:  # a start, and nothing to tell
            return
        if why:
            self._say(SyncEvent("failing", hub, f"files are not sent: {why}", "they are sent again automatically"))
        else:
            self._say(SyncEvent("connected", hub, "files are sent again"))

    async def asking(self, due_in: float) -> None:
        """A conversation with the hub goes on, for `due_in` seconds at least: for every process to see."""
        await self._kept(lambda workspace: replica.sync_steps.hear_asking(workspace, self._account.id, due_in))

    async def _kept(self, keep: Callable[[Workspace], None]) -> None:
        try:
            await self._workspace.run(keep)
        except OSError as error:  # a full disk, for one: what was read is kept all the same
            self._log.warning("the state of the connection is not kept", extra={"why": str(error)})

    def _say(self, happening: SyncEvent) -> None:
        self._log.info(happening.text, extra={"todo": happening.todo} if happening.todo else {})
        self._tell(happening)

    async def _name(self, project_id: str) -> str:
        return (await self._workspace.read(queries.projects.get, project_id)).name


def _who(account: Account) -> str:
    return account.email or account.user_id
