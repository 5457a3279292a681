"""Starting the service process, and ending one that does not answer."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from ..config import paths
from ..config.correlation import handed_on
from ..missions.entities import Json
from ..missions.errors import SoloUnicornError, TryAgain, from_wire
from ..system import files, locks, strict_json
from ..system.environment import clean
from . import lock

ERROR_FILE = "service.err"


def start(deadline: float, stay: bool) -> None:
    """Start a service, detached from our terminal and process group, and wait until it says that it is ready."""
    hear, speak = os.pipe()
    command = [sys.executable, "-P", "-m", f"{__package__}", "--ready-fd", str(speak), *(["--stay"] if stay else [])]
    errors = paths.logs_dir() / ERROR_FILE
    try:
        with open(errors, "wb", opener=files.for_its_owner) as stderr:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                cwd=paths.home(),
                env=clean(os.environ) | handed_on(),
                pass_fds=(speak,),
                start_new_session=True,
            )
    except OSError as error:
        os.close(hear)
        raise SoloUnicornError("The workstation service cannot be started", why=str(error)) from error
    finally:
        os.close(speak)
    threading.Thread(target=process.wait, name="service reaper", daemon=True).start()
    try:
        said = _read_ready(hear, deadline)
    finally:
        os.close(hear)
    match said:
        case {"ok": True}:
            return
        case {"error": {"code": "already_running"}}:
            return  # somebody else was faster: theirs will do
        case {"error": wire}:
            raise from_wire(wire)
        case _:
            raise SoloUnicornError(
                "The workstation service ended before it was ready",
                why=_tail(errors) or "it printed no reason",
                todo=f"see {errors} and the log beside it; `solo-unicorn doctor` checks the set-up",
            )


def kill_holder() -> None:
    """End a service that does not answer. The lock proves that its signer lives, so the pid is no other process's."""
    owner = lock.owner(paths.service_lock())
    if owner is not None and locks.is_held(paths.service_lock()):
        with suppress(ProcessLookupError):
            os.kill(owner.pid, signal.SIGKILL)


def silent() -> TryAgain:
    owner = lock.owner(paths.service_lock())
    who = f"pid {owner.pid}, started {owner.started_at}" if owner else "an unknown process"
    return TryAgain(
        "The workstation service does not answer",
        why=f"{who} holds {paths.service_lock()} and is starting, stuck or stopped",
        todo="try again in a moment; `solo-unicorn workstation stop --force` ends it",
    )


def _read_ready(descriptor: int, deadline: float) -> Json:
    line = b""
    while not line.endswith(b"\n"):
        if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise silent()
        chunk = os.read(descriptor, 65536)
        if not chunk:
            break
        line += chunk
    with suppress(ValueError):
        said: Json = strict_json.loads(line)
        return said
    return None


def _tail(path: Path) -> str:
    with suppress(OSError):
        return " ".join(path.read_text(errors="replace").strip().splitlines()[-3:])
    return ""
