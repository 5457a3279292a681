"""What a mission changed: the worktree as it is now against the merge base, committed and uncommitted together."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import file_digest
from pathlib import Path

from ...missions.errors import NotFound
from ...missions.review_marks import digest, run_digests
from ..git import Git, decode
from ..pool.snapshots import temporary_index
from ..pool.status import changes
from .model import Diff, FileDiff, FileStatus, Hunk, Line

_STATUS: dict[str, FileStatus] = {
    "A": "added",
    "M": "modified",
    "D": "deleted",
    "R": "renamed",
    "C": "copied",
    "T": "type changed",
    "U": "conflicted",
}
_OPTIONS = ("--no-color", "--no-ext-diff", "--no-textconv", "--find-renames", "--src-prefix=a/", "--dst-prefix=b/")
_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$", re.DOTALL)


def mission_diff(
    worktree_path: Path | str,
    base: str,
    *,
    paths: Sequence[str] = (),
    max_lines: int | None = None,
    hunks: bool = True,
    since: str | None = None,
    context: int = 3,
    first: str = "",
) -> Diff:
    """The worktree against the merge base of its HEAD and `base` (a branch or commit).

    `paths` narrows it to some files (a page), `max_lines` cuts each file's hunks after so many lines, `hunks=False`
    gives the list and the counts only. `since` (a commit) compares with that state in the place of the merge base;
    files that are not the mission's, such as those that a merge of the target brought, are left out. `context` is how
    many unchanged lines stand around each hunk. Files of the folder `first` come before the others. Nothing in the
    worktree is changed, its index included.
    """
    path = Path(worktree_path)
    git = Git(path)
    merge_base, head = merge_base_of(git, base)
    dirty = changes(path)
    start = since or merge_base
    if since and git.commit(since) is None:
        raise NotFound(f"{since[:10]} no longer exists", why="git has removed it", todo="look at the whole mission")
    with temporary_index(path) as index:
        seen = git.having(GIT_INDEX_FILE=str(index))
        unmerged = [change.path for change in dirty if "U" in change.state or change.state in ("AA", "DD")]
        if unmerged:
            seen.run("--literal-pathspecs", "rm", "--cached", "--force", "--quiet", "--ignore-unmatch", "--", *unmerged)
        new = [c.path for c in dirty if c.state == "??" and not c.nested] + unmerged
        if new:
            _intend_to_add(seen, path, new)
        files = list(_files(seen, start, paths))
        if since:
            own = {one.path for one in _files(seen, merge_base, paths)}
            began = git.maybe("merge-base", merge_base, since) or merge_base
            own |= {decode(name) for name in git.out("diff", "--name-only", "-z", began, since).split(b"\0")}
            files = [one for one in files if one.path in own or one.old_path in own]
            paths = [name for one in files for name in (one.path, one.old_path) if name]
        if hunks and files:
            files = [
                replace(one, digest="" if one.hunks else _digest(path, one))
                for one in _with_hunks(files, _patch(seen, start, paths, max(0, context)), max_lines)
            ]
    pending = {change.path for change in dirty}
    files = [replace(one, uncommitted=one.path in pending) for one in files]
    if first:
        files.sort(key=lambda one: not one.path.startswith(f"{first}/"))
    return Diff(start, head, tuple(files), sum(f.added for f in files), sum(f.removed for f in files))


def merge_base_of(git: Git, base: str) -> tuple[str, str]:
    """What a worktree is compared with, and its HEAD; NotFound when the worktree or the base is gone."""
    if not git.path.is_dir():
        raise NotFound(
            f"The worktree {git.path} is gone",
            why="its directory was deleted",
            todo="start the mission again to recreate it",
        )
    head, against = git.commit("HEAD"), git.commit(base)
    if head is None or against is None:
        raise NotFound(
            f"{base!r} is not a valid commit of {git.path}", why="git does not know it", todo="name the target branch"
        )
    return (git.maybe("merge-base", against, head) or against).splitlines()[0], head


def _intend_to_add(git: Git, top: Path, names: list[str]) -> None:
    """Let untracked files show as new ones, without writing their content anywhere."""
    there = [name for name in names if os.path.lexists(top / name)]
    if not there:
        return
    with tempfile.NamedTemporaryFile(prefix="solo-unicorn-paths-") as listed:
        listed.write(b"\0".join(os.fsencode(name) for name in there) + b"\0")
        listed.flush()
        git.run(
            "--literal-pathspecs",
            "add",
            "--intent-to-add",
            "--force",
            f"--pathspec-from-file={listed.name}",
            "--pathspec-file-nul",
        )


def _files(git: Git, base: str, paths: Sequence[str]) -> Iterator[FileDiff]:
    """Names, states and counts, from `--raw` and `--numstat` in one go."""
    out = git.out("--literal-pathspecs", "diff", *_OPTIONS, "-z", "--raw", "--numstat", base, "--", *paths, timeout=600)
    entries = iter(out.split(b"\0"))
    raw: list[tuple[str, str | None, str]] = []
    counts: dict[str, tuple[int, int, bool]] = {}
    for entry in entries:
        if entry.startswith(b":"):
            letter = decode(entry.rsplit(b" ", 1)[1])[:1]
            first = decode(next(entries))
            second = decode(next(entries)) if letter in "RC" else None
            raw.append((second or first, first if second else None, letter))
        elif entry:
            added, removed, name = entry.split(b"\t", 2)
            if not name:  # a rename: the two names follow
                next(entries)
                name = next(entries)
            binary = added == b"-"
            counts[decode(name)] = (0, 0, True) if binary else (int(added), int(removed), False)
    for path, old, letter in raw:
        plus, minus, binary = counts.get(path, (0, 0, False))
        yield FileDiff(path, old, _STATUS.get(letter, "modified"), plus, minus, binary)


def _patch(git: Git, base: str, paths: Sequence[str], context: int) -> bytes:
    """The unified diff of the same files in the same order."""
    return git.out(
        "--literal-pathspecs", "diff", *_OPTIONS, "--patch", f"--unified={context}", base, "--", *paths, timeout=600
    )


def _with_hunks(files: list[FileDiff], patch: bytes, max_lines: int | None) -> Iterator[FileDiff]:
    """Give each file its hunks; a change of type is two patches, a deletion and a creation."""
    patches = iter(_split(patch))
    for one in files:
        lines = next(patches, [])
        if one.status == "type changed":
            lines = lines + next(patches, [])
        hunks, truncated = _hunks(lines, max_lines)
        runs = run_digests(one.path, ([(line.kind, line.text) for line in hunk.lines] for hunk in hunks))
        marked = tuple(replace(hunk, runs=found) for hunk, found in zip(hunks, runs, strict=True))
        yield replace(one, hunks=() if one.binary else marked, truncated=truncated and not one.binary)


def _digest(top: Path, one: FileDiff) -> str:
    """What stands for the content of a file without hunks: a binary file, a rename, a change of mode."""
    path = top / one.path
    content = ""
    if path.is_file() and not path.is_symlink():
        with path.open("rb") as file:
            content = file_digest(file, "sha256").hexdigest() + str(path.stat().st_mode & 0o111)
    return digest(one.path, one.old_path or "", one.status, content)


def _split(patch: bytes) -> Iterator[list[bytes]]:
    """One list of lines per file. Content lines never start with "diff --git": they have a mark before them."""
    current: list[bytes] | None = None
    for line in patch.split(b"\n")[:-1]:
        if line.startswith(b"diff --git "):
            if current is not None:
                yield current
            current = []
        elif current is not None:
            current.append(line)
    if current is not None:
        yield current


def _hunks(lines: list[bytes], max_lines: int | None) -> tuple[list[Hunk], bool]:
    """The hunks of one file, cut after `max_lines` lines."""
    found: list[Hunk] = []
    body: list[Line] = []
    left = max_lines if max_lines is not None else len(lines)
    header: re.Match[bytes] | None = None
    old = new = 0

    def close() -> None:
        if header is not None and body:
            found.append(
                Hunk(
                    int(header[1]),
                    int(header[2] or 1),
                    int(header[3]),
                    int(header[4] or 1),
                    decode(header[5]),
                    tuple(body),
                )
            )
        body.clear()

    for line in lines:
        begins = _HUNK.match(line)
        if begins:
            close()
            header, old, new = begins, int(begins[1]), int(begins[3])
        elif header is not None and line[:1] in (b" ", b"+", b"-", b"\\"):
            if not left:
                close()
                return found, True
            kind = line[:1].decode()
            on_old, on_new = kind in " -", kind in " +"
            body.append(Line(kind, decode(line[1:]), old if on_old else None, new if on_new else None))  # type: ignore[arg-type]
            old, new, left = old + on_old, new + on_new, left - 1
        else:  # the header lines of the second patch of a type change
            close()
            header = None
    close()
    return found, False
