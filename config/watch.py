"""Settings that follow the file: every change is read again, and a file that is wrong for a moment changes nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from ..missions.errors import SoloUnicornError
from .paths import config_file
from .settings import Settings, load

QUIET_MILLISECONDS = 50
"""Changes closer together than this are one: an editor writes, renames and sets the mode."""


async def changes(stop: asyncio.Event, path: Path | None = None) -> AsyncIterator[Settings | SoloUnicornError]:
    """Yield the new settings whenever they differ from the last good ones, or the error of a file that is wrong.

    The directory is watched, because editors replace the file and it may not exist yet; a link's target as well.
    Who uses this keeps the last settings it got when an error comes.
    """
    from watchfiles import awatch

    file = path or config_file()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    names = _names(file)
    directories = {name.rpartition("/")[0] for name in names}
    last = _read(path)
    async for changed in awatch(
        *directories, stop_event=stop, debounce=QUIET_MILLISECONDS, step=QUIET_MILLISECONDS, recursive=False,
        watch_filter=lambda _, changed_path: changed_path in names,
    ):  # fmt: skip
        if changed:
            found = await asyncio.to_thread(_read, path)
            if isinstance(found, SoloUnicornError) or found != last:
                last = found if isinstance(found, Settings) else last
                yield found


def _names(file: Path) -> set[str]:
    """The file's own absolute name, and where it is when it or its directory is a link."""
    return {os.path.abspath(file), os.path.realpath(file), f"{os.path.realpath(file.parent)}/{file.name}"}  # noqa: PTH100


def _read(path: Path | None) -> Settings | SoloUnicornError:
    try:
        return load(path)
    except SoloUnicornError as error:
        return error
