"""What the programs between the session host and an agent with a protocol of its own have in common."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from ..missions.rules.permissions import PermissionRule
from ..missions.wire import from_wire

Said = TypeVar("Said")
LINE_LIMIT: Final = 64 << 20
INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line of an adapter asks for."""

    command: tuple[str, ...]
    worktree: Path
    mcp_file: Path | None = None
    resume: str = ""
    model: str = ""
    effort: str = ""
    allow_all: bool = False
    rules: tuple[PermissionRule, ...] = ()
    start: Path | None = None
    """The folder of the worktree in which it starts; None: the top."""
    not_before: int = 0
    """When it may be resumed, in seconds since the epoch: within a minute, or the clock was moved."""
    fresh: str = ""
    """The prompt instead, where the conversation to resume is not there any more; empty: the session ends then."""
    mode: str = ""
    directory: str = ""
    """Another directory that the agent may read: the mission's files."""
    sign_in: tuple[tuple[str, str], ...] = ()
    """Variables, each with the way to sign in by what it holds."""
    sandbox: str = ""
    images: tuple[Path, ...] = ()

    @property
    def cwd(self) -> Path:
        """Where the agent and its session start."""
        return self.start or self.worktree


def options(protocol: str) -> ArgumentParser:
    """The options that every adapter has; what is left of the words is the agent's command."""
    parser = ArgumentParser(prog=f"solo_unicorn.agents.{protocol}")
    parser.add_argument("--worktree", type=Path)
    parser.add_argument("--start", type=Path, help="the folder of the worktree in which it starts")
    parser.add_argument("--mcp-file", type=Path)
    parser.add_argument("--rules-file", type=Path)
    for name in ("--resume", "--model", "--effort"):
        parser.add_argument(name, default="")
    parser.add_argument("--allow-all", action="store_true")
    parser.add_argument("command", nargs="+")
    return parser


def wanted(parser: ArgumentParser, given: Namespace, **own: Any) -> Wanted:
    """What `options` were given, and what an adapter has of its `own`; ends the program without --worktree."""
    if given.worktree is None:
        parser.error("--worktree is needed")
    shared = {name: getattr(given, name) for name in ("mcp_file", "resume", "model", "effort", "allow_all")}
    start = _start_of(given.start, given.worktree)
    return Wanted(tuple(given.command), given.worktree.resolve(), **shared, **own, rules=_rules(given), start=start)


def tell(type_: str, **values: Any) -> None:
    """One line for the transcript."""
    sys.stdout.write(json.dumps({"type": type_, **values}, ensure_ascii=True, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def _start_of(start: Path | None, worktree: Path) -> Path | None:
    return start.resolve() if start is not None and start.resolve() != worktree.resolve() else None


def _rules(given: Namespace) -> tuple[PermissionRule, ...]:
    """The project's rules as launch.py wrote them. A file that cannot be read is an error: nothing runs without."""
    if given.rules_file is None:
        return ()
    return tuple(from_wire(PermissionRule, rule) for rule in json.loads(given.rules_file.read_text(encoding="utf-8")))


async def listen(
    say: Callable[[Said | None], None],
    interrupt: Callable[[], Awaitable[None] | None],
    said: Callable[[str], Said | None],
) -> None:
    """A person's words and requests to break off, from our standard input; None when no more come.

    `said` is what a line says; None for one that is not a message.
    """
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader(limit=LINE_LIMIT)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    try:
        while line := await reader.readline():
            text = line.decode("utf-8", "replace")
            if (words := said(text)) is not None:
                say(words)
            elif '"control_request"' in text and (breaking := interrupt()) is not None:
                await breaking
        say(None)
    finally:
        transport.close()


async def until_stopped(work: Coroutine[None, None, int]) -> int:
    """The exit code. SIGINT and SIGTERM cancel the work, which ends the agent in order; a second cuts that short."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        return await task
    return INTERRUPTED
