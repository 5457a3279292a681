"""The workspace for asynchronous programs: each call runs whole, on one thread of its own.

No `await` ever stands between BEGIN and COMMIT, so a busy screen never keeps other processes waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Self, TypeVar

from ..config import paths
from ..system.backoff import Backoff
from ..system.ticks import until_tick
from .bell import Bell
from .store import Connection, DatabaseError

if TYPE_CHECKING:
    from ..missions.entities import Author
    from ..missions.errors import SoloUnicornError
    from .change import Change
    from .workspace import Workspace

P = ParamSpec("P")
T = TypeVar("T")
LOOK_SECONDS, LOOK_WITHOUT_BELL_SECONDS = 5.0, 1.0
"""How often the data version is looked at when nobody rings: a writer may have been killed before it could."""
GUARD_SECONDS = 1.0
"""How often the path is looked at: the file may have been replaced, moved or removed."""
LOOK_LONGEST_SECONDS = 60.0
"""The longest pause before a look that broke off begins anew."""


class WorkspaceThread:
    """One open workspace on one thread, with news of what any process changed."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="workspace")
        self._workspace: Workspace | None = None
        self._settled = asyncio.Event()
        """It was opened, could not be opened, or is closed."""
        self._failed: BaseException | None = None
        self._listeners: list[Callable[[], None]] = []
        self._told_of_loss: list[Callable[[SoloUnicornError], None]] = []
        self.lost: SoloUnicornError | None = None
        """Why nothing can be saved any more; None while all is well."""
        self._bell: Bell | None = None
        self._rang = asyncio.Event()
        self._watchers: list[asyncio.Task[None]] = []
        self._seen: int | None = None

    async def open(self) -> Self:
        """Open the workspace and begin to watch it; raises what `Workspace.open` raises."""
        try:
            self._workspace = await self._in_thread(_opened, self._path)
        except BaseException as error:
            self._failed = error
            raise
        finally:
            self._settled.set()
        self._seen = await self._data_version()
        with suppress(OSError):  # a file system without sockets: looking alone, a second later
            self._bell = Bell(paths.bell_dir())
            asyncio.get_running_loop().add_reader(self._bell.fileno(), self._rung)
        self._watchers = [
            asyncio.create_task(self._keep(work), name=work.__name__) for work in (self._watch, self._guard)
        ]
        return self

    async def close(self) -> None:
        """Stop watching, finish what runs, and close the file."""
        if self._bell:
            asyncio.get_running_loop().remove_reader(self._bell.fileno())
            self._bell.close()
            self._bell = None
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        if self._workspace:
            await self._in_thread(self._workspace.close)
            self._workspace = None
        self._settled.set()
        self._pool.shutdown(wait=True)

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    @property
    def path(self) -> Path:
        """The file of the workspace."""
        return self._path or paths.workspace_db()

    @property
    def is_open(self) -> bool:
        """Whether operations can be run."""
        return self._workspace is not None

    @property
    def workspace(self) -> Workspace:
        """The open workspace; only code on the workspace thread may use it."""
        if self._workspace is None:
            raise RuntimeError("the workspace is not open")
        return self._workspace

    async def _once_open(self) -> Workspace:
        """The workspace; what is asked before it is open waits for that, and fails as the opening did."""
        await self._settled.wait()
        if self._failed is not None:
            raise self._failed
        return self.workspace

    async def run(self, operation: Callable[Concatenate[Workspace, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run an operation (a method of Workspace, or a function that takes one) whole, and return its result.

        A cancelled caller does not stop it: what has begun is finished.
        """
        return await self._in_thread(operation, await self._once_open(), *args, **kwargs)

    async def read(self, query: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._in_thread((await self._once_open()).read, query, *args, **kwargs)

    async def write(self, operation: Callable[Concatenate[Change, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._in_thread((await self._once_open()).write, operation, *args, **kwargs)

    async def write_as(
        self, by: Author, operation: Callable[Concatenate[Change, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._in_thread((await self._once_open()).write_as, by, operation, *args, **kwargs)

    def now(self) -> datetime:
        """The time by the clock of the workspace."""
        return self.workspace.now()

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` on the event loop after any process changed the workspace; returns how to stop that.

        One change is told once, and changes that come together are told together.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def on_lost(self, listener: Callable[[SoloUnicornError], None]) -> None:
        """Call `listener` once, on the event loop, when nothing can be saved any more: the file was replaced, moved,
        removed, or taken over by a newer version."""
        self._told_of_loss.append(listener)

    async def _in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        context = copy_context()
        call = asyncio.get_running_loop().run_in_executor(self._pool, lambda: context.run(function, *args, **kwargs))
        return await asyncio.shield(call)

    async def _data_version(self) -> int:
        return await self._in_thread(self.workspace.data_version)

    def _rung(self) -> None:
        if self._bell and self._bell.drain():
            self._rang.set()

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()

    async def _keep(self, work: Callable[[], Awaitable[None]]) -> None:
        """Until it is done, which is at the close or the loss of the file; what breaks off begins anew."""
        pause = Backoff(GUARD_SECONDS, LOOK_LONGEST_SECONDS)
        while True:
            try:
                return await work()
            except Exception:
                from ..config.log import logger

                logger("workspace").exception("the look at the workspace broke off; it begins anew")
                await asyncio.sleep(pause.next())

    async def _watch(self) -> None:
        """Tell of each change once: when the bell rings, and when the data version shows what nobody rang for."""
        while True:
            rang = await self._heard()
            try:
                version: int | None = await self._data_version()
            except DatabaseError:  # whoever reads next says what is wrong with the file
                version = None
            if rang or version != self._seen:
                self._seen = version
                self._tell()
                with suppress(DatabaseError):
                    self._lose(await self._in_thread(self.workspace.outgrown))

    async def _guard(self) -> None:
        while self.lost is None:
            await asyncio.sleep(until_tick(asyncio.get_running_loop().time(), GUARD_SECONDS))
            self._lose(self.workspace.lost())  # one stat: a call on the other thread would cost twenty times as much

    def _lose(self, error: SoloUnicornError | None) -> None:
        if error is not None and self.lost is None:
            self.lost = error
            for listener in self._told_of_loss:
                listener(error)

    async def _heard(self) -> bool:
        """Wait for the bell, or until it is time to look anyway; True when it rang."""
        try:
            async with asyncio.timeout(LOOK_SECONDS if self._bell else LOOK_WITHOUT_BELL_SECONDS):
                await self._rang.wait()
        except TimeoutError:
            return False
        self._rang.clear()
        return True


def _opened(path: Path | None) -> Workspace:
    """Imported here, on the workspace's own thread: a screen is painted meanwhile."""
    from .workspace import Workspace

    return Workspace.open(path)
