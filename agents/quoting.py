"""Values of a command line that an agent reads as TOML: strings, and the parts of a repository it may write to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

RECORDS: Final = ("objects", "refs", "logs")
"""What a commit writes to in the repository of a linked worktree; its hooks and its configuration are not among it."""


def toml_string(text: str) -> str:
    """The text as a TOML basic string: JSON's, which differs in one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def git_roots(worktree: Path) -> str:
    """A TOML array of the directories outside a linked worktree that a commit writes to; an empty one where it is none.

    Only what git itself put there is believed: the worktree's file `.git` and, in the directory that it names,
    `commondir` and `gitdir`, which must name this worktree in turn.
    """
    try:
        named = (worktree / ".git").read_text(encoding="utf-8").strip()
        own = (worktree / named.removeprefix("gitdir:").strip()).resolve()
        back = Path((own / "gitdir").read_text(encoding="utf-8").strip())
        common = (own / (own / "commondir").read_text(encoding="utf-8").strip()).resolve()
    except (OSError, ValueError):
        return "[]"
    if own.parent != common / "worktrees" or back.resolve() != (worktree / ".git").resolve():
        return "[]"
    roots = [own, *(common / name for name in RECORDS)]
    return f"[{', '.join(toml_string(str(root)) for root in roots)}]"
