"""From the command to a hub that listens, and to its end: what it needs is waited for and named, signals are heard."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Final

from sqlalchemy.exc import DBAPIError

from ...config.log import logger
from ...missions.errors import Offline, SoloUnicornError, TryAgain, UsageError
from ...system.backoff import Backoff
from ..realtime.redis import SCHEMES, connected, place_of
from ..settings import HubSettings
from ..storage.database import Database, of_file, probe, refused
from ..uploads.store import UPLOADS, FileStore

PATIENCE: Final = 6
"""So many tries, about half a minute in all, before the operator is asked."""
TRY_SECONDS: Final = 5.0
SLOW_SECONDS: Final = 2.0
END_SECONDS: Final = 8.0
"""After a signal; then the process ends whatever hangs, within the ten seconds that containers are given."""

Say = Callable[[str], None]
Probe = Callable[[], Awaitable[object]]


def bound(host: str, port: int) -> list[socket.socket]:
    """The sockets of an address, taken but not yet listened at; SoloUnicornError in the words of the operator.

    Port 0: a free one, the same for each socket.
    """
    if not 0 <= port <= 65535:  # getaddrinfo would take the lower 16 bits
        raise UsageError(
            f"{port} is not a valid port", why="ports are from 0 to 65535", todo="give another --port, such as 8420"
        )
    taken: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            one = socket.socket(family, kind, protocol)
            taken.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((address[0], port, *address[2:]))
            port = one.getsockname()[1]
            one.listen(0)  # only this finds out that another program listens; connections wait until the hub is ready
    except (OSError, OverflowError) as error:
        for one in taken:
            one.close()
        raise _not_bound(host, port, error) from error
    return taken


def _not_bound(host: str, port: int, error: OSError | OverflowError) -> SoloUnicornError:
    place = f"{host}:{port}"
    why = (getattr(error, "strerror", None) or str(error)).lower()
    match getattr(error, "errno", None):
        case errno.EADDRINUSE:
            return TryAgain(
                f"The hub cannot listen at {place}",
                why="another program listens there",
                todo="end that program, or give another --port",
            )
        case errno.EACCES | errno.EPERM:
            return SoloUnicornError(
                f"The hub may not listen at {place}",
                why="ports below 1024 are reserved",
                todo="give a --port of 1024 or more, and have a proxy pass requests on to it",
            )
    return UsageError(f"The hub cannot listen at {place}", why=why, todo="give a --host of this machine and a --port")


class SlowStart:
    """A start that takes long says what it does: after SLOW_SECONDS, and then after pauses that double.

    A timer on a thread, because what is slow may keep the event loop from running.
    """

    def __init__(self, say: Say) -> None:
        self.step = "loading the program"
        self._say = say
        self._pause = Backoff(SLOW_SECONDS, 60.0)
        self._timer: threading.Timer | None = None
        self._over = False

    def __enter__(self) -> SlowStart:
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.done()

    def done(self) -> None:
        """It has started, or will not."""
        self._over = True
        if self._timer:
            self._timer.cancel()

    def _wait(self) -> None:
        self._timer = threading.Timer(self._pause.next(), self._tell)
        self._timer.daemon = True
        self._timer.start()

    def _tell(self) -> None:
        if not self._over:
            self._say(f"still starting: {self.step}")
            self._wait()


async def wait_for(
    name: str, probe: Probe, todo: str, say: Say, began: Callable[[str], None] = lambda step: None
) -> None:
    """Try until it answers, with growing pauses, and say so; Offline after PATIENCE tries, naming it."""
    began(f"waiting for {name}")
    pause = Backoff(0.5, 8.0, random=Random())
    while True:
        try:
            async with asyncio.timeout(TRY_SECONDS):
                await probe()
            return
        except TimeoutError:
            why = f"no answer within {TRY_SECONDS:.0f} s"
        except UsageError:
            raise  # a wrong password does not become right
        except SoloUnicornError as error:
            why = error.why or error.what
        except DBAPIError as error:
            if of_file(error.orig or error):
                raise  # a damaged file does not heal
            why = str(error.orig or error).strip()
        except Exception as error:  # whatever a driver makes of it
            why = str(error).strip() or type(error).__name__
        seconds = pause.next()
        if pause.tries >= PATIENCE:
            raise Offline(f"{name} does not answer", why=f"{why}; it was tried {PATIENCE} times", todo=todo)
        say(f"waiting for {name}: {why} (try {pause.tries} of {PATIENCE}; again in {seconds:.1f} s)")
        await asyncio.sleep(seconds)


def redis_answers(url: str) -> Probe:
    """Whether Redis answers."""

    async def probe() -> object:
        opened = connected(url)
        try:
            return await opened.ping()
        finally:
            await opened.aclose()

    return probe


def postgres_answers(url: str) -> Probe:
    """Whether PostgreSQL answers."""

    async def probe() -> object:
        import asyncpg

        opened = await asyncpg.connect(url, timeout=TRY_SECONDS)
        try:
            return await opened.fetchval("SELECT 1")
        finally:
            await opened.close(timeout=1)

    return probe


def the_files(settings: HubSettings) -> FileStore:
    """Where the hub keeps the files of missions."""
    return FileStore(settings.options.get("upload_url", ""), settings.data_dir / "uploads")


async def dependencies(settings: HubSettings, database: Database, say: Say, began: Callable[[str], None]) -> None:
    """Wait for everything outside this process that the hub needs."""
    shown = database.url.render_as_string(hide_password=True)
    with named(shown):
        await wait_for(
            f"the database {shown}",
            partial(probe, database),
            "start it, or correct SOLO_UNICORN_HUB_DATABASE_URL",
            say,
            began,
        )
    for name, url in (
        ("SOLO_UNICORN_HUB_BUS_URL", settings.bus_url),
        ("SOLO_UNICORN_HUB_RATE_LIMIT_URL", settings.options.get("rate_limit_url", "")),
    ):
        if url.startswith(SCHEMES):
            await wait_for(f"Redis at {place_of(url)}", redis_answers(url), f"start it, or correct {name}", say, began)
        elif url.startswith("postgresql://"):
            await wait_for(
                f"PostgreSQL at {place_of(url)}", postgres_answers(url), f"start it, or correct {name}", say, began
            )
    files = the_files(settings)
    try:
        todo = "correct SOLO_UNICORN_HUB_UPLOAD_URL, or the credentials in the environment"
        await wait_for(f"the store of files {files.place}", files.probe, todo, say, began)
    finally:
        files.close()


@contextmanager
def named(database: str) -> Iterator[None]:
    """What a database refuses, as an error that names it and says what to do."""
    try:
        yield
    except DBAPIError as error:
        raise refused(database, error.orig or error) from error


class Signals:
    """SIGTERM and SIGINT from the first moment: they end what runs; whatever hangs then is left behind in time."""

    def __init__(self) -> None:
        self.told = asyncio.Event()

    @contextmanager
    def heard(self) -> Iterator[Signals]:
        """While the block runs."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._tell, number)
        try:
            yield self
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def or_done(self, work: Awaitable[None]) -> bool:
        """Run `work` to its end, or cancel it at a signal; whether it came to its end."""
        doing, told = asyncio.ensure_future(work), asyncio.ensure_future(self.told.wait())
        await asyncio.wait({doing, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.wait({doing}, timeout=1.0)
            return False
        doing.result()
        return True

    def _tell(self, number: int) -> None:
        if self.told.is_set():
            _leave(f"a second {signal.Signals(number).name}")
        self.told.set()
        late = threading.Timer(END_SECONDS, _leave, (f"{END_SECONDS:.0f} s after {signal.Signals(number).name}",))
        late.daemon = True
        late.start()


def leave_files_behind(code: int) -> None:
    """End the process with this code if a request to the store of files is still on its way; Python would wait for it.

    Whoever asked for it was answered, or has gone; a piece that arrives after all is found by the next try.
    """
    deadline = time.monotonic() + 0.5
    for thread in threading.enumerate():
        if thread.name.startswith(UPLOADS):
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                logger("hub").warning("the file store does not answer; the hub exits without it")
                logging.shutdown()
                sys.stdout.flush()
                os._exit(code)


def _leave(why: str) -> None:
    """Exit at once: what is committed is safe, and what is not was never answered."""
    logger("hub").error("the hub stops although something still hangs", extra={"why": why})
    print(f"The hub exits at once ({why}); everything it acknowledged is saved.", file=sys.stderr, flush=True)
    os._exit(1)
