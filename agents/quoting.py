"""Values of a command line that an agent reads as TOML: strings, and the parts of a repository it may write to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RECORDS: Final = ("objects", "refs/remotes", "logs/refs/remotes")
"""What commits and fetches write to in the repository of a linked worktree, beside the directory of its branch; other
branches, hooks and configuration are not among it."""


def toml_string(text: str) -> str:
    """The text as a TOML basic string: JSON's, which differs in one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_strings(texts: Iterable[str]) -> str:
    """The texts as a TOML array."""
    return f"[{', '.join(map(toml_string, texts))}]"


@dataclass(frozen=True, slots=True)
class GitPlaces:
    """Where git keeps what belongs to a linked worktree."""

    own: Path
    """Its own directory: index, HEAD."""
    common: Path
    """That of the repository."""


def git_places(worktree: Path) -> GitPlaces | None:
    """Those of a linked worktree; None where it is not one.

    Only what git itself put there is believed: the worktree's file `.git` and, in the directory that it names,
    `commondir` and `gitdir`, which must name this worktree in turn.
    """
    try:
        named = (worktree / ".git").read_text(encoding="utf-8").strip()
        own = (worktree / named.removeprefix("gitdir:").strip()).resolve()
        back = Path((own / "gitdir").read_text(encoding="utf-8").strip())
        common = (own / (own / "commondir").read_text(encoding="utf-8").strip()).resolve()
    except (OSError, ValueError):
        return None
    if own.parent != common / "worktrees" or back.resolve() != (worktree / ".git").resolve():
        return None
    return GitPlaces(own, common)


def git_roots(worktree: Path) -> list[Path]:
    """The directories outside a linked worktree that a commit writes to; none where it is not one."""
    found = git_places(worktree)
    if found is None:
        return []
    kept = (found.common / name for name in (*RECORDS, "reftable"))
    return [found.own, *(path for path in kept if path.is_dir()), *_directories_of_branch(found.own, found.common)]


def _directories_of_branch(own: Path, common: Path) -> list[Path]:
    """Where the branch of the worktree is kept, and its log: directories, as git locks a branch beside it."""
    try:
        head = (own / "HEAD").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return []
    kind, _, branch = head.partition("refs/heads/")
    if kind != "ref: " or (common / "reftable").is_dir() or {"", ".", ".."} & set(branch.split("/")):
        return []
    found = [common / name / branch for name in ("refs/heads", "logs/refs/heads")]
    for path in found:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
    return [path.parent for path in found]
