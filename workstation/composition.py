"""What a running service is made of, and which chores go on for as long as it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from ..config import log, watch
from ..config.settings import Settings
from ..missions.board import ServiceRequest
from ..missions.errors import SoloUnicornError
from ..workspace import queries
from .checkout_files.mirroring import Mirroring
from .context import ServiceContext
from .hub.synchronising import SYNCHRONISATION, Synchronising
from .landing.landings import Landings
from .landing.pull_requests import PullRequests
from .requests import Requests
from .scheduler import Scheduler
from .session.sessions import Sessions
from .status import orphans
from .supervisor import Work
from .upkeep.agent_health import AgentHealth
from .upkeep.first_commits import link_first_commits
from .upkeep.gc import GarbageCollector
from .upkeep.pressure import LimitsReport


class Composition:
    """The parts of one service, put together; nothing runs before `start`."""

    def __init__(self, context: ServiceContext) -> None:
        self.context = context
        self._log = log.logger("workstation")
        self._agents = AgentHealth(context)
        self._gc = GarbageCollector(context)
        self._limits = LimitsReport(context)
        self._pull_requests = PullRequests(context)
        self._synchronising = Synchronising(context)
        self._mirroring = Mirroring(context)
        self.landings = Landings(context, self._pull_requests)
        self.sessions = Sessions(
            context, renew_at_hub=self._synchronising.renew, read_comments=self._pull_requests.look
        )
        requests = Requests(
            context,
            self.sessions,
            {
                "scan_agents": lambda _: self._agents.scan(),
                "clean_worktrees": lambda _: self._gc.clean(),
                "merge_pull_request": self._merge,
                "drain": self._drain,
                "fetch_file": self._synchronising.fetch,
            },
        )
        self.scheduler = Scheduler(
            context,
            sessions=self.sessions,
            landings=self.landings,
            requests=requests,
            synchronising=self._synchronising,
            limits=self._limits,
            scanned=self._agents.scanned,
        )
        self._settings_told = context.settings

    @classmethod
    async def open(cls, settings: Settings, stirred: Callable[[], None]) -> Composition:
        """Open the workspace and put the parts together; as `ServiceContext.open`."""
        return cls(await ServiceContext.open(settings, stirred))

    @property
    def busy(self) -> bool:
        """Whether a session or a landing runs."""
        return len(self.sessions) > 0 or self.landings.busy

    def chores(self) -> dict[str, Work]:
        """Everything that goes on by itself, by the name under which its problems are told."""
        return {
            "MCP server": self._open_mcp,
            "agent scan": self._agents.look,
            "clearing up": self._clear_up,
            "scheduling": self.scheduler.schedule,
            "settings": self._follow_settings,
            "orphaned sessions": self._tell_of_orphans,
            "worktree clean-up": self._gc.clean_daily,
            "workspace log": self._gc.fold_log,
            "daily backup": self._gc.back_up_daily,
            "first commits": partial(link_first_commits, self.context),
            "mirrored files": self._mirroring.keep_up,
            SYNCHRONISATION: self._synchronising.synchronise,
            "pull requests": self._pull_requests.follow,
        }

    def start(self) -> None:
        """Begin; everything that happens from now on ends with `close`."""
        self.context.workspace.on_change(self.context.wakeup.ring)
        self.context.wakeup.ring()
        for name, work in self.chores().items():
            self.context.supervisor.keep(name, work)

    async def stop_sessions(self) -> None:
        """Stop every session and wait until each is over (`workstation stop --force`)."""
        self.scheduler.draining = True
        await self.scheduler.adopted.wait()
        await self.sessions.stop_all()

    async def close(self) -> None:
        """Let go of everything; agents and their hosts go on, and so does git, which ends by itself."""
        await self.context.supervisor.close()
        self._pull_requests.close()
        await self.context.close()

    async def _open_mcp(self) -> None:
        await self.context.mcp.open()
        self.context.wakeup.look()

    async def _clear_up(self) -> None:
        """What a killed service left half-done in repositories, before anything new begins there."""
        await self.landings.recover()
        await self._gc.settle()
        self.scheduler.cleared.set()
        self.context.wakeup.look()

    async def _tell_of_orphans(self) -> None:
        live = await self.context.workspace.run(lambda workspace: workspace.read(queries.sessions.find, active=True))
        for name in await asyncio.to_thread(orphans, {session.id for session in live}):
            self._log.warning("a host runs without a live session", extra={"session": name})

    async def _follow_settings(self) -> None:
        """Take over every change of the settings; one that breaks off half-way is taken over again."""
        await self._limits.tell()
        async for found in watch.changes(asyncio.Event(), self._settings_told):
            if isinstance(found, SoloUnicornError):
                self._log.warning("settings not taken over", extra={"why": str(found)})
                continue
            before, self.context.settings = self._settings_told, found
            if found.log != before.log:
                log.setup("service", level=found.log.level)
            await self._limits.tell()
            if found.agents != before.agents:
                await self._agents.scan()
            self._settings_told = found
            self._log.info("settings taken over")
            self.context.wakeup.look()

    async def _merge(self, request: ServiceRequest) -> None:
        if request.mission_id is not None:
            await self._pull_requests.merge(request.mission_id)

    async def _drain(self, _: ServiceRequest) -> None:
        self.scheduler.drain()
