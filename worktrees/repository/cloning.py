"""Cloning any git URL with progress: staged and renamed, so that a clone is whole or not there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit
from uuid import uuid4

from ...missions.errors import Conflict, InvalidValue
from ..git import GitError, GitMissing, end_group, environment, hide_secrets
from .repositories import RepositoryFacts, inspect

Progress = Callable[[str, float | None], None]
"""Called with what git does ("receiving objects") and how much of it is done (0 to 1, None: unknown)."""


def clone(
    url: str, target: Path, *, progress: Progress | None = None, blobless: bool = False, timeout: float = 3600.0
) -> RepositoryFacts:
    """Clone into `target`, which must not be there yet. Raises InvalidValue (URL), Conflict (target), GitError.

    `blobless` fetches file contents only when they are needed (large repositories).
    """
    check_url(url)
    if os.path.lexists(target):
        raise Conflict(
            f"{target} exists already", why="a clone never overwrites", todo="use it, or name another directory"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name[:100]}.cloning-{uuid4().hex[:8]}")
    arguments = ["clone", "--progress", *(["--filter=blob:none"] if blobless else []), "--", url, str(beside)]
    try:
        _run_with_progress(target.parent, arguments, progress, timeout)
        inspect(beside)
        beside.rename(target)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return inspect(target)


def check_url(url: str) -> str:
    """The URL, if git may be given it: no option in disguise, no helper program, no password that would be stored."""
    if not url.strip() or url.startswith("-") or re.match(r"^[\w+.-]+::", url) or re.search(r"[\x00-\x1f]", url):
        raise InvalidValue(
            "url",
            f"{url!r} is not a repository URL",
            why="git would not treat it as an address",
            todo="give an https, ssh, git or file URL, or a path",
        )
    if "://" in url and urlsplit(url).password:
        raise InvalidValue(
            "url",
            f"{hide_secrets(url)} was given with a password in it",
            why="git would store it in .git/config",
            todo="leave it out and use a git credential helper (`gh auth setup-git`)",
        )
    return url


def clone_name(url: str) -> str:
    """The folder name git would choose for a URL."""
    last = re.split(r"[/:]", url.rstrip("/"))[-1].removesuffix(".git")
    return re.sub(r"[^\w.-]+", "-", last).strip("-.") or "repository"


def _run_with_progress(directory: Path, arguments: list[str], progress: Progress | None, timeout: float) -> None:
    """Run git and read its progress line by line; GitPython's parser knows their shapes."""
    said: list[str] = []
    try:
        process = subprocess.Popen(
            ["git", "-C", str(directory), "-c", "advice.detachedHead=false", *arguments],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise GitMissing() from error
    assert process.stderr is not None
    overdue = threading.Timer(timeout, end_group, (process,))
    overdue.start()
    try:
        _follow(process.stderr, said, progress)
        status = process.wait()
    finally:
        timed_out = not overdue.is_alive()
        overdue.cancel()
        if process.poll() is None:
            end_group(process)
        process.stderr.close()
    if status:
        why = f"it did not finish within {timeout:g} s" if timed_out else "\n".join(said[-20:])
        raise GitError(directory, ("git", *arguments), status, why)


def _follow(stream: IO[bytes], said: list[str], progress: Progress | None) -> None:
    """Split at newlines and carriage returns; progress goes to the caller, everything else is what git said."""
    from git import RemoteProgress

    class Reader(RemoteProgress):
        """Turns GitPython's counts into a phrase and a share."""

        names = {  # noqa: RUF012
            RemoteProgress.COUNTING: "counting objects",
            RemoteProgress.COMPRESSING: "compressing objects",
            RemoteProgress.RECEIVING: "receiving objects",
            RemoteProgress.RESOLVING: "resolving deltas",
            RemoteProgress.FINDING_SOURCES: "finding sources",
            RemoteProgress.CHECKING_OUT: "checking out files",
        }

        def update(
            self, op_code: int, cur_count: str | float, max_count: str | float | None = None, message: str = ""
        ) -> None:
            """One step of progress."""
            share = float(cur_count) / float(max_count) if max_count else None
            if progress:
                progress(self.names.get(op_code & self.OP_MASK, "working"), share)

    reader, rest = Reader(), b""
    take = reader.new_message_handler()
    while chunk := os.read(stream.fileno(), 65536):
        *lines, rest = re.split(rb"[\r\n]", rest + chunk)
        for line in lines:
            if line.strip():
                take(line.decode(errors="replace"))
    if rest.strip():
        take(rest.decode(errors="replace"))
    said += [hide_secrets(line) for line in (*reader.other_lines, *reader.error_lines)]
