"""`sync --watch`: synchronise until it is ended, or follow whoever does; one line for each thing that happens."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...config import paths
from ...sync import replica
from ...sync.client.single_process import EngineRuns, alone
from ...sync.client.sync_events import SyncEvent
from ...sync.client.synchroniser import Synchroniser
from ...system.locks import is_held
from ...workspace import queries
from ...workspace.sync_state.last_heard import lock_of
from ...workspace.thread import WorkspaceThread
from ..shapes import at_wire

if TYPE_CHECKING:
    from ...missions.connected import SyncState
    from ..parsing import Options

LOOK_SECONDS = 2.0
"""How often a follower looks whether the process that synchronises is still there."""


def watch(project: str | None, options: Options) -> None:
    """Until SIGINT or SIGTERM; raises SignedOut once no account is signed in any more."""
    asyncio.run(_Watch(project, _json if options.json else _line).run())


class _Watch:
    def __init__(self, project: str | None, tell: Callable[[SyncEvent], None]) -> None:
        self._project = project
        self._name = ""
        self._write = tell
        self._signed_out = False
        self._ended = asyncio.Event()
        self._news = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        async with WorkspaceThread() as workspace:
            if self._project:
                self._name = (await workspace.read(queries.projects.get, self._project)).name
            workspace.on_change(self._news.set)
            if not await workspace.read(replica.sync_steps.mirrors):
                self._tell(SyncEvent("waiting", "", "no project is connected yet", "`solo-unicorn project connect`"))
            while not self._ended.is_set():
                if not _service_runs():
                    try:
                        with alone(lock_of(paths.workspace_db())):
                            await self._synchronise(workspace)
                        continue
                    except EngineRuns:
                        pass
                await self._follow(workspace)
        self._tell(SyncEvent("ended", "", "ended"))

    def _end(self) -> None:
        self._ended.set()
        self._news.set()

    def _tell(self, happening: SyncEvent) -> None:
        if not self._name or happening.project in ("", self._name):
            self._write(happening)
        if happening.kind == "signed_out":
            self._signed_out = True
            self._news.set()

    async def _synchronise(self, workspace: WorkspaceThread) -> None:
        """Until it is ended, or the service runs, which does the same and tells the hub of this machine besides."""
        self._tell(SyncEvent("started", "", "synchronising until ctrl+c"))
        running = asyncio.create_task(Synchroniser(workspace, tell=self._tell).synchronise(), name="synchroniser")
        running.add_done_callback(lambda _: self._news.set())
        try:
            while not self._ended.is_set() and not running.done() and not _service_runs():
                self._news.clear()
                self._end_when_signed_out(await workspace.run(queries.connection.sync_state, self._project))
                await self._news.wait()
        finally:
            running.cancel()
            (result,) = await asyncio.gather(running, return_exceptions=True)
        if isinstance(result, Exception):
            raise result

    def _end_when_signed_out(self, state: SyncState) -> None:
        if state.links and all(not link.signed_in for link in state.links):
            error = state.failure()
            assert error is not None
            if not self._signed_out:
                self._tell(SyncEvent("signed_out", state.links[0].hub, error.what, error.todo))
            raise error

    async def _follow(self, workspace: WorkspaceThread) -> None:
        """What another process does, as the workspace tells it, until that process is gone."""
        told = ""
        self._tell(SyncEvent("following", "", "another process of this machine synchronises; its messages follow"))
        while not self._ended.is_set():
            self._news.clear()
            state = await workspace.run(queries.connection.sync_state, self._project)
            self._end_when_signed_out(state)
            if state.links and not state.synchronising and not _service_runs():
                return
            if state.word != told:
                told = state.word
                self._tell(SyncEvent(state.kind, "", f"{state.word}: {state.sentence}", state.todo))
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                pass


def _service_runs() -> bool:
    return is_held(paths.service_lock())


def _line(happening: SyncEvent) -> None:
    todo = f" ({happening.todo})" if happening.todo else ""
    print(f"{datetime.now():%H:%M:%S}  {happening.text}{todo}", flush=True)


def _json(happening: SyncEvent) -> None:
    said = {
        "at": at_wire(datetime.now(UTC)),
        "event": happening.kind,
        "hub": happening.hub,
        "project": happening.project,
        "count": happening.count,
        "text": happening.text,
        "todo": happening.todo,
    }
    print(json.dumps(said, ensure_ascii=False), flush=True)
