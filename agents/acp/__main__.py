"""`python -m solo_unicorn.agents.acp --worktree DIR [options] -- COMMAND…`: one session with an ACP agent."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path

from ...missions.rules.permissions import PermissionRule
from ...missions.wire import from_wire
from .conversation import Wanted, checked, held

CHECK_SECONDS = 60.0


def main(arguments: list[str]) -> int:
    """The exit code: 0 when the last turn ended well, 1 when not, 2 when it cannot be begun, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="solo_unicorn.agents.acp")
    parser.add_argument("--worktree", type=Path)
    parser.add_argument("--mcp-file", type=Path)
    parser.add_argument("--rules-file", type=Path)
    parser.add_argument("--resume", default="")
    parser.add_argument("--model", default="")
    parser.add_argument("--mode", default="")
    parser.add_argument("--allow-all", action="store_true")
    parser.add_argument("--check", action="store_true", help="only ask the agent who it is")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args(arguments)
    logging.basicConfig(handlers=[_OneLine()], force=True)
    if given.check:
        return _checked(tuple(given.command))
    if given.worktree is None:
        parser.error("--worktree is needed")
    wanted = Wanted(
        tuple(given.command),
        given.worktree.resolve(),
        given.mcp_file,
        given.resume,
        given.model,
        given.mode,
        given.allow_all,
        _rules(given.rules_file),
    )
    return asyncio.run(_until_stopped(held(wanted)))


def _rules(file: Path | None) -> tuple[PermissionRule, ...]:
    """The project's rules as launch.py wrote them. A file that cannot be read is an error: nothing runs without."""
    if file is None:
        return ()
    return tuple(from_wire(PermissionRule, rule) for rule in json.loads(file.read_text(encoding="utf-8")))


class _OneLine(logging.Handler):
    """What the library says (a line that is not a message, a lost connection), without its traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        """On standard error, which the session host keeps."""
        print(" ".join(record.getMessage().split())[:300], file=sys.stderr)


def _checked(command: tuple[str, ...]) -> int:
    logging.disable(logging.CRITICAL)
    try:
        print(asyncio.run(asyncio.wait_for(checked(command), CHECK_SECONDS)))
    except Exception as error:
        print(" ".join(f"{type(error).__name__}: {error}".split())[:300], file=sys.stderr)
        return 1
    return 0


async def _until_stopped(work: Coroutine[None, None, int]) -> int:
    """SIGINT and SIGTERM end it in order: the agent's input is closed, and its process waited for."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        return await task
    return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
