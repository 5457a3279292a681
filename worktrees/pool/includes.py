"""Ignored files a build needs (`.env` and the like), copied into a worktree by `.worktreeinclude` (gitignore syntax).

git itself matches the patterns, so they mean what they mean in `.gitignore`. Only files that git ignores are copied:
anything else would look like the agent's work.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import json
import os
import shutil
import stat
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...system import strict_json
from ..git import Git, identity
from ..repository.registry import git_dir
from .snapshots import KEPT

INCLUDE_FILE = ".worktreeinclude"
_MANIFEST = "solo-unicorn-included.json"
_BESIDE = ".solo-unicorn-"
_FICLONE = 0x40049409
"""The Linux ioctl that makes a copy share its blocks with the original (btrfs, xfs, bcachefs)."""


AT_ONCE = 32 * 1024 * 1024
"""Bytes that a mission waits for; what is beyond and shares no blocks with the original is copied while it starts."""


class Pending:
    """Files that are still to be copied; `finish` may be called from several threads and copies once."""

    def __init__(self, source: Path, worktree: Path, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._source, self._worktree = source, worktree
        self._turn = threading.Lock()
        self._left = list(names)

    def finish(self) -> None:
        """Copy what is left; what is there meanwhile stays. Killed on the way, the next acquire copies the rest."""
        with self._turn:
            manifest = _read_manifest(self._worktree)
            while self._left and self._worktree.is_dir():
                name = self._left.pop()
                if not os.path.lexists(self._worktree / name) and _inside(
                    (self._worktree / name).parent, self._worktree
                ):
                    _copy(self._source / name, self._worktree / name)
                    manifest[name] = _stamp(self._worktree / name)
            if self._worktree.is_dir():
                _write_manifest(self._worktree, manifest)


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied in, by path below the top of the worktree."""

    paths: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    pending: Pending | None = None
    """What is large and was left for later."""


def copy_included(source: Path, worktree: Path, *, replace_old: bool = False, at_once: int | None = None) -> Copied:
    """Copy what `.worktreeinclude` of the person's checkout names. A file that is there stays as it is, unless
    `replace_old` (another mission left it): then it is refreshed, and a version an agent changed is kept in a ref.

    With `at_once`, new files beyond so many bytes are left for later, unless the file system shares their blocks.
    """
    if not (source / INCLUDE_FILE).is_file():
        return Copied()
    listed = Git(source).list("ls-files", "-z", "--others", "--ignored", f"--exclude-from={INCLUDE_FILE}")
    files = [name for name in listed if not name.endswith("/")]
    if not files:
        return Copied()
    outside = {name for name in files if not _inside((worktree / name).parent, worktree)}
    ignored = _ignored(worktree, [name for name in files if name not in outside])
    manifest = _read_manifest(worktree)
    copied: list[str] = []
    warnings: list[str] = []
    changed: list[str] = []
    for name in files:
        origin, target = source / name, worktree / name
        if name in outside:
            warnings.append(f"{name} would be written outside the worktree through a symbolic link; not copied")
        elif name not in ignored:
            warnings.append(f"{name} is in {INCLUDE_FILE} but git does not ignore it; not copied")
        elif not os.path.lexists(target):
            copied.append(name)
        elif replace_old and not _alike(origin, target):
            if manifest.get(name) != _stamp(target):
                changed.append(name)
            copied.append(name)
    if changed:
        kept = _keep(worktree, changed)
        warnings.append(f"files an earlier mission changed are kept as {kept}: {', '.join(changed)}")
    later, room = list[str](), at_once
    for name in copied:
        new = not os.path.lexists(worktree / name)
        size = (source / name).lstat().st_size
        if room is not None and new and size > room:
            if not _copy(source / name, worktree / name, share_only=True):
                later.append(name)
                continue
        else:
            shared = _copy(source / name, worktree / name)
            room = room if room is None or shared else max(0, room - size)
        manifest[name] = _stamp(worktree / name)
    if copied:
        _write_manifest(worktree, manifest)
    now = tuple(name for name in copied if name not in set(later))
    return Copied(now, tuple(warnings), Pending(source, worktree, later) if later else None)


