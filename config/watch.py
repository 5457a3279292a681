"""Settings that follow the file: every change is read again, and a file that is wrong for a moment changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..missions.errors import SoloUnicornError
from ..system.ticks import until_tick
from .loading import load
from .paths import config_file
from .settings import Settings

LOOK_SECONDS: Final = 1.0
QUIET_SECONDS: Final = 0.05
"""Changes closer together than this are one: an editor writes, renames and sets the mode."""


async def changes(
    stop: asyncio.Event, known: Settings, path: Path | None = None
) -> AsyncIterator[Settings | SoloUnicornError]:
    """Yield the new settings whenever they differ from the last good ones, or the error of a file that is wrong.

    `known` is what the caller has in force; who gets an error keeps that. The file is looked at once a second, by one
    `stat`: it may not exist yet, may be a link, is replaced by editors, and some file systems tell of no change.
    """
    file = path or config_file()
    seen: object = None
    while not stop.is_set():
        if (looked := _stamp(file)) != seen:
            await _rest(stop, QUIET_SECONDS)
            while (now := _stamp(file)) != looked:
                looked = now
                await _rest(stop, QUIET_SECONDS)
            seen = looked
            found = await asyncio.to_thread(_read, path)
            if isinstance(found, SoloUnicornError):
                yield found
            elif found != known:
                known = found
                yield found
        await _rest(stop, until_tick(asyncio.get_running_loop().time(), LOOK_SECONDS))


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


def _stamp(file: Path) -> object:
    try:
        found = file.stat()
    except OSError:
        return False
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path | None) -> Settings | SoloUnicornError:
    try:
        return load(path)
    except SoloUnicornError as error:
        return error
