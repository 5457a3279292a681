"""What the programs between the session host and an agent with a protocol of its own have in common."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ..missions.rules.permissions import PermissionRule
from ..missions.wire import from_wire
from .speech import said_by_person

LINE_LIMIT: Final = 64 << 20
INTERRUPTED: Final = 130


def tell(type_: str, **values: Any) -> None:
    """One line for the transcript."""
    sys.stdout.write(json.dumps({"type": type_, **values}, ensure_ascii=True, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def start_of(start: Path | None, worktree: Path) -> Path | None:
    """The folder of the worktree in which an agent starts; None: the top."""
    return start.resolve() if start is not None and start.resolve() != worktree.resolve() else None


def rules_of(file: Path | None) -> tuple[PermissionRule, ...]:
    """The project's rules as launch.py wrote them. A file that cannot be read is an error: nothing runs without."""
    if file is None:
        return ()
    return tuple(from_wire(PermissionRule, rule) for rule in json.loads(file.read_text(encoding="utf-8")))


async def listen(say: Callable[[str | None], None], interrupt: Callable[[], Awaitable[None]]) -> None:
    """A person's words and requests to break off, from our standard input; None when no more come."""
    reader = asyncio.StreamReader(limit=LINE_LIMIT)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    while line := await reader.readline():
        text = line.decode("utf-8", "replace")
        if (said := said_by_person(text)) is not None:
            say(said)
        elif '"control_request"' in text:
            await interrupt()
    say(None)


async def until_stopped(work: Coroutine[None, None, int]) -> int:
    """The exit code. SIGINT and SIGTERM cancel the work, which ends the agent in order; a second cuts that short."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        return await task
    return INTERRUPTED
