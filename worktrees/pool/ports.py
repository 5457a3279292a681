"""A stable block of ports per worktree, so that two dev servers never fight over one (`SOLO_UNICORN_PORT`)."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ...missions.errors import Conflict
from ...system import strict_json
from ..locks import hold, our_dir

FIRST, BLOCK, COUNT = 20_000, 10, 1_000
"""Blocks of ten from 20000 to 29999: below the ports systems hand out by themselves."""


def port_block(root: Path, worktree_id: str) -> int:
    """The first of the ten ports of a worktree: the same for as long as it lives, taken by no other worktree."""
    with hold(root, "ports"):
        taken = _read(root)
        if worktree_id in taken:
            return taken[worktree_id]
        used = set(taken.values())
        for first in range(FIRST, FIRST + COUNT * BLOCK, BLOCK):
            if first not in used and _all_free(first):
                taken[worktree_id] = first
                _write(root, taken)
                return first
    raise Conflict(
        "No block of ten ports is free", why=f"all from {FIRST} on are taken", todo="clean worktrees and try again"
    )


def forget_ports(root: Path, worktree_ids: Iterable[str]) -> None:
    """Give the blocks of removed worktrees back."""
    with hold(root, "ports"):
        taken, gone = _read(root), set(worktree_ids)
        if gone & taken.keys():
            _write(root, {one: first for one, first in taken.items() if one not in gone})


def _all_free(first: int) -> bool:
    """Whether nothing on this machine listens on the block now."""
    for port in range(first, first + BLOCK):
        with contextlib.closing(socket.socket()) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno in (errno.EADDRINUSE, errno.EACCES):
                    return False
                raise
    return True


def _read(root: Path) -> dict[str, int]:
    try:
        found = strict_json.loads((our_dir(root) / "ports.json").read_text())
    except FileNotFoundError:
        return {}
    return {str(name): int(first) for name, first in found.items()}


def _write(root: Path, taken: dict[str, int]) -> None:
    with tempfile.NamedTemporaryFile("w", dir=our_dir(root), prefix=".ports-", delete=False) as written:
        json.dump(taken, written)
        written.flush()
        os.fsync(written.fileno())
    Path(written.name).replace(our_dir(root) / "ports.json")
