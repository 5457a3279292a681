"""How a worktree stands: HEAD, branch, and what is not committed there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..git import Git, decode
from ..repository import submodules
from ..repository.registry import common_of, git_dir, in_progress
from .setup_files import furnished


@dataclass(frozen=True, slots=True)
class WorktreeChange:
    """One entry of `git status`: the two state letters and the path."""

    state: str
    path: str

    @property
    def nested(self) -> bool:
        """A whole repository inside the worktree, which git does not look into."""
        return self.state == "??" and self.path.endswith("/")

    @property
    def twice(self) -> bool:
        """Staged, then changed again: the staged version is in the index only."""
        return "." not in self.state and self.state not in ("??", "!!")


@dataclass(frozen=True, slots=True)
class WorktreeStatus:
    """What is checked out in a worktree, and what is not committed there."""

    commit: str | None
    """None: a branch without a commit yet."""
    branch: str | None
    """None: a detached HEAD."""
    changes: tuple[WorktreeChange, ...]


def changes(path: Path) -> list[WorktreeChange]:
    """Every uncommitted change and every untracked file (ignored ones are not work)."""
    return list(standing(path).changes)


def standing(path: Path) -> WorktreeStatus:
    """HEAD, branch and every uncommitted change, from one look.

    What a setup script made is left out, and what only its line ends or filters make a change: byte for byte as it is
    stored, nobody touched it since it was checked out.
    """
    git = Git(path).having(GIT_OPTIONAL_LOCKS="1")
    out = git.out("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", timeout=600)
    found: list[WorktreeChange] = []
    stored: dict[str, str] = {}
    head: dict[str, str] = {}
    entries = iter(out.split(b"\0"))
    for entry in entries:
        line = decode(entry)
        match line[:1]:
            case "#":
                name, _, value = line[2:].partition(" ")
                head[name] = value
            case "1":
                fields = line.split(" ", 8)
                found.append(WorktreeChange(fields[1], fields[8]))
                if fields[1] == ".M" and not fields[2].startswith("S"):
                    stored[fields[8]] = fields[7]
            case "2":
                found.append(WorktreeChange(line[2:4], line.split(" ", 9)[9]))
                next(entries, None)
            case "u":
                found.append(WorktreeChange(line[2:4], line.split(" ", 10)[10]))
            case "?":
                found.append(WorktreeChange("??", line[2:]))
    there = {one.path for one in found}
    found += [WorktreeChange(".M", one) for one in submodules.changed(path, common_of(path)) if one not in there]
    no_work = _as_stored(git, stored) | furnished(path, [one.path for one in found if one.state in ("??", ".M")])
    found = [one for one in found if one.path not in no_work]
    commit, branch = head.get("branch.oid"), head.get("branch.head")
    return WorktreeStatus(
        None if commit == "(initial)" else commit, None if branch == "(detached)" else branch, tuple(found)
    )


def unfinished(path: Path) -> str | None:
    """Why nothing may be switched or removed here, in a few words; None for a clean worktree with nothing going on."""
    return unfinished_in(path, standing(path))


def unfinished_in(path: Path, seen: WorktreeStatus) -> str | None:
    """The same, of a worktree that was just looked at."""
    doing = in_progress(git_dir(path))
    if doing:
        return f"it is in the middle of {doing}"
    dirty = seen.changes
    if dirty:
        more = f" and {len(dirty) - 1} more" if len(dirty) > 1 else ""
        return f"it has uncommitted work: {dirty[0].path}{more}"
    return None


def _as_stored(git: Git, stored: dict[str, str]) -> set[str]:
    """Those of the changed files whose bytes are those of the blob that the index names."""
    names = [name for name in stored if "\n" not in name]
    if not names:
        return set()
    given = b"".join(os.fsencode(name) + b"\n" for name in names)
    done = git.run("hash-object", "--no-filters", "--stdin-paths", stdin=given, ok=(0, 128), timeout=600)
    found = decode(done.out).split()
    return {name for name, blob in zip(names, found, strict=False) if blob == stored[name]}
