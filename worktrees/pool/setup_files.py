"""What a setup script put into a worktree: of this machine, and never part of the mission's work.

The usual recipe links `node_modules` from the person's checkout; `.gitignore` says `node_modules/`, which a link does
not match. So what came with the setup script is written down, and neither shown, nor committed, nor in the way. The
same goes for what it changed and hid from git (skip-worktree).
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...system import files, strict_json
from ..git import Git, has_hooks
from ..repository.registry import git_dir
from .hidden import hidden

_FILE = "solo-unicorn-furnished.json"
_BEGUN = "solo-unicorn-furnishing.json"
_EXCLUDES = "solo-unicorn-excludes"
_MAGIC = re.compile(r"([\\*?\[\]#! ])")


def untracked(path: Path) -> set[str]:
    """Every file and link that git neither tracks nor ignores."""
    return set(Git(path).list("ls-files", "-z", "--others", "--exclude-standard"))


@contextmanager
def noting(path: Path) -> Iterator[None]:
    """Write down what comes while the setup script runs; what was noted earlier stays noted.

    What there was before is written down first: killed on the way, the next run goes on from that.
    """
    begun = git_dir(path) / _BEGUN
    before = _read(begun) if begun.exists() else {name: [] for name in untracked(path)}
    files.replace(begun, json.dumps(before).encode(), durable=False)
    try:
        yield
    finally:
        made = {name: _stamp(path / name) for name in untracked(path).difference(before) | hidden(path)}
        if known := _read(git_dir(path) / _FILE) | made:
            files.replace(git_dir(path) / _FILE, json.dumps(known).encode(), durable=False)
        begun.unlink()


def note_hooks_files(path: Path) -> None:
    """Write down what a post-checkout hook made or changed in a worktree that was clean until then."""
    if has_hooks(Git(path), "post-checkout"):
        made = untracked(path).union(Git(path).list("diff-files", "-z", "--name-only", "--ignore-submodules=all"))
        known = _read(git_dir(path) / _FILE) | {name: _stamp(path / name) for name in made}
        files.replace(git_dir(path) / _FILE, json.dumps(known).encode(), durable=False)


def furnished(path: Path, names: Iterable[str]) -> set[str]:
    """Those of the paths that the setup script, or a post-checkout hook, made and nobody changed since."""
    known = _read(git_dir(path) / _FILE)
    if not known:
        return set()
    return {name for name in names if name in known and _stamp(path / name) == known[name]}


def forget_links(path: Path) -> None:
    """Take away the links that an earlier setup script made: run once more, it would make one inside what they name."""
    for name in furnished(path, untracked(path)):
        if (path / name).is_symlink():
            (path / name).unlink()


def excluding(path: Path) -> dict[str, str]:
    """Variables with which an agent's own `git add` leaves out what the setup script made; none where it made nothing
    that git would take."""
    names = furnished(path, untracked(path))
    if not names:
        return {}
    own = Git(path).maybe("config", "--path", "core.excludesFile")
    default = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "git" / "ignore"
    lines = b""
    with suppress(OSError):
        lines = (Path(own) if own else default).read_bytes()
    written = git_dir(path) / _EXCLUDES
    patterns = b"".join(b"/" + os.fsencode(_MAGIC.sub(r"\\\1", name)) + b"\n" for name in sorted(names))
    written.write_bytes(lines.rstrip(b"\n") + b"\n" + patterns)
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.excludesFile", "GIT_CONFIG_VALUE_0": str(written)}


def _stamp(path: Path) -> list[str | int]:
    """What tells a link or a file from a changed one."""
    try:
        facts = path.lstat()
    except OSError:
        return []
    if stat.S_ISLNK(facts.st_mode):
        return [os.readlink(path)]  # noqa: PTH115 - the text of the link, as it is
    return [facts.st_size, facts.st_mtime_ns]


def _read(file: Path) -> dict[str, list[str | int]]:
    try:
        found = strict_json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
