"""The service process: `python -m solo_unicorn.workstation`, as client.py starts it, or `workstation start` in front.

Before the lock is held nothing is touched; before the control socket listens nobody is told that it is ready.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence

from .. import __version__
from ..config import log, paths
from ..config.correlation import correlation
from ..config.loading import load
from ..config.settings import Settings
from ..missions.entities import JsonObject
from ..missions.errors import SoloUnicornError
from ..system import strict_json
from .control import refusal
from .lock import Owner, ServiceLock
from .service import Service, now_text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a service for client.py and return its exit code; what went wrong goes to the ready descriptor or stderr."""
    import argparse

    parser = argparse.ArgumentParser(prog="solo-unicorn workstation run", description="Run the workstation service.")
    parser.add_argument("--stay", action="store_true", help="keep running when there is nothing to do")
    parser.add_argument("--ready-fd", type=int, help="descriptor on which to say that the service is ready")
    chosen = parser.parse_args(arguments)
    try:
        serve(stay=chosen.stay, ready=lambda: _tell(chosen.ready_fd, {"ok": True, "pid": os.getpid()}))
    except SoloUnicornError as error:
        if chosen.ready_fd is None:
            print(error, file=sys.stderr)
        else:
            _tell(chosen.ready_fd, refusal(error))
        return error.exit_code
    return 0


def serve(*, stay: bool, ready: Callable[[], None] = lambda: None) -> None:
    """Be the service until told to leave, or until idle unless `stay`; `ready` is called once it answers.

    Raises AlreadyRunning naming the holder when another service of this workspace runs (exit code 75).
    """
    settings = load()
    held = ServiceLock(paths.service_lock())
    owner = Owner(os.getpid(), __version__, now_text())
    held.acquire(owner)
    try:
        log.setup("service", level=settings.log.level)
        correlation.set("")
        asyncio.run(_serve(settings, stay, owner.started_at, ready))
    finally:
        held.release()


async def _serve(settings: Settings, stay: bool, started_at: str, ready: Callable[[], None]) -> None:
    service = await Service.open(settings, stay=stay, started_at=started_at)
    await service.serve(ready)


def _tell(descriptor: int | None, message: JsonObject) -> None:
    """One line on the ready descriptor, which is then closed: the starter reads to its end."""
    if descriptor is not None:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(strict_json.dumps(message) + "\n")
