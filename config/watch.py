"""Settings that follow the file: every change is read again, and a file that is wrong for a moment changes nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from ..missions.errors import SoloUnicornError
from .loading import load
from .paths import config_file
from .settings import Settings

QUIET_MILLISECONDS = 50
"""Changes closer together than this are one: an editor writes, renames and sets the mode."""
LOOK_MILLISECONDS = 1000


async def changes(
    stop: asyncio.Event, known: Settings, path: Path | None = None
) -> AsyncIterator[Settings | SoloUnicornError]:
    """Yield the new settings whenever they differ from the last good ones, or the error of a file that is wrong.

    `known` is what the caller has in force; who gets an error keeps that. The directory is watched, because editors
    replace the file and it may not exist yet; and now and then the file itself is looked at, because a change may
    come before the watch stands, and some file systems tell of none.
    """
    from watchfiles import awatch

    file = path or config_file()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    names = _names(file)
    seen: object = None
    async for _ in awatch(
        *{name.rpartition("/")[0] for name in names},
        stop_event=stop,
        debounce=QUIET_MILLISECONDS,
        step=QUIET_MILLISECONDS,
        recursive=False,
        watch_filter=lambda _, changed: changed in names,
        rust_timeout=LOOK_MILLISECONDS,
        yield_on_timeout=True,
    ):
        looked = _stamp(file)
        if looked == seen:
            continue
        seen = looked
        found = await asyncio.to_thread(_read, path)
        if isinstance(found, SoloUnicornError):
            yield found
        elif found != known:
            known = found
            yield found


def _names(file: Path) -> set[str]:
    """The file's own absolute name, and where it is when it or its directory is a link."""
    return {os.path.abspath(file), os.path.realpath(file), f"{os.path.realpath(file.parent)}/{file.name}"}  # noqa: PTH100


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
