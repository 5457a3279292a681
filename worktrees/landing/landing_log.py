"""What a landing is about to do, written down before it does it; and what landings did, for undo and for late readers.

Both live below the repository's common git directory, so that they belong to the repository whoever lands on it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...missions.entities import MergeStrategy
from ...system import files, strict_json
from ..locks import our_dir, shared_file, shared_mode

Phase = Literal["preparing", "publishing", "moving"]


@dataclass(frozen=True, slots=True)
class LandingEntry:
    """One landing, under way or done."""

    id: str
    branch: str
    branch_head: str
    target: str
    old: str
    """The local target branch before."""
    strategy: MergeStrategy
    scratch: str
    phase: Phase = "preparing"
    """preparing: nothing is changed yet; publishing: the new commit exists and may have been pushed; moving: the
    local branch is being set."""
    new: str | None = None
    remote: str | None = None
    checkout: str | None = None
    pushed: bool = False
    at: float = 0.0
    """Unix time."""


def begin(common_dir: Path, entry: LandingEntry) -> None:
    """Write (or rewrite) the journal of a landing, durably, in one step."""
    path = _journal(common_dir, entry.target)
    files.replace(path, json.dumps(dataclasses.asdict(entry)).encode(), mode=shared_mode(common_dir))


def end(common_dir: Path, target: str) -> None:
    """The landing is over, one way or the other."""
    _journal(common_dir, target).unlink(missing_ok=True)


def open_entries(common_dir: Path) -> list[LandingEntry]:
    """Landings that were begun and not ended: running ones and killed ones."""
    directory = our_dir(common_dir, "landing")
    found = (_read_file(path) for path in sorted(directory.glob("*.json")))
    return [entry for entry in found if entry is not None]


def record(common_dir: Path, entry: LandingEntry) -> None:
    """Append a finished landing to the history, once."""
    if any(done.id == entry.id for done in history(common_dir)):
        return
    path = shared_file(common_dir, our_dir(common_dir) / "landed.jsonl")
    with path.open("ab+") as written:
        if written.tell() and os.pread(written.fileno(), 1, written.tell() - 1) != b"\n":
            written.write(b"\n")  # the last line was torn by a crash
        written.write(json.dumps(dataclasses.asdict(entry)).encode() + b"\n")
        written.flush()
        os.fsync(written.fileno())


def rewrite(common_dir: Path, entries: list[LandingEntry]) -> None:
    """Replace the history (undo takes its landing out)."""
    content = b"".join(json.dumps(dataclasses.asdict(entry)).encode() + b"\n" for entry in entries)
    files.replace(our_dir(common_dir) / "landed.jsonl", content, mode=shared_mode(common_dir))


def history(common_dir: Path) -> list[LandingEntry]:
    """Finished landings, oldest first; a torn last line is left out."""
    path = our_dir(common_dir) / "landed.jsonl"
    if not path.is_file():
        return []
    found = (_read(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [entry for entry in found if entry is not None]


def target_key(target: str) -> str:
    """A file name for a branch."""
    return hashlib.sha256(target.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _journal(common_dir: Path, target: str) -> Path:
    return our_dir(common_dir, "landing") / f"{target_key(target)}.json"


def _read_file(path: Path) -> LandingEntry | None:
    try:
        return _read(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _read(text: str) -> LandingEntry | None:
    try:
        return LandingEntry(**strict_json.loads(text))
    except (ValueError, TypeError):
        return None
