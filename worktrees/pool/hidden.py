"""Changes that git was told not to look at: assume-unchanged, skip-worktree."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from ..git import Git, decode


def hidden(path: Path, among: Collection[str] | None = None) -> set[str]:
    """Files of a worktree, or those of them that are `among` the names, that are hidden and differ from the index.

    What a sparse checkout leaves out does not differ.
    """
    git = Git(path)
    marks = {entry[2:]: entry[0] for entry in git.list("ls-files", "-v", "-z")}
    marked = {name for name, mark in marks.items() if mark == "S" or mark.islower()}
    if among is not None:
        marked.intersection_update(among)
    if not marked:
        return set()
    stored = dict[str, str]()
    for entry in git.list("ls-files", "-s", "-z"):
        facts, _, name = entry.partition("\t")
        stored[name] = facts.split()[1]
    return {name for name in marked if _content(git, path / name, marks[name]) not in (stored.get(name), None)}


def show(path: Path, names: Collection[str]) -> None:
    """Let git look at these files again."""
    listed = b"".join(os.fsencode(name) + b"\0" for name in sorted(names))
    for mark in ("--no-assume-unchanged", "--no-skip-worktree") if names else ():
        Git(path).run("update-index", mark, "-z", "--stdin", stdin=listed, tries=6)


def _content(git: Git, path: Path, mark: str) -> str | None:
    """The name git would give to what is there, empty for a file that is gone; None: nothing to compare."""
    if path.is_symlink():
        return decode(git.out("hash-object", "--stdin", stdin=os.fsencode(path.readlink()))).strip()
    if path.is_file():
        return git.line("hash-object", "--", os.path.relpath(path, git.path))
    return "" if mark == "h" and not path.exists() else None