def _ignored(worktree: Path, files: list[str]) -> set[str]:
    """Those of the files that the worktree's own rules ignore."""
    if not files:
        return set()
    given = b"\0".join(os.fsencode(name) for name in files)
    done = Git(worktree).run("check-ignore", "-z", "--stdin", stdin=given, ok=(0, 1))
    return {os.fsdecode(part) for part in done.out.split(b"\0") if part}


def _inside(directory: Path, worktree: Path) -> bool:
    """Whether a directory, once links are followed, is still in the worktree."""
    return directory.resolve().is_relative_to(worktree.resolve())


def _copy(origin: Path, target: Path, *, share_only: bool = False) -> bool:
    """Copy beside the target, then rename: nobody ever sees half a file. Whether blocks are shared; with `share_only`
    nothing is copied where they cannot be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}{_BESIDE}{os.getpid()}"[-250:])
    for left in target.parent.glob(f".{glob.escape(target.name)}{_BESIDE}*"):
        left.unlink(missing_ok=True)  # of a process that was killed while it copied
    try:
        if origin.is_symlink():
            beside.symlink_to(origin.readlink())
            shared = True
        else:
            shared = _clone_or_copy(origin, beside, share_only)
            if share_only and not shared:
                return False
        beside.replace(target)
        return shared
    finally:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()


def _clone_or_copy(origin: Path, target: Path, share_only: bool) -> bool:
    """Share blocks where the file system can, else copy; mode and times as the original."""
    shared = True
    with origin.open("rb") as read, target.open("xb") as write:
        try:
            fcntl.ioctl(write.fileno(), _FICLONE, read.fileno())
        except OSError:
            shared = False
            if not share_only:
                shutil.copyfileobj(read, write, 1 << 20)
    shutil.copystat(origin, target)
    return shared


def _alike(one: Path, other: Path) -> bool:
    """Same kind and same content."""
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    return other.is_file() and one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()


def _stamp(path: Path) -> list[int]:
    """Size and time of change of a copy, to see whether somebody changed it since."""
    facts = path.lstat()
    return [facts.st_size, facts.st_mtime_ns]


def _read_manifest(worktree: Path) -> dict[str, list[int]]:
    try:
        found = strict_json.loads((git_dir(worktree) / _MANIFEST).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_manifest(worktree: Path, manifest: dict[str, list[int]]) -> None:
    (git_dir(worktree) / _MANIFEST).write_text(json.dumps(manifest))


def _keep(worktree: Path, names: list[str]) -> str:
    """Put the present versions of ignored files into a commit of their own; its ref."""
    git = Git(worktree)
    entries: list[bytes] = []
    for name in names:
        path = worktree / name
        link = path.is_symlink()
        data = os.fsencode(path.readlink()) if link else path.read_bytes()
        blob = git.run("hash-object", "-w", "--stdin", "--no-filters", stdin=data).out.strip()
        mode = b"120000" if link else b"100755" if path.stat().st_mode & stat.S_IXUSR else b"100644"
        entries.append(mode + b" " + blob + b"\t" + os.fsencode(name))
    index = git_dir(worktree) / f"solo-unicorn-keep-{os.getpid()}"
    aside = git.having(GIT_INDEX_FILE=str(index))
    try:
        aside.run("read-tree", "--empty")
        aside.run("update-index", "-z", "--index-info", stdin=b"\0".join(entries) + b"\0")
        tree = aside.line("write-tree")
    finally:
        index.unlink(missing_ok=True)
    commit = git.having(**identity(git)).line("commit-tree", tree, "-m", f"Ignored files changed in {worktree.name}")
    git.run("update-ref", f"{KEPT}/{commit}", commit, tries=6)
    return f"{KEPT}/{commit}"
