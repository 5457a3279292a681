"""One lock per repository and purpose, seen by every process: a flock below the repository's common directory."""

from __future__ import annotations

import os
import re
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..missions.errors import TryAgain
from ..system.locks import Lock

OURS = "solo-unicorn"
"""Our directory inside a repository's common git directory: locks, the landing journal, the landing history."""


_SHARED = re.compile(r"^\s*sharedrepository\s*=\s*\"?([\w-]+)", re.IGNORECASE | re.MULTILINE)
PRIVATE = 0o600


def our_dir(common_dir: Path, *below: str) -> Path:
    """The directory for our own files of a repository, or one below it, made when it is not there; for whom the
    repository is (core.sharedRepository)."""
    directory = common_dir
    for name in (OURS, *below):
        directory /= name
        try:
            directory.mkdir()
        except FileExistsError:
            continue
        if (mode := shared_mode(common_dir)) != PRIVATE:
            directory.chmod(mode | (mode & 0o444) >> 2 | stat.S_ISGID)
    return directory


def shared_mode(common_dir: Path) -> int:
    """The mode of our files there: as core.sharedRepository says (git-config), for their owner alone where it says
    nothing and the repository is not a group's."""
    try:
        found = _SHARED.search((common_dir / "config").read_text(errors="replace"))
    except OSError:
        found = None
    match found[1].lower() if found else "":
        case "group" | "true" | "1":
            return 0o660
        case "all" | "world" | "everybody" | "2":
            return 0o664
        case octal if re.fullmatch(r"0[0-7]{3}", octal):
            return int(octal, 8) & 0o666 | PRIVATE
        case "":
            return 0o660 if common_dir.stat().st_mode & stat.S_IWGRP else PRIVATE
    return PRIVATE


def shared_file(common_dir: Path, path: Path) -> Path:
    """A file of ours in a repository, there and with its mode from the first moment on."""
    if not path.exists() and (mode := shared_mode(common_dir)) != PRIVATE:
        made = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
        made.touch(mode)
        made.chmod(mode)
        with suppress(FileExistsError):
            os.link(made, path)
        made.unlink()
    return path


@contextmanager
def hold(common_dir: Path, purpose: str, *, timeout: float = 60.0) -> Iterator[None]:
    """Hold the lock `purpose` of a repository; TryAgain names the holder when it does not come free in time.

    Adding, moving, removing and pruning worktrees take `worktrees`; a landing takes `landing-<target>`.
    """
    path = shared_file(common_dir, our_dir(common_dir) / f"{purpose}.lock")
    lock = Lock(path)
    handle = lock.fileno()
    try:
        if not lock.take(timeout):
            raise _busy(path, purpose, lock, timeout)
        lock.sign(str(os.getpid()).encode())
        _held.handles = (*held_handles(), handle)
        yield
    finally:
        _held.handles = tuple(other for other in held_handles() if other != handle)
        lock.release()


def held_handles() -> tuple[int, ...]:
    """Descriptors of the locks this thread holds. A git command gets them handed on: when we are killed, the lock
    stays taken until that command has ended, and nobody recovers what is still being written.
    """
    return getattr(_held, "handles", ())


_held = threading.local()


def _busy(path: Path, purpose: str, lock: Lock, timeout: float) -> TryAgain:
    """The refusal, with the process id its holder wrote."""
    holder = lock.signature().decode(errors="replace") or "unknown"
    return TryAgain(
        f"Another process holds {path}",
        why=f"process {holder} has worked under the lock {purpose!r} for more than {timeout:g} s",
        todo="wait for it to finish and try again",
    )
